"""Whole files in and out, with errors that name the file."""

import gzip
import io
import os
import stat
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from difftem.io.claimed import remove_stale, temporary_path
from difftem.io.errors import input_error

PIECE = 1 << 24  # bytes
MAX_UNPACKED = 4 * 1024**3  # bytes; a file of zeros packs a thousand times smaller


def check_regular(path: str | Path) -> Path:
    """Refuse what is no file with an end: reading a pipe or a device may never stop.

    Parameters
    ----------
    path : str or Path
        File to read.

    Returns
    -------
    Path
        The same.

    Raises
    ------
    InputError
        If it is missing, a folder, a pipe or a device.
    """
    path = Path(path)
    try:
        kind = path.stat().st_mode
    except (FileNotFoundError, NotADirectoryError):
        raise input_error(path, "no such file") from None
    except (OSError, ValueError) as error:  # no permission, a name too long or with a zero byte
        what = getattr(error, "strerror", None) or error
        raise input_error(path, f"cannot be read: {what}") from error
    if stat.S_ISDIR(kind):
        of_zarr = " (difftem reconstruct and compare read zarr)" if path.suffix == ".zarr" else ""
        raise input_error(path, f"is a folder, expected a file{of_zarr}")
    if not stat.S_ISREG(kind):
        raise input_error(path, "is no regular file")
    return path


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
    path = check_regular(path)
    try:
        packed = path.read_bytes()
    except OSError as error:
        raise input_error(path, f"cannot be read: {error.strerror}") from error
    if path.suffix.lower() != ".gz":
        return packed
    try:
        with gzip.GzipFile(fileobj=io.BytesIO(packed)) as file:
            # A read of the most that is allowed would reserve as much.
            pieces: list[bytes] = []
            while sum(map(len, pieces)) <= MAX_UNPACKED and (piece := file.read(PIECE)):
                pieces.append(piece)
            unpacked = b"".join(pieces)
    except EOFError:
        raise input_error(
            path, f"truncated: the gzip stream of {len(packed)} bytes has no end"
        ) from None
    except (gzip.BadGzipFile, zlib.error) as error:
        raise input_error(path, f"not a gzip file: {error}") from error
    if len(unpacked) > MAX_UNPACKED:
        raise input_error(path, f"unpacks to more than {MAX_UNPACKED >> 30} GB")
    return unpacked


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
