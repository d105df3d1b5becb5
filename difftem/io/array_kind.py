"""Whether an MRC file holds an image, a stack of images or a volume, by what it says itself."""

import warnings
from pathlib import Path
from typing import Literal

import mrcfile

from difftem.io.files import check_regular, unpacked_suffix
from difftem.io.mrc_size import check_extended
from difftem.io.tiff import TIFF_SUFFIXES

ArrayKind = Literal["image", "stack", "volume"]
_STACKS, _VOLUMES = (".mrcs", ".st", ".ali"), (".rec", ".map")


def array_kind(path: str | Path) -> tuple[ArrayKind, bool]:
    """Tell what a file holds, before its data are read, and whether that is sure.

    TIFF and zarr are stacks. In MRC a single section is an image and sections across another axis
    than z are a volume; then the name tells it (``.mrcs``, ``.st``, ``.ali`` are stacks, ``.rec``
    and ``.map`` volumes), and last the space group: above 0 it is a volume. It is not sure that 0
    is a stack: programs leave it in volumes.
    """
    path = Path(path)
    suffix = unpacked_suffix(path)
    if suffix == ".zarr":
        return "stack", True
    check_regular(path)
    if suffix in TIFF_SUFFIXES:
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
    if not upright or suffix in _VOLUMES or (group > 0 and suffix not in _STACKS):
        return "volume", True
    return "stack", suffix in _STACKS
