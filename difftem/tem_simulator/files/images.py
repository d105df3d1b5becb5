"""Tilt series of a detector as a file."""

from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike
from torch import Tensor

from difftem.tem_simulator.files.array_file import Layout, checked_array, clipped, write_array


def write_tilt_series(
    path: str | Path,
    images: ArrayLike | Tensor,  # (n_tilts, y, x)
    pixel_size: float,  # Å
    angles_deg: ArrayLike | Tensor,  # (n_tilts,)
    tilt_axis_deg: float = 0.0,
    *,
    file_format: str = "mrc",
    byte_order: str = "native",
    axis_order: str = "xy",
) -> list[str]:
    """Write the images of all tilts as TEM-simulator does, all of them or nothing.

    The header holds the tilt angles (2 bytes each, as SerialEM's) and the angle of the tilt axis
    from the y axis, where IMOD looks for them.

    Parameters
    ----------
    path : str or Path
        File to write (``image_file_out``), in a folder that exists; it is replaced if it is there.
    images : array_like or Tensor
        Grey values, shape ``(n_tilts, y, x)``; row 0 has the smallest y.
    pixel_size : float
        At the sample, Å.
    angles_deg : array_like or Tensor
        Tilt angles, degrees, shape ``(n_tilts,)``.
    tilt_axis_deg : float
        Angle of the tilt axis from x, degrees.
    file_format : str
        ``mrc`` (mode 2), ``mrc-int`` (mode 1; what is behind the point is cut off) or ``raw``.
    byte_order : str
        ``native``, ``be`` or ``le``.
    axis_order : str
        Fastest axis first, ``xy`` or ``yx``.

    Returns
    -------
    list of str
        A note if grey values were clipped to 16 bits.

    Raises
    ------
    InputError
        If its folder does not exist.
    ValueError
        If the images are not finite or the angles are not as many.
    """
    layout = Layout(file_format, byte_order, axis_order + "z")
    data = checked_array(images)
    listed = angles_deg.tolist() if isinstance(angles_deg, Tensor) else angles_deg
    angles = np.atleast_1d(np.asarray(listed, dtype=np.float64))
    if angles.shape != data.shape[:1] or not np.isfinite(angles).all():
        raise ValueError(f"angles_deg must be {len(data)} finite angles, got {angles.tolist()}")
    notes: list[str] = []
    if file_format == "mrc-int":
        data, notes = clipped(np.trunc(data))
    # As C's "%.2f" would: an axis along x is at -90 degrees.
    labels = [
        "Created by difftem",
        f"          Tilt axis rotation angle = {tilt_axis_deg - 90:.2f}",
    ]
    write_array(path, data, layout, pixel_size, labels, tilts_deg=angles)
    return notes
