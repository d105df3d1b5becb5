"""An output folder that is whole or not there."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from difftem.io.errors import input_error


def check_folder(folder: Path, overwrite: bool) -> None:
    """Refuse an output folder before the work that would be refused after it.

    Parameters
    ----------
    folder : Path
        To make. If it exists and is not empty, `overwrite` must be set.
    overwrite : bool
        Replace the files of an earlier run.

    Raises
    ------
    InputError
        If the folder exists, is a file, or cannot be written.
    """
    if folder.exists() and not folder.is_dir():
        raise input_error(folder, "is a file, expected an output folder")
    if folder.is_dir() and any(folder.iterdir()) and not overwrite:
        raise input_error(
            folder, "exists and is not empty; --overwrite (overwrite=True) replaces its files"
        )
    nearest = next(each for each in (folder, *folder.absolute().parents) if each.exists())
    if not (nearest.is_dir() and os.access(nearest, os.W_OK)):
        raise input_error(nearest, "cannot be written: Permission denied")


@contextmanager
def made_folder(folder: Path) -> Iterator[None]:
    """Make a folder and those above it; remove what is empty of them if what follows fails."""
    if folder.exists() and not folder.is_dir():
        raise input_error(folder, "is a file, expected an output folder")
    created = [each for each in (folder, *folder.parents) if not each.exists()]
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise input_error(folder, f"cannot be written: {error.strerror or error}") from error
    try:
        yield
    except BaseException:
        for each in created:  # innermost first; what others put there stays
            with suppress(OSError):
                each.rmdir()
        raise


@contextmanager
def staged_folder(folder: Path, overwrite: bool, owned: tuple[str, ...]) -> Iterator[Path]:
    """Yield a temporary folder beside the wanted one; move its files there when all went well.

    Parameters
    ----------
    folder : Path
        To make. If it exists and is not empty, `overwrite` must be set.
    overwrite : bool
        Replace the files of an earlier run.
    owned : tuple of str
        Names that a run may write: those of an earlier run are removed if this one has none.

    Yields
    ------
    Path
        Where to write.

    Raises
    ------
    InputError
        If the folder exists, is a file, or cannot be written.
    """
    check_folder(folder, overwrite)
    existing = folder if folder.is_dir() else folder.parent
    with made_folder(folder.parent):
        try:
            staging = Path(tempfile.mkdtemp(prefix=f".{folder.name}.", dir=folder.parent))
        except OSError as error:
            raise input_error(existing, f"cannot be written: {error.strerror or error}") from error
        try:
            yield staging
            folder.mkdir(exist_ok=True)
            written = {path.name for path in staging.iterdir()}
            for path in sorted(staging.iterdir()):
                os.replace(path, folder / path.name)
            for name in owned:
                if name not in written:
                    (folder / name).unlink(missing_ok=True)
        except OSError as error:
            raise input_error(folder, f"cannot be written: {error.strerror or error}") from error
        finally:
            shutil.rmtree(staging, ignore_errors=True)
