"""Maps of a potential as files."""

import math
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from torch import Tensor

from difftem.io.errors import input_error
from difftem.io.files import read_bytes
from difftem.io.mrc import read_mrc
from difftem.tem_simulator.files.array_file import Layout, checked_array, clipped, write_array

MILLIVOLT = 1e-3  # V
_TOLERANCE = 0.01  # of voxel sizes


@dataclass(frozen=True, eq=False)
class PotentialMap:
    """Potential on a grid of cubes.

    Attributes
    ----------
    potential : Tensor
        V, float32, shape ``(z, y, x)``.
    voxel_size : float
        Å.
    notes : list of str
        What a user should know.
    """

    potential: Tensor
    voxel_size: float
    notes: list[str] = field(default_factory=list)


def write_map(
    path: str | Path,
    potential: ArrayLike | Tensor,  # (z, y, x) V
    voxel_size: float,  # Å
    *,
    file_format: str = "mrc",
    byte_order: str = "native",
    axis_order: str = "xyz",
) -> list[str]:
    """Write a potential as TEM-simulator does, all of it or nothing.

    Parameters
    ----------
    path : str or Path
        File to write (``map_file_re_out`` or ``map_file_im_out``), in a folder that exists; it
        is replaced if it is there.
    potential : array_like or Tensor
        V, shape ``(z, y, x)``.
    voxel_size : float
        Å.
    file_format : str
        ``mrc`` (mode 2, V), ``mrc-int`` (mode 1, rounded to mV) or ``raw`` (V).
    byte_order : str
        ``native``, ``be`` or ``le``.
    axis_order : str
        Fastest axis first, a permutation of ``xyz``.

    Returns
    -------
    list of str
        A note if values were clipped to 16 bits.

    Raises
    ------
    InputError
        If its folder does not exist.
    ValueError
        If the potential is not finite.
    """
    layout = Layout(file_format, byte_order, axis_order)
    data = checked_array(potential)
    unit = "V"
    notes: list[str] = []
    if file_format == "mrc-int":
        data, notes = clipped(np.rint(data / MILLIVOLT))
        unit = "mV"
    labels = ["Created by difftem", f"Potential in {unit}"]
    write_array(path, data, layout, voxel_size, labels)
    return notes


def read_map(
    path: str | Path,
    *,
    file_format: str = "mrc",
    byte_order: str = "native",
    axis_order: str = "xyz",
    size: tuple[int, int, int] | None = None,
    voxel_size: float | None = None,
) -> PotentialMap:
    """Read a potential: MRC in V (floats) or mV (16-bit integers), or raw floats in V.

    An MRC file itself says its type, its byte order and the order of its axes.

    Parameters
    ----------
    path : str or Path
        File to read.
    file_format : str
        ``mrc``, ``mrc-int`` or ``raw``.
    byte_order, axis_order : str
        Of a raw file.
    size : tuple of int, optional
        nx, ny, nz of a raw file.
    voxel_size : float, optional
        Å. Without it, that of the header.

    Returns
    -------
    PotentialMap
        With a note if `voxel_size` is more than 1 % from that of the header.

    Raises
    ------
    InputError
        If the file is not a whole map, or nothing says its voxel size.
    """
    path = Path(path)
    layout = Layout(file_format, byte_order, axis_order)
    if file_format == "raw":
        if size is None or voxel_size is None:
            raise input_error(path, "nx, ny, nz and voxel_size of a raw map are needed")
        data = _read_raw(path, layout, size)
        return PotentialMap(_finite(path, data), voxel_size)
    mrc = read_mrc(path)
    if mrc.data.dtype == np.int16:
        data = mrc.data.astype(np.float32) * np.float32(MILLIVOLT)
    elif mrc.data.dtype.kind == "f":
        data = mrc.data.astype(np.float32)
    else:
        raise input_error(
            path, f"a map must be of mode 1 (mV) or 2 (V), this one holds {mrc.data.dtype}"
        )
    if data.ndim not in (2, 3):
        raise input_error(path, f"a map must be three-dimensional, got {data.shape}")
    data = data[None] if data.ndim == 2 else data
    notes: list[str] = []
    used = _voxel_size(path, mrc.voxel_size, voxel_size, notes)
    return PotentialMap(_finite(path, data), used, notes)


def _read_raw(path: Path, layout: Layout, size: tuple[int, int, int]) -> NDArray[np.generic]:
    """Numbers of a raw file as (z, y, x)."""
    data = read_bytes(path)
    expected = math.prod(size) * layout.dtype.itemsize
    if len(data) != expected:
        shape = " x ".join(map(str, size))
        raise input_error(path, f"{shape} voxels are {expected} bytes, got {len(data)}")
    shape_in_file = [size["xyz".index(axis)] for axis in reversed(layout.axis_order)]
    return layout.from_file(np.frombuffer(data, layout.dtype).reshape(shape_in_file))


def _voxel_size(
    path: Path, header: tuple[float, float, float], given: float | None, notes: list[str]
) -> float:
    """Side of a voxel in Å, as given or from the header."""
    known = all(math.isfinite(side) and side > 0 for side in header)
    if not known:
        if given is None:
            raise input_error(path, "the header has no voxel size, give voxel_size")
        return given
    if given is None:
        if max(header) > (1 + _TOLERANCE) * min(header):
            sides = " x ".join(f"{side:g}" for side in header)
            raise input_error(path, f"voxels must be cubes, the header says {sides} Å")
        return header[0]
    if any(abs(side - given) > _TOLERANCE * given for side in header):
        sides = " x ".join(f"{side:g}" for side in dict.fromkeys(header))
        notes.append(f"{path.name}: voxel size {given:g} Å is used, the header says {sides} Å")
    return given


def _finite(path: Path, data: NDArray[np.generic]) -> Tensor:
    """Tensor of a map without NaN or infinity."""
    native = np.ascontiguousarray(data, dtype=np.float32)
    if not np.isfinite(native).all():
        raise input_error(
            path, f"map must be finite, has {(~np.isfinite(native)).sum()} bad values"
        )
    return torch.from_numpy(native.copy() if not native.flags.writeable else native)
