"""How many pixels image files hold, from their headers alone."""

import math
from pathlib import Path

import tifffile

from difftem.io.files import check_regular, unpacked_suffix
from difftem.io.mrc_size import count_values
from difftem.io.tiff import TIFF_SUFFIXES, UNREADABLE_TIFF


def count_pixels(path: str | Path) -> int:
    """Count the pixels of all images of a file without reading them.

    Parameters
    ----------
    path : str or Path
        MRC (also packed) or TIFF.

    Returns
    -------
    int
        Pixels; 0 where the header is not true, or a TIFF file is packed: reading says why.

    Raises
    ------
    InputError
        If there is no such file.
    """
    path = check_regular(path)
    if unpacked_suffix(path) not in TIFF_SUFFIXES:
        return count_values(path)
    if path.suffix.lower() not in TIFF_SUFFIXES:
        return 0
    try:
        with tifffile.TiffFile(path) as tiff:
            return sum(math.prod(series.shape) for series in tiff.series)
    except UNREADABLE_TIFF:
        return 0
