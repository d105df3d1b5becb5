"""The files of a denoised image: their names, and what is refused before the work."""

import os
from collections.abc import Sequence
from pathlib import Path

from torch import Tensor

from difftem.io.errors import input_error
from difftem.io.mrc import write_mrc
from difftem.io.mrc_copy import copy_header
from difftem.io.tiff_write import write_tiff

MRC, TIFF = (".mrc", ".mrcs", ".st", ".ali"), (".tif", ".tiff")


def output_files(path: Path, extras: Sequence[str] = ()) -> dict[str, Path]:
    """Names of all files, by what they hold."""
    beside = {name: path.with_name(f"{path.stem}_{name}{path.suffix}") for name in extras}
    return {
        "mean": path,
        **beside,
        "report": path.with_suffix(".md"),
        "panel": path.with_suffix(".png"),
        "record": path.with_suffix(".json"),
    }


def check_output(path: Path, overwrite: bool, extras: Sequence[str] = ()) -> None:
    """Refuse an output before the work that would be refused after it.

    Parameters
    ----------
    path : Path
        Image to write.
    overwrite : bool
        Replace files that exist.
    extras : sequence of str
        What else is to be written.

    Raises
    ------
    InputError
        If a file exists and `overwrite` is false, the folder does not exist, or the suffix is
        that of no image.
    """
    if path.suffix.lower() not in MRC + TIFF:
        raise input_error(path, f"the name of an image must end in one of {' '.join(MRC + TIFF)}")
    if not path.parent.is_dir():
        raise input_error(path, f"there is no folder {path.parent}")
    if not os.access(path.parent, os.W_OK):
        raise input_error(path, f"the folder {path.parent} cannot be written")
    for each in output_files(path, extras).values():
        if each.is_dir():
            raise input_error(each, "is a folder, expected a file name")
        if each.exists() and not overwrite:
            raise input_error(each, "exists already; --overwrite (overwrite=True) replaces it")


def check_outputs(
    images: Sequence[str | Path], output: Path, overwrite: bool, extras: Sequence[str]
) -> bool:
    """Refuse a command's output before the work, and tell whether it is a file.

    Parameters
    ----------
    images : sequence of str or Path
        Inputs.
    output : Path
        A file to write, or a folder: one that exists, or a name without the suffix of an image.
    overwrite : bool
        Replace files that exist.
    extras : sequence of str
        What else is to be written.

    Returns
    -------
    bool
        Whether there is one file.

    Raises
    ------
    InputError
        As `check_output`, or if an input would be replaced.
    """
    is_file = not output.is_dir() and output.suffix.lower() in MRC + TIFF
    if not is_file:
        if output.suffix and not output.is_dir():
            check_output(output, overwrite, extras)
        if output.is_file():
            raise input_error(output, "is a file, expected a folder")
        if not output.parent.is_dir():
            raise input_error(output, f"there is no folder {output.parent}")
    wanted = [output] if is_file else [output / output_name(Path(each)) for each in images]
    inputs = {Path(each).resolve() for each in images}
    for path in wanted:
        for each in output_files(path, extras).values():
            if each.resolve() in inputs:
                raise input_error(each, "is an input, which would be replaced: name another output")
        if is_file or output.is_dir():
            check_output(path, overwrite, extras)
    if len(set(wanted)) < len(wanted):
        twice = next(each for each in wanted if wanted.count(each) > 1)
        raise input_error(twice, "would be written for two inputs of one name: give them apart")
    return is_file


def output_name(image: Path) -> str:
    """Name in an output folder: that of the input, as MRC or TIFF."""
    name = image.name[: -len(".gz")] if image.name.lower().endswith(".gz") else image.name
    name = name[: -len(".bz2")] if name.lower().endswith(".bz2") else name
    suffix = Path(name).suffix
    return name if suffix.lower() in MRC + TIFF else f"{Path(name).stem}.mrc"


def write_image(
    part: Path,
    suffix: str,
    image: Tensor,
    pixel_size: float | None,
    label: str,
    source: Path | None = None,
) -> None:
    """Write an image or a stack in float32.

    Parameters
    ----------
    part : Path
        Where to write.
    suffix : str
        Of the name that it will have: MRC or TIFF.
    image : Tensor
        ``(y, x)`` or ``(n, y, x)``.
    pixel_size : float or None
        Å.
    label : str
        For the header.
    source : Path, optional
        MRC file whose header is handed on, if the image has its size.
    """
    array = image.float().numpy()
    if suffix.lower() in TIFF:
        write_tiff(part, array, pixel_size, [label], overwrite=True)
    else:
        write_mrc(part, array, pixel_size, [label], overwrite=True)
        if source is not None:
            copy_header(source, part)
