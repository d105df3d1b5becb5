"""TIFF images and stacks as ImageJ writes them."""

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import tifffile
from numpy.typing import ArrayLike

from difftem.io.files import replacing
from difftem.units import angstrom_to_nm

_IMAGEJ_BYTES = 2**32 - 2**20  # ImageJ's files end before 4 GiB; larger ones are BigTIFF


def write_tiff(
    path: Path,
    array: ArrayLike,
    pixel_size: float | None,
    labels: Sequence[str] = (),
    *,
    slices: Sequence[str] = (),
    overwrite: bool = False,
) -> None:
    """Write float32 images as ImageJ does, with the pixel size in nm; beyond 4 GB as BigTIFF.

    Parameters
    ----------
    path : Path
        File to write, in a folder that exists.
    array : array_like
        ``(y, x)`` or ``(n, y, x)``; complex images become two channels, real and imaginary part.
    pixel_size : float or None
        Å; None where it is not known.
    labels : sequence of str
        Texts about the images, in ImageJ's "Show Info".
    slices : sequence of str
        What ImageJ writes above each image of a stack. Default: nothing; the part that it is, of
        complex images.
    overwrite : bool
        Replace a file that exists.

    Raises
    ------
    InputError
        If the file exists and `overwrite` is false, or its folder does not exist.

    Examples
    --------
    >>> from pathlib import Path
    >>> import numpy as np
    >>> import tifffile
    >>> from difftem.io.tiff_write import write_tiff
    >>> write_tiff(Path("counts.tif"), np.ones((3, 4)), pixel_size=1.05)
    >>> with tifffile.TiffFile("counts.tif") as tiff:
    ...     tiff.is_imagej, tiff.imagej_metadata["unit"], tiff.asarray().dtype.name
    (True, 'nm', 'float32')
    """
    data = np.asarray(array)
    axes = "ZYX"[-data.ndim :]
    if np.iscomplexobj(data):
        data, axes = np.stack([data.real, data.imag], -3), axes[:-2] + "CYX"
        slices = ["real part", "imaginary part"] * math.prod(data.shape[:-3])
    data = np.ascontiguousarray(data, dtype=np.float32)
    per_unit = None if pixel_size is None else 1 / angstrom_to_nm(pixel_size)
    with replacing(path, overwrite) as temporary:
        if data.nbytes <= _IMAGEJ_BYTES:
            metadata: dict[str, Any] = {"axes": axes, "Info": "\n".join(labels)}
            metadata |= {} if per_unit is None else {"unit": "nm"}
            metadata |= {"Labels": list(slices)} if slices else {}
            resolution = None if per_unit is None else (per_unit, per_unit)
            tifffile.imwrite(temporary, data, imagej=True, resolution=resolution, metadata=metadata)
        else:
            resolution = None if per_unit is None else (per_unit * 1e7, per_unit * 1e7)
            tifffile.imwrite(
                temporary,
                data,
                bigtiff=True,
                photometric="minisblack",
                resolution=resolution,
                resolutionunit=None if per_unit is None else "CENTIMETER",
                description="\n".join(labels),
                metadata=None,
            )
