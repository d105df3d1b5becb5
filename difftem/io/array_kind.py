"""Whether an MRC file holds an image, a stack of images or a volume, by what it says itself."""

import warnings
from pathlib import Path
from typing import Literal

import mrcfile

from difftem.io.files import check_regular, unpacked_suffix
from difftem.io.mrc_size import check_extended

ArrayKind = Literal["image", "stack", "volume"]
_STACKS = (".mrcs", ".st", ".ali", ".tif", ".tiff", ".zarr")
_VOLUMES = (".rec", ".map")


def array_kind(path: str | Path) -> tuple[ArrayKind, bool]:
    """Tell what a file holds, before its data are read.

    Parameters
    ----------
    path : str or Path
        MRC, TIFF or zarr.

    Returns
    -------
    kind : {"image", "stack", "volume"}
        A single section is an image. Beyond that the name tells it (``.mrcs``, ``.st``, ``.ali``,
        TIFF and zarr are stacks, ``.rec`` and ``.map`` volumes), then the space group of the
        header, 0 for images. Sections that do not run along z are those of a volume.
    sure : bool
        False where only a space group of 0 says that it is a stack: programs leave it in volumes.

    Raises
    ------
    InputError
        If there is no such file.
    """
    path = Path(path)
    suffix = unpacked_suffix(path)
    if suffix == ".zarr":
        return "stack", True
    check_regular(path)
    if suffix in (".tif", ".tiff"):
        return "stack", True
    check_extended(path)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with mrcfile.open(path, permissive=True, header_only=True) as mrc:
                sections, group = int(mrc.header.nz), int(mrc.header.ispg)
                upright = int(mrc.header.maps) in (0, 3)
    except (ValueError, OSError, EOFError, OverflowError, MemoryError, AttributeError):
        return "stack", False  # whoever reads it says what is wrong
    if sections == 1:
        return "image", True
    if not upright:
        return "volume", True
    if suffix in _STACKS or suffix in _VOLUMES:
        return ("stack" if suffix in _STACKS else "volume"), True
    return ("volume", True) if group > 0 else ("stack", False)
