"""Arrays as TEM-simulator stores them: MRC or raw, either byte order, any order of axes."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import mrcfile
import numpy as np
from numpy.typing import ArrayLike, NDArray
from torch import Tensor

from difftem.io.files import replacing

_BYTE_ORDERS = {"native": "=", "be": ">", "le": "<"}
_FORMATS = ("mrc", "mrc-int", "raw")
_INT16 = np.iinfo(np.int16)
_SERIALEM = slice(16, 20)  # of extra2: bytes per section, and a bit for each thing stored in them


@dataclass(frozen=True)
class Layout:
    """How an array lies in a file.

    Attributes
    ----------
    file_format : str
        ``mrc`` (32-bit floats), ``mrc-int`` (16-bit integers) or ``raw`` (32-bit floats alone).
    byte_order : str
        ``native``, ``be`` (most significant byte first) or ``le``.
    axis_order : str
        Fastest axis first, a permutation of ``xyz``.
    """

    file_format: str = "mrc"
    byte_order: str = "native"
    axis_order: str = "xyz"

    def __post_init__(self) -> None:
        if self.file_format not in _FORMATS:
            raise ValueError(f"file_format must be {' or '.join(_FORMATS)}, got {self.file_format}")
        if self.byte_order not in _BYTE_ORDERS:
            raise ValueError(f"byte_order must be native, be or le, got {self.byte_order}")
        if sorted(self.axis_order) != ["x", "y", "z"]:
            raise ValueError(f"axis_order must be a permutation of xyz, got {self.axis_order}")

    @property
    def dtype(self) -> np.dtype[np.generic]:
        """Type of a number in the file."""
        kind = "i2" if self.file_format == "mrc-int" else "f4"
        return np.dtype(_BYTE_ORDERS[self.byte_order] + kind)

    def to_file(self, array: NDArray[Any]) -> NDArray[Any]:
        """Turn the axes (z, y, x) into those of the file."""
        return array.transpose(["zyx".index(axis) for axis in reversed(self.axis_order)])

    def from_file(self, array: NDArray[Any]) -> NDArray[Any]:
        """Turn the axes of the file into (z, y, x)."""
        return array.transpose([self.axis_order[::-1].index(axis) for axis in "zyx"])


def checked_array(array: ArrayLike | Tensor) -> NDArray[Any]:  # (z, y, x)
    """Check an array that is to be written, and bring it to the CPU.

    Raises
    ------
    ValueError
        If it is not three-dimensional, is empty or has values that are not finite.
    """
    data = array.detach().cpu().numpy() if isinstance(array, Tensor) else np.asarray(array)
    if data.ndim != 3 or 0 in data.shape:
        raise ValueError(f"array must be (z, y, x) and not empty, got {data.shape}")
    if not np.isfinite(data).all():
        raise ValueError(f"array must be finite, got {(~np.isfinite(data)).sum()} bad values")
    return data


def clipped(array: NDArray[Any]) -> tuple[NDArray[Any], list[str]]:
    """Limit whole numbers to those of 16 bits, and say how many were beyond."""
    beyond = int(((array < _INT16.min) | (array > _INT16.max)).sum())
    if beyond == 0:
        return array, []
    note = f"{beyond} of {array.size} values are beyond 16 bits and are clipped"
    return np.clip(array, _INT16.min, _INT16.max), [note]


def write_array(
    path: str | Path,
    array: NDArray[Any],  # (z, y, x)
    layout: Layout,
    voxel_size: float,  # Å
    labels: Sequence[str],
    *,
    tilts_deg: NDArray[np.float64] | None = None,  # (z,)
) -> None:
    """Write an array as a file of TEM-simulator, all of it or nothing.

    The same input gives the same bytes: no date is written.

    Parameters
    ----------
    path : str or Path
        File to write, in a folder that exists; it is replaced if it is there.
    array : ndarray
        Finite numbers that the type of the file holds, shape ``(z, y, x)``.
    layout : Layout
        Format, byte order and axis order.
    voxel_size : float
        Å; the cell is this times the number of voxels along each axis.
    labels : sequence of str
        At most 10 ASCII texts of at most 80 characters.
    tilts_deg : ndarray, optional
        Marks a stack of images; the angles go into the extended header as SerialEM's: 2 bytes
        per image, in 0.01 degrees.

    Raises
    ------
    InputError
        If its folder does not exist.

    References
    ----------
    Cheng et al., J. Struct. Biol. 192 (2015) 146.
    """
    if not (np.isfinite(voxel_size) and voxel_size > 0):
        raise ValueError(f"voxel_size must be positive, got {voxel_size} Å")
    data = np.ascontiguousarray(layout.to_file(array), dtype=layout.dtype)
    with replacing(Path(path), overwrite=True) as temporary:
        if layout.file_format == "raw":
            data.tofile(temporary)
            return
        with mrcfile.new(temporary, overwrite=True) as mrc:
            mrc.set_data(data)
            header = mrc.header
            if tilts_deg is not None:
                mrc.set_image_stack()
                _set_tilts(mrc, tilts_deg, data.dtype)
            header.mz, header.my, header.mx = array.shape
            header.mapc, header.mapr, header.maps = (
                "xyz".index(axis) + 1 for axis in layout.axis_order
            )
            mrc.voxel_size = voxel_size
            header.label[:] = b""  # mrcfile's own label holds the time
            for index, label in enumerate(labels):
                header.label[index] = label.encode("ascii")
            header.nlabl = len(labels)


def _set_tilts(
    mrc: mrcfile.mrcfile.MrcFile, tilts_deg: NDArray[np.float64], dtype: np.dtype[np.generic]
) -> None:
    """Write tilt angles into the extended header."""
    hundredths = np.rint(100 * tilts_deg)
    turns = np.where(np.abs(hundredths) > _INT16.max, np.rint(hundredths / 36000), 0)
    short = np.dtype("i2").newbyteorder(dtype.byteorder)
    mrc.set_extended_header((hundredths - 36000 * turns).astype(short).view("V1"))
    mrc.header.exttyp = b"SERI"
    extra = bytearray(mrc.header.extra2.tobytes())
    extra[_SERIALEM] = np.array([2, 1], dtype=short).tobytes()
    mrc.header.extra2 = np.void(bytes(extra))
