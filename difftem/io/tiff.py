"""TIFF images and multi-page stacks, as cameras, DigitalMicrograph and ImageJ write them."""

import contextlib
import logging
import struct
import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import tifffile
from numpy.typing import ArrayLike, NDArray

from difftem.io.errors import input_error
from difftem.io.files import replacing
from difftem.units import angstrom_to_nm

TIFF_SUFFIXES = (".tif", ".tiff")

# Å per unit of tag 296 (ResolutionUnit); ImageJ and DigitalMicrograph name theirs in words.
_ANGSTROM_PER_TAG = {2: 2.54e8, 3: 1e8}
_ANGSTROM_PER_WORD = {"nm": 10.0, "nanometer": 10.0, "micron": 1e4, "um": 1e4, "µm": 1e4, "Å": 1.0}
# Outside of this the resolution is a printer's, not a microscope's.
_PIXEL_SIZES = (0.05, 100.0)
_IMAGEJ_BYTES = 2**32 - 2**20  # ImageJ's files end before 4 GiB; larger ones are BigTIFF
_UNREADABLE = (ValueError, OSError, KeyError, IndexError, struct.error, zlib.error, RuntimeError)


def read_tiff(path: Path) -> tuple[NDArray[np.generic], float | None]:
    """Read all pages of a TIFF file.

    Compressions beyond deflate are left to Pillow, or to imagecodecs where it is installed.

    Parameters
    ----------
    path : Path
        File that exists.

    Returns
    -------
    data : ndarray
        ``(n, y, x)`` in the dtype of the file.
    pixel_size : float or None
        Å, where the resolution is that of a microscope.

    Raises
    ------
    InputError
        If the file is no TIFF file, is truncated, has colours, or pages of several sizes or
        kinds.
    """
    try:
        with _silent(), tifffile.TiffFile(path) as tiff:
            pixel_size = _pixel_size(tiff)
            first = _check_pages(path, tiff)
            needs_pillow = first.compression not in (1, 8, 32946)
            # Pages may be several series, of which asarray() alone reads the first; a large
            # stack of ImageJ is one series on a single page.
            key = slice(None) if len(tiff.series) > 1 else None
            data = _read_by_pillow(path) if needs_pillow else tiff.asarray(key=key)
    except _UNREADABLE as error:
        if isinstance(error, ValueError) and str(error).startswith(f"{path}: "):
            raise
        raise input_error(path, f"not a whole TIFF file: {error}") from error
    data = np.asarray(data)
    if data.ndim < 2 or data.size == 0:
        raise input_error(path, f"expected images, got data of shape {data.shape}")
    return data.reshape(-1, *data.shape[-2:]), pixel_size


def write_tiff(
    path: Path,
    array: ArrayLike,
    pixel_size: float,
    labels: Sequence[str] = (),
    *,
    overwrite: bool = False,
) -> None:
    """Write float32 images as ImageJ does, with the pixel size in nm; beyond 4 GB as BigTIFF.

    Parameters
    ----------
    path : Path
        File to write, in a folder that exists.
    array : array_like
        ``(y, x)`` or ``(n, y, x)``; complex images become two channels, real and imaginary part.
    pixel_size : float
        Å.
    labels : sequence of str
        Texts about the images, in ImageJ's "Show Info".
    overwrite : bool
        Replace a file that exists.

    Raises
    ------
    InputError
        If the file exists and `overwrite` is false, or its folder does not exist.
    """
    data = np.asarray(array)
    axes = "ZYX"[-data.ndim :]
    if np.iscomplexobj(data):
        data, axes = np.stack([data.real, data.imag], -3), axes[:-2] + "CYX"
    data = np.ascontiguousarray(data, dtype=np.float32)
    per_unit = 1 / angstrom_to_nm(pixel_size)
    with replacing(path, overwrite) as temporary:
        if data.nbytes <= _IMAGEJ_BYTES:
            metadata = {"unit": "nm", "axes": axes, "Info": "\n".join(labels)}
            tifffile.imwrite(
                temporary, data, imagej=True, resolution=(per_unit, per_unit), metadata=metadata
            )
        else:
            per_cm = per_unit * 1e7
            tifffile.imwrite(
                temporary,
                data,
                bigtiff=True,
                photometric="minisblack",
                resolution=(per_cm, per_cm),
                resolutionunit="CENTIMETER",
                description="\n".join(labels),
                metadata=None,
            )


@contextlib.contextmanager
def _silent() -> Iterator[None]:
    """Keep tifffile from logging what it raises anyway."""
    logger = logging.getLogger("tifffile")
    before = logger.disabled
    logger.disabled = True
    try:
        yield
    finally:
        logger.disabled = before


def _check_pages(path: Path, tiff: tifffile.TiffFile) -> tifffile.TiffPage:
    """Return the first page; refuse colours, and pages that are not alike."""
    first = tiff.pages.first if len(tiff.pages) else None
    if not isinstance(first, tifffile.TiffPage):
        raise input_error(path, "no image in this TIFF file")
    for number, page in enumerate(tiff.pages, start=1):
        colours = (page.keyframe or first).samplesperpixel
        if colours > 1:
            which = f"page {number} " if number > 1 else ""
            raise input_error(path, f"{which}has {colours} colour channels, expected grey values")
        if (page.shape, page.dtype) != (first.shape, first.dtype):
            (ny, nx), (my, mx) = first.shape, page.shape
            raise input_error(
                path,
                f"page {number} is {mx} x {my} pixels (x, y) of {page.dtype}, page 1 {nx} x {ny} "
                f"of {first.dtype}: give a file with pages of one kind",
            )
    return first


def _read_by_pillow(path: Path) -> NDArray[np.generic]:
    """Read pages in the compressions that tifffile has no code of its own for."""
    from PIL import Image, ImageSequence

    with Image.open(path) as image:
        return np.stack([np.array(page) for page in ImageSequence.Iterator(image)])


def _pixel_size(tiff: tifffile.TiffFile) -> float | None:
    """Pixel size in Å from the resolution of the first page, or None."""
    # The first page is never one of tifffile's light frames, which have no tags.
    tags = tiff.pages[0].tags  # type: ignore[union-attr]
    if (resolution := tags.get("XResolution")) is None:
        return None
    pixels, units = resolution.value
    word = str((tiff.imagej_metadata or {}).get("unit", "")).replace("\\u00B5", "µ")
    tag = tags.get("ResolutionUnit")
    unit = _ANGSTROM_PER_WORD.get(word) or _ANGSTROM_PER_TAG.get(int(tag.value) if tag else 0)
    if unit is None or not pixels or not units:
        return None
    size = unit * units / pixels
    return size if _PIXEL_SIZES[0] <= size <= _PIXEL_SIZES[1] else None
