"""TIFF images and multi-page stacks, as cameras, DigitalMicrograph and ImageJ write them."""

import contextlib
import io
import logging
import math
import struct
import warnings
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import tifffile
from numpy.typing import NDArray

from difftem.io.errors import InputError, input_error
from difftem.io.files import read_bytes

TIFF_SUFFIXES = (".tif", ".tiff")

# Å per unit of tag 296 (ResolutionUnit); ImageJ and DigitalMicrograph name theirs in words.
_ANGSTROM_PER_TAG = {2: 2.54e8, 3: 1e8}
_ANGSTROM_PER_WORD = {"nm": 10.0, "nanometer": 10.0, "micron": 1e4, "um": 1e4, "µm": 1e4, "Å": 1.0}
# Outside of this the resolution is a printer's, not a microscope's.
PIXEL_SIZES = (0.01, 100.0)
UNREADABLE_TIFF = (
    ValueError,
    OSError,
    KeyError,
    IndexError,
    ArithmeticError,
    TypeError,
    AttributeError,
    AssertionError,
    SyntaxError,  # of Pillow, for files that it does not know
    MemoryError,
    struct.error,
    zlib.error,
    RuntimeError,
)
_WHITE_IS_ZERO, _PALETTE = 0, 3  # photometric interpretations
_PLANES = 2  # planar configuration: an image for each colour
_LOSSY = (6, 7, 33007, 34892)  # compressions: JPEG
_EER = (65000, 65001, 65002)

# Bytes of an image for each in the file, at most: deflate makes 1032, LZW 2730 of one.
_MOST_PACKED, _SMALL = 4000, 10_000_000


@dataclass(frozen=True, eq=False)
class TiffImage:
    """Contents of a TIFF file.

    Attributes
    ----------
    data : ndarray
        ``(n, y, x)`` in the dtype of the file.
    pixel_size : float or None
        Å, where the resolution is that of a microscope.
    notes : list of str
        What is doubtful.
    left : list of str
        What the file says and is not used.

    Examples
    --------
    >>> from pathlib import Path
    >>> import numpy as np
    >>> from difftem.io.tiff import read_tiff
    >>> from difftem.io.tiff_write import write_tiff
    >>> write_tiff(Path("image.tif"), np.zeros((3, 4)), pixel_size=1.05)
    >>> found = read_tiff(Path("image.tif"))
    >>> found.data.shape, found.notes  # one page, and nothing that is doubtful
    ((1, 3, 4), [])
    """

    data: NDArray[np.generic]
    pixel_size: float | None
    notes: list[str]
    left: list[str]


def read_tiff(path: Path) -> TiffImage:
    """Read all pages of a TIFF file, also packed as ``.gz``.

    Compressions beyond deflate are left to Pillow, or to imagecodecs where it is installed.

    Parameters
    ----------
    path : Path
        File that exists.

    Returns
    -------
    TiffImage
        Pages and facts.

    Raises
    ------
    InputError
        If the file is no TIFF file, is truncated, has colours, or pages of several sizes or
        kinds, or a compression that is not read.

    Examples
    --------
    >>> from pathlib import Path
    >>> import numpy as np
    >>> from difftem.io.tiff import read_tiff
    >>> from difftem.io.tiff_write import write_tiff
    >>> write_tiff(Path("stack.tif"), np.zeros((2, 3, 4)), pixel_size=1.05)
    >>> found = read_tiff(Path("stack.tif"))
    >>> found.data.shape, round(found.pixel_size, 3)  # n, y, x; Å
    ((2, 3, 4), 1.05)
    """
    try:
        source = io.BytesIO(read_bytes(path)) if path.suffix.lower() == ".gz" else path
        with _silent(), tifffile.TiffFile(source) as tiff:
            first = _check_pages(path, tiff)
            pixel_size, left = _pixel_size(tiff)
            notes = _doubts(first)
            needs_pillow = first.compression not in (1, 8, 32946)
            # Pages may be several series, of which asarray() alone reads the first; a large
            # stack of ImageJ is one series on a single page.
            key = slice(None) if len(tiff.series) > 1 else None
            data = _read_by_pillow(path, source) if needs_pillow else tiff.asarray(key=key)
    except InputError:
        raise
    except UNREADABLE_TIFF as error:
        if "imagecodecs" in str(error):
            raise input_error(
                path, f"{error}; install it, or save the image uncompressed in 8, 16 or 32 bits"
            ) from error
        raise input_error(path, f"not a whole TIFF file: {error}") from error
    data = np.asarray(data)
    if data.ndim < 2 or data.size == 0:
        raise input_error(path, f"expected images, got data of shape {data.shape}")
    return TiffImage(data.reshape(-1, *data.shape[-2:]), pixel_size, notes, left)


def _doubts(first: tifffile.TiffPage) -> list[str]:
    """Say what changes the meaning of grey values."""
    notes = []
    if int(first.compression) in _LOSSY:
        notes.append("JPEG compression has changed the noise: use the uncompressed data")
    if int(first.photometric) == _WHITE_IS_ZERO:
        notes.append("0 is white in this TIFF file: grey values are taken as stored, not inverted")
    return notes


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
    if 0 in first.shape:
        raise input_error(path, f"has no pixels: {' x '.join(map(str, first.shape[::-1]))} (x, y)")
    if int(first.photometric) == _PALETTE:
        raise input_error(path, "has colours of a palette, expected grey values")
    if int(first.compression) in _EER:
        raise input_error(
            path, "EER is not read: RELION's relion_convert_to_tiff --eer_grouping N makes TIFF"
        )
    claimed = math.prod(first.shape) * first.dtype.itemsize if first.dtype is not None else 0
    held = tiff.filehandle.size * (_MOST_PACKED if int(first.compression) != 1 else 1)
    if claimed > max(held, _SMALL):
        raise input_error(
            path,
            f"not a whole TIFF file: {first.shape[-1]} x {first.shape[0]} pixels (x, y) of "
            f"{first.dtype} do not fit into its {tiff.filehandle.size} bytes",
        )
    for number, page in enumerate(tiff.pages, start=1):
        colours = (page.keyframe or first).samplesperpixel
        if colours > 1:
            which = f"page {number} " if number > 1 else ""
            # What tifffile makes of an array of three or four images, unless it is told.
            planes = (
                " (of tifffile.imwrite: photometric='minisblack')"
                if int(first.planarconfig) == _PLANES
                else ""
            )
            raise input_error(
                path, f"{which}has {colours} colour channels, expected grey values{planes}"
            )
        if len(page.shape) != 2 or not all(isinstance(side, int) for side in page.shape):
            raise input_error(path, f"not a whole TIFF file: page {number} is no image")
        if (page.shape, page.dtype) != (first.shape, first.dtype):
            (ny, nx), (my, mx) = first.shape, page.shape
            raise input_error(
                path,
                f"page {number} is {mx} x {my} pixels (x, y) of {page.dtype}, page 1 {nx} x {ny} "
                f"of {first.dtype}: give a file with pages of one kind",
            )
    return first


def _read_by_pillow(path: Path, source: io.BytesIO | Path) -> NDArray[np.generic]:
    """Read pages in the compressions that tifffile has no code of its own for."""
    from PIL import Image, ImageSequence, UnidentifiedImageError

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of tags; what is lost of an image raises
            with Image.open(source) as image:
                return np.stack([np.array(page) for page in ImageSequence.Iterator(image)])
    except UnidentifiedImageError:
        raise input_error(
            path, "its compression is not read: save it uncompressed, or with deflate or LZW"
        ) from None


def _pixel_size(tiff: tifffile.TiffFile) -> tuple[float | None, list[str]]:
    """Pixel size in Å from the resolution of the first page; and what of it is not used."""
    # The first page is never one of tifffile's light frames, which have no tags.
    tags = tiff.pages[0].tags  # type: ignore[union-attr]  # pages have tags
    if (resolution := tags.get("XResolution")) is None:
        return None, []
    pixels, units = resolution.value
    word = str((tiff.imagej_metadata or {}).get("unit", "")).replace("\\u00B5", "µ")
    tag = tags.get("ResolutionUnit")
    unit = _ANGSTROM_PER_WORD.get(word) or _ANGSTROM_PER_TAG.get(int(tag.value) if tag else 0)
    if unit is None or not pixels or not units:
        return None, []
    size = unit * units / pixels
    if PIXEL_SIZES[0] <= size <= PIXEL_SIZES[1]:
        return size, []
    return None, [f"resolution of {size:.4g} Å, a printer's"]
