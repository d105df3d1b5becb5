"""Size of the data of an MRC file, and values that share a byte."""

import bz2
import gzip
import math
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from difftem.io.errors import input_error
from difftem.io.mrc_header import PACKED

_BYTES = 1024
_BYTES_OF = {0: 1, 1: 2, 2: 4, 4: 8, 6: 2, 12: 2}  # a value, by mode
_NSYMBT_AT, _MAP_AT, _STAMP_AT = 92, 208, 212
_MOST_PACKED = {b"\x1f\x8b": 1100, b"BZ": 100_000}  # by gzip and bzip2


def check_extended(path: Path) -> None:
    """Refuse an extended header that the file cannot hold, before memory is taken for it.

    Parameters
    ----------
    path : Path
        File, also packed by gzip or bzip2.

    Raises
    ------
    InputError
        If it would be longer than the file.
    """
    start, order = _start(path)
    claimed = int.from_bytes(start[_NSYMBT_AT : _NSYMBT_AT + 4], order, signed=True)
    if claimed > _most_bytes(path):
        if start[_MAP_AT : _MAP_AT + 3] != b"MAP":
            raise input_error(path, "not a whole MRC file: Map ID string not found")
        raise input_error(path, f"not a whole MRC file: an extended header of {claimed} bytes")


def count_values(path: Path) -> int:
    """Count the values that a header claims, also of a packed file; 0 if it cannot hold them."""
    start, order = _start(path)
    sides = [int.from_bytes(start[at : at + 4], order, signed=True) for at in (0, 4, 8)]
    claimed = math.prod(sides)  # of half a byte at least
    return claimed if min(sides) > 0 and claimed <= 2 * _most_bytes(path) else 0


def check_size(path: Path, header: np.generic) -> None:
    """Refuse a header that claims more values than the file can hold, before memory is taken.

    Parameters
    ----------
    path : Path
        File, also packed by gzip or bzip2.
    header : numpy record
        Of mrcfile, of a mode that is read.

    Raises
    ------
    InputError
        If a side is not positive, or the file is too short.
    """
    record = np.asarray(header)
    nx, ny, nz, extended = (int(record[name]) for name in ("nx", "ny", "nz", "nsymbt"))
    if min(nx, ny, nz) < 1 or extended < 0:
        raise input_error(path, f"not a whole MRC file: {nx} x {ny} x {nz} values")
    mode = int(record["mode"])
    row = (nx + 1) // 2 if mode == PACKED else nx * _BYTES_OF[mode]
    held = _most_bytes(path) - _BYTES - extended
    if row * ny * nz > held:
        raise input_error(
            path,
            f"not a whole MRC file: Expected {row * ny * nz} bytes in data block but it holds "
            f"{max(held, 0)} at most",
        )


def read_packed(path: Path, header: np.generic) -> NDArray[np.generic]:  # (z, y, x) or (y, x)
    """Read values of 4 bits, the left pixel of a pair in the lower ones (mode 101).

    Parameters
    ----------
    path : Path
        File, also packed by gzip or bzip2.
    header : numpy record
        Of mrcfile.

    Returns
    -------
    ndarray
        Unsigned bytes of 0 to 15, as sections, rows and columns.

    Raises
    ------
    InputError
        If the file is too short.
    """
    record = np.asarray(header)
    nx, ny, nz, extended = (int(record[name]) for name in ("nx", "ny", "nz", "nsymbt"))
    row = (nx + 1) // 2
    expected = nz * ny * row
    with _open(path) as unpacked:
        unpacked.seek(_BYTES + extended)
        content = unpacked.read(expected)
    if len(content) < expected:
        raise input_error(
            path, f"not a whole MRC file: expected {expected} bytes of data, got {len(content)}"
        )
    packed = np.frombuffer(content, np.uint8).reshape(nz, ny, row)
    values = np.stack([packed & 15, packed >> 4], -1).reshape(nz, ny, 2 * row)[..., :nx]
    return values[0] if nz == 1 else values


def _start(path: Path) -> tuple[bytes, Literal["little", "big"]]:
    """Read a header, and the order of its bytes."""
    with _open(path) as file:
        start: bytes = file.read(_BYTES)
    return start, "big" if start[_STAMP_AT : _STAMP_AT + 1] == b"\x11" else "little"


def _open(path: Path) -> Any:
    """Open a file, packed or not, to read bytes."""
    opened: dict[bytes, Callable[[Path], Any]] = {b"\x1f\x8b": gzip.open, b"BZ": bz2.open}
    return opened.get(_magic(path), partial(Path.open, mode="rb"))(path)


def _magic(path: Path) -> bytes:
    """First two bytes."""
    with path.open("rb") as file:
        return file.read(2)


def _most_bytes(path: Path) -> int:
    """Bytes that a file can hold at most."""
    return path.stat().st_size * _MOST_PACKED.get(_magic(path), 1)
