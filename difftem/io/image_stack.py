"""Images in the format that a user wants: MRC, TIFF or zarr."""

import importlib.util
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import ArrayLike, NDArray

from difftem.io.mrc import read_mrc, write_mrc
from difftem.io.tiff import read_tiff
from difftem.io.tiff_write import write_tiff
from difftem.io.zarr import read_zarr, write_zarr

StackFormat = Literal["mrc", "tiff", "zarr"]
SUFFIXES = {"mrc": ".mrc", "tiff": ".tif", "zarr": ".zarr"}

_SERIES = (("tilt_deg", "tilt", "deg"), ("defocus_um", "defocus", "um"))  # attributes of images


def check_format(name: str) -> None:
    """Refuse a format before the work whose result could not be written.

    Parameters
    ----------
    name : str
        Format.

    Raises
    ------
    ValueError
        If it is unknown, or its package is not installed.
    """
    if name not in SUFFIXES:
        raise ValueError(
            f"files.format must be one of {', '.join(get_args(StackFormat))}, got {name}"
        )
    if name == "zarr" and importlib.util.find_spec("zarr") is None:
        raise ValueError("files.format zarr needs the zarr package: pip install 'difftem[zarr]'")


def write_stack(
    path: Path,
    array: ArrayLike,
    pixel_size: float,
    axes: Sequence[str],
    labels: Sequence[str] = (),
    attributes: Mapping[str, Any] | None = None,
) -> None:
    """Write images, real or complex, in the format of a file's suffix.

    ===========  ===================================================================================
    ``.mrc``     float32 (mode 2), complex64 as mode 4
    ``.tif``     float32 as ImageJ has it, each image with its tilt and defocus where these
                 differ; of complex images two channels: real, imaginary part
    ``.zarr``    a folder with one chunk for each image, float32 or complex64
    ===========  ===================================================================================

    Parameters
    ----------
    path : Path
        To write; it must not exist.
    array : array_like
        ``(y, x)`` or ``(n, y, x)``, real or complex; finite.
    pixel_size : float
        Å.
    axes : sequence of str
        Name of each axis of the array, such as ``("tilt", "y", "x")``.
    labels : sequence of str
        ASCII texts about the images.
    attributes : mapping, optional
        What else is known, for formats that keep it: JSON's types.

    Raises
    ------
    InputError
        If the file exists or cannot be written.
    ValueError
        If the data do not fit the format.
    """
    data = np.asarray(array)
    if data.ndim != len(axes):
        raise ValueError(f"axes must name {data.ndim} axes, got {', '.join(axes)}")
    if path.suffix in (SUFFIXES["mrc"], ".mrcs"):
        write_mrc(path, data, pixel_size, labels)
    elif path.suffix == SUFFIXES["tiff"]:
        write_tiff(path, data, pixel_size, labels, slices=_slices(attributes or {}, len(data)))
    else:
        known = {"pixel_size_angstrom": pixel_size, "description": list(labels)}
        write_zarr(path, data, axes, {**known, **(attributes or {})})


def read_stack(path: Path) -> tuple[NDArray[np.generic], float]:
    """Read images that `write_stack` wrote.

    Parameters
    ----------
    path : Path
        Its suffix tells the format.

    Returns
    -------
    images : ndarray
        ``(n, y, x)``.
    pixel_size : float
        Å.

    Raises
    ------
    InputError
        If the file is missing, or not of that format.
    """
    if path.suffix == SUFFIXES["zarr"]:
        images, attributes = read_zarr(path)
        return images.reshape(-1, *images.shape[-2:]), float(attributes["pixel_size_angstrom"])
    if path.suffix == SUFFIXES["tiff"]:
        found = read_tiff(path)
        return found.data, found.pixel_size or 1.0
    image = read_mrc(path)
    return image.data.reshape(-1, *image.data.shape[-2:]), image.voxel_size[0]


def _slices(attributes: Mapping[str, Any], n: int) -> list[str]:
    """Say of each image of a series what it differs by; nothing where that is nothing."""
    differ = [
        (values, name, unit)
        for key, name, unit in _SERIES
        # One number is that of all images.
        if isinstance(values := attributes.get(key), Sequence)
        and len(values) == n
        and len(set(values)) > 1
    ]
    if not differ:
        return []
    return [
        ", ".join(f"{name} {values[i]:g} {unit}" for values, name, unit in differ) for i in range(n)
    ]
