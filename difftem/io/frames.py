"""One image file: its frames, and what its header says."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from difftem.io.account import counted, give_account
from difftem.io.acquisition import read_acquisition
from difftem.io.checks import check_values, unwrap
from difftem.io.errors import input_error
from difftem.io.files import check_regular, unpacked_suffix
from difftem.io.mrc import read_mrc
from difftem.io.tiff import PIXEL_SIZES, TIFF_SUFFIXES, read_tiff

_PICTURE = "a picture for the eye, not the counts of a camera"
# What is not read, by its suffix, and why.
_NO_IMAGES = {
    ".png": _PICTURE,
    ".jpg": _PICTURE,
    ".jpeg": _PICTURE,
    ".gif": _PICTURE,
    ".bmp": _PICTURE,
    ".star": "a STAR file holds tables, not images",
    ".csv": "a table, not an image",
}


@dataclass(frozen=True, eq=False)
class Frames:
    """Contents of an image file.

    Attributes
    ----------
    path : Path
        Where it came from.
    data : ndarray
        ``(n, y, x)``, one or several frames or exposures; NaN where the file has it.
    pixel_size : float or None
        Å, from the header.
    dose_e_per_a2 : float or None
        From the header.
    notes : list of str
        What is doubtful, one line each, without the name of the file.
    """

    path: Path
    data: NDArray[np.generic]
    pixel_size: float | None
    dose_e_per_a2: float | None
    notes: list[str]


def read_frames(path: str | Path) -> Frames:
    """Read a micrograph, a stack of exposures or a movie: MRC (also packed) or TIFF.

    Signed integers written for unsigned ones, and the reverse, are recognised and put right.

    Parameters
    ----------
    path : str or Path
        ``.mrc``, ``.mrcs``, ``.st`` (also ``.gz``, ``.bz2``) or ``.tif``, ``.tiff``. DM3 and DM4:
        export them as TIFF.

    Returns
    -------
    Frames
        Frames and facts.

    Raises
    ------
    InputError
        If the file is missing, cannot be read, or holds no image with information.
    """
    path = Path(path)
    suffix = unpacked_suffix(path)
    if suffix in {".dm3", ".dm4"}:
        raise input_error(path, "DM files are not read: export the image as TIFF or MRC")
    if suffix in _NO_IMAGES:
        raise input_error(check_regular(path), f"{_NO_IMAGES[suffix]}; expected MRC or TIFF")
    found = _read_tiff(path) if suffix in TIFF_SUFFIXES else _read_mrc(path)
    pixel_size = found.pixel_size
    data, notes = unwrap(found.data.reshape(-1, *found.data.shape[-2:]))
    notes += found.notes
    notes += check_values(path, data)
    acquisition = read_acquisition(path)
    source = found.source
    if pixel_size is None and acquisition.pixel_size is not None:
        pixel_size, source = acquisition.pixel_size, acquisition.source
    taken = [
        counted(len(data), "image"),
        f"{data.shape[2]} x {data.shape[1]} pixels (x, y)",
        found.kind,
        "no pixel size" if pixel_size is None else f"{pixel_size:.4g} Å ({source})",
        f"values {float(np.nanmin(data)):.4g} to {float(np.nanmax(data)):.4g}",
    ]
    if acquisition.dose_e_per_a2 is not None:
        taken.append(f"{acquisition.dose_e_per_a2:.4g} e/Å² ({acquisition.source})")
    give_account(path, taken, found.left)
    return Frames(path, data, pixel_size, acquisition.dose_e_per_a2, notes)


@dataclass(frozen=True, eq=False)
class _FileContents:
    """What a file holds, whatever its format."""

    data: NDArray[np.generic]
    pixel_size: float | None
    source: str
    kind: str
    notes: list[str]
    left: list[str]


def _read_tiff(path: Path) -> _FileContents:
    """Pages of a TIFF file."""
    image = read_tiff(check_regular(path))
    kind = f"{image.data.dtype} (TIFF)"
    return _FileContents(
        image.data, image.pixel_size, "resolution tag", kind, image.notes, image.left
    )


def _read_mrc(path: Path) -> _FileContents:
    """Sections of an MRC file."""
    image = read_mrc(path)
    header, left = image.header, list(image.complaints)
    if header.extended and not header.extended.startswith("FEI"):
        left.append(f"extended header {header.extended}")
    if header.axes[2] != 3:
        order = " ".join("xyz"[axis - 1] for axis in header.axes)
        raise input_error(
            path,
            f"columns, rows and sections run along {order}: a volume on its side is no stack of "
            "images",
        )
    x, y, _ = image.voxel_size
    if abs(x - y) > 0.01 * max(x, y):
        raise input_error(path, f"pixels are not square: {x:g} x {y:g} Å")
    pixel_size: float | None = x or None
    low, high = PIXEL_SIZES
    if pixel_size is not None and not low <= pixel_size <= high:
        left.append(f"pixel size of {pixel_size:g} Å, outside of {low:g} to {high:g} Å")
        pixel_size = None
    kind = ", ".join(
        filter(None, (f"{image.data.dtype} (MRC mode {header.mode})", image.reordered))
    )
    return _FileContents(image.data, pixel_size, "header", kind, [], left)
