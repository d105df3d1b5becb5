"""Whole files in and out, with errors that name the file."""

import gzip
import os
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from difftem.io.claimed import remove_stale, temporary_path
from difftem.io.errors import input_error


def read_bytes(path: str | Path) -> bytes:
    """Read a file; one whose name ends in ``.gz`` is unpacked.

    Parameters
    ----------
    path : str or Path
        File to read.

    Returns
    -------
    bytes
        Its contents.

    Raises
    ------
    InputError
        If it is missing, is a folder, cannot be read, or is not a whole gzip file.
    """
    path = Path(path)
    if path.is_dir():
        raise input_error(path, "is a folder, expected a file")
    try:
        packed = path.read_bytes()
    except FileNotFoundError:
        raise input_error(path, "no such file") from None
    except OSError as error:
        raise input_error(path, f"cannot be read: {error.strerror}") from error
    if path.suffix.lower() != ".gz":
        return packed
    try:
        return gzip.decompress(packed)
    except EOFError:
        raise input_error(
            path, f"truncated: the gzip stream of {len(packed)} bytes has no end"
        ) from None
    except (gzip.BadGzipFile, zlib.error) as error:
        raise input_error(path, f"not a gzip file: {error}") from error


def unpacked_suffix(path: str | Path) -> str:
    """Suffix in lower case without a trailing ``.gz``: ``.cif`` of ``1ABC.CIF.gz``."""
    path = Path(path)
    return (path.with_suffix("") if path.suffix.lower() == ".gz" else path).suffix.lower()


@contextmanager
def replacing(path: Path, overwrite: bool) -> Iterator[Path]:
    """Yield a temporary path in the same folder that becomes `path` if nothing fails."""
    if path.is_dir():
        raise input_error(path, "is a folder, expected a file name")
    if path.exists() and not overwrite:
        raise input_error(path, "exists already; --overwrite (overwrite=True) replaces it")
    if not path.parent.is_dir():
        raise input_error(path, f"there is no folder {path.parent}")
    remove_stale(path.parent, path.name)
    temporary = temporary_path(path)
    try:
        yield temporary
        os.replace(temporary, path)
    except OSError as error:
        raise input_error(path, f"cannot be written: {error.strerror or error}") from error
    finally:
        temporary.unlink(missing_ok=True)
