"""The file of a volume: its name, the order of its axes, what is refused before the work."""

import os
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from difftem.io.errors import input_error
from difftem.io.mrc import write_mrc
from difftem.io.volume import ORDERS, to_imod
from difftem.workflows.reconstruct.options import Axes

SUFFIXES = (".mrc", ".rec", ".map")
DEFAULT_NAME = "volume.mrc"


def volume_files(path: Path) -> dict[str, Path]:
    """Names of all files, by what they hold; of a folder those of ``volume.mrc`` in it."""
    path = path / DEFAULT_NAME if path.is_dir() else path
    return {
        "volume": path,
        "panel": path.with_suffix(".png"),
        "record": path.with_suffix(".json"),
    }


def check_volume_output(path: Path, overwrite: bool) -> None:
    """Refuse an output before the work that would be refused after it.

    Parameters
    ----------
    path : Path
        Volume to write, or a folder.
    overwrite : bool
        Replace files that exist.

    Raises
    ------
    InputError
        If a file exists and `overwrite` is false, the folder does not exist, or the suffix is
        that of no volume.
    """
    if not path.is_dir() and path.suffix.lower() not in SUFFIXES:
        raise input_error(path, f"the name of a volume must end in one of {' '.join(SUFFIXES)}")
    folder = path if path.is_dir() else path.parent
    if not folder.is_dir():
        raise input_error(path, f"there is no folder {folder}")
    if not os.access(folder, os.W_OK):
        raise input_error(path, f"the folder {folder} cannot be written")
    for each in volume_files(path).values():
        if each.is_dir():
            raise input_error(each, "is a folder, expected a file name")
        if each.exists() and not overwrite:
            raise input_error(each, "exists already; --overwrite (overwrite=True) replaces it")


def in_file_order(
    volume: Tensor,  # (z, y, x)
    axes: Axes,
) -> NDArray[np.float32]:
    """Turn a volume as its file is to have it: always turned, never mirrored.

    Parameters
    ----------
    volume : Tensor
        ``(z, y, x)``.
    axes : {"imod", "zyx"}
        ``zyx``: sections along z, as it is. ``imod``: sections along y, rows along -z, columns
        along x, which is the volume turned by 90° about x, as IMOD's tilt leaves it: ``trimvol
        -rx`` turns it back.

    Returns
    -------
    ndarray
        Sections, rows, columns.
    """
    array = volume.float().cpu().numpy()
    if axes == "imod":
        array = to_imod(array)
    return np.ascontiguousarray(array)


def write_volume(path: Path, volume: Tensor, voxel_size: float | None, axes: Axes) -> None:
    """Write a volume; the file's origin is where its first voxel lies from the middle, in Å.

    Parameters
    ----------
    path : Path
        To write; replaced.
    volume : Tensor
        ``(z, y, x)``.
    voxel_size : float or None
        Å.
    axes : {"imod", "zyx"}
        Order in the file.
    """
    nz, ny, nx = volume.shape
    x, y, z = -(nx // 2), -(ny // 2), -(nz // 2)
    first = (x, -(nz - 1 + z), y) if axes == "imod" else (x, y, z)
    size = voxel_size or 0.0
    write_mrc(
        path,
        in_file_order(volume, axes),
        voxel_size,
        ["difftem reconstruct", f"{ORDERS[axes]}; tilt axis y, beam z"],
        overwrite=True,
        is_volume=True,
        origin=(first[0] * size, first[1] * size, first[2] * size),
    )
