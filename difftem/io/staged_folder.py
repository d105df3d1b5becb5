"""An output folder that is whole or not there."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from difftem.io.claimed import claimed, is_temporary, temporary_path
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
    there = folder.is_dir()
    if folder.exists() and not there:
        raise input_error(folder, "is a file, expected an output folder")
    foreign = [each for each in folder.iterdir() if not is_temporary(each.name)] if there else []
    if foreign and not overwrite:
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
def reserved_folder(folder: Path, overwrite: bool) -> Iterator[None]:
    """Hold an output folder for one run; if that leaves nothing in a new one, it is gone again.

    Parameters
    ----------
    folder : Path
        To make. If it exists and is not empty, `overwrite` must be set.
    overwrite : bool
        Replace the files of an earlier run.

    Raises
    ------
    InputError
        If the folder exists, is a file, is in use by another run, or cannot be written.
    """
    check_folder(folder, overwrite)
    with made_folder(folder), claimed(folder):
        yield


@contextmanager
def staged_folder(folder: Path, overwrite: bool, owned: tuple[str, ...]) -> Iterator[Path]:
    """Yield a temporary folder in the wanted one; move its files up when all went well.

    Parameters
    ----------
    folder : Path
        To make. If it exists and is not empty, `overwrite` must be set.
    overwrite : bool
        Replace the files of an earlier run.
    owned : tuple of str
        Names that a run may write: those of an earlier run are removed if this one has none.
        The last one says that the others are whole: it goes first, and comes last.

    Yields
    ------
    Path
        Where to write.

    Raises
    ------
    InputError
        If the folder exists, is a file, is in use by another run, or cannot be written.
    """
    with reserved_folder(folder, overwrite):
        staging = temporary_path(folder / "staging")
        try:
            staging.mkdir()
            yield staging
            written = {path.name for path in staging.iterdir()}
            (folder / owned[-1]).unlink(missing_ok=True)
            for name in sorted(written, key=lambda name: name == owned[-1]):
                if name.endswith(".zarr") and name in owned:
                    _remove(folder / name)  # a folder does not replace another one
                os.replace(staging / name, folder / name)
            for name in owned:
                if name not in written:
                    _remove(folder / name)
        except OSError as error:
            raise input_error(folder, f"cannot be written: {error.strerror or error}") from error
        finally:
            shutil.rmtree(staging, ignore_errors=True)


def _remove(path: Path) -> None:
    """Remove a file, or zarr's folder."""
    if path.suffix == ".zarr" and path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
