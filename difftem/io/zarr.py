"""Arrays in zarr, as dask, xarray, napari and abTEM's users read them."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from difftem.io.errors import input_error


def write_zarr(
    path: Path,
    array: ArrayLike,
    axes: Sequence[str],
    attributes: Mapping[str, Any],
) -> None:
    """Write an array as a zarr folder (format 2, which zarr 2 and 3 read).

    Parameters
    ----------
    path : Path
        Folder to make; it must not exist.
    array : array_like
        Real or complex, written as float32 or complex64; each image of the last two axes is a
        chunk.
    axes : sequence of str
        Name of each axis, kept as ``_ARRAY_DIMENSIONS`` for xarray.
    attributes : mapping
        JSON's types.

    Raises
    ------
    InputError
        If the folder exists or cannot be written.
    """
    import zarr  # optional, and slow to load

    if path.exists():
        raise input_error(path, "exists already; --overwrite (overwrite=True) replaces it")
    data = np.asarray(array)
    data = data.astype(np.complex64 if np.iscomplexobj(data) else np.float32)
    try:
        made = zarr.create_array(
            store=str(path),
            shape=data.shape,
            dtype=data.dtype,
            chunks=(1,) * (data.ndim - 2) + data.shape[-2:],
            zarr_format=2,
            attributes={"_ARRAY_DIMENSIONS": list(axes), **attributes},
        )
        made[...] = data
    except OSError as error:
        raise input_error(path, f"cannot be written: {error.strerror or error}") from error


def read_zarr(path: Path) -> tuple[NDArray[np.generic], dict[str, Any]]:
    """Read an array and its attributes.

    Parameters
    ----------
    path : Path
        Folder of one array.

    Returns
    -------
    array : ndarray
        All of it.
    attributes : dict
        As written.

    Raises
    ------
    InputError
        If there is no such array.
    """
    import zarr  # optional, and slow to load

    try:
        opened = zarr.open_array(str(path), mode="r")
        return np.asarray(opened[...]), dict(opened.attrs)
    except (OSError, ValueError, KeyError) as error:
        raise input_error(path, f"not an array of zarr: {error}") from error
