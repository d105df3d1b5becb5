"""One image file: its frames, and what its header says."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from difftem.io.acquisition import read_acquisition
from difftem.io.checks import check_values, unwrap
from difftem.io.errors import input_error
from difftem.io.mrc import read_mrc
from difftem.io.tiff import TIFF_SUFFIXES, read_tiff


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
    suffix = path.suffix.lower()
    if suffix in {".dm3", ".dm4"}:
        raise input_error(path, "DM files are not read: export the image as TIFF or MRC")
    pixel_size: float | None
    if suffix in TIFF_SUFFIXES:
        if not path.is_file():
            raise input_error(path, "no such file")
        data, pixel_size = read_tiff(path)
    else:
        image = read_mrc(path)
        x, y, _ = image.voxel_size
        if abs(x - y) > 0.01 * max(x, y):
            raise input_error(path, f"pixels are not square: {x:g} x {y:g} Å")
        data, pixel_size = image.data, x or None
    data, notes = unwrap(data.reshape(-1, *data.shape[-2:]))
    notes += check_values(path, data)
    acquisition = read_acquisition(path)
    return Frames(
        path,
        data,
        acquisition.pixel_size if pixel_size is None else pixel_size,
        acquisition.dose_e_per_a2,
        notes,
    )
