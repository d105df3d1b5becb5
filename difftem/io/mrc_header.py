"""What an MRC header says beyond size and voxels: axes, start, signs of bytes."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from difftem.io.errors import input_error

PACKED = 101  # two 4-bit values in a byte
_READ = (0, 1, 2, 4, 6, 12, PACKED)
_NAMES = {3: "complex 16-bit integers", 16: "RGB"}
# IMOD's own words, in the part that the format leaves to programs.
_IMOD_STAMP, _STAMP_AT, _FLAGS_AT = 1146047817, 152, 156
_SIGNED_BYTES, _TWO_IN_A_BYTE = 1, 16


@dataclass(frozen=True)
class MrcHeader:
    """Facts of a header, by axes x, y, z.

    Attributes
    ----------
    mode : int
        Type of the values.
    axes : tuple of int
        Which axis columns, rows and sections run along: 1 is x, 2 y, 3 z.
    nstart : tuple of int
        First voxel along x, y, z in the unit cell.
    origin : tuple of float
        Of x, y, z in Å.
    angles : tuple of float
        Of the unit cell in degrees.
    space_group : int
        0 for images.
    unsigned_bytes : bool
        IMOD says that bytes (mode 0) have no sign.
    extended : str
        Type and size of what follows the header; empty where nothing does.
    labels : tuple of str
        Texts that programs have left, trailing spaces cut.
    """

    mode: int
    axes: tuple[int, int, int]
    nstart: tuple[int, int, int]
    origin: tuple[float, float, float]
    angles: tuple[float, float, float]
    space_group: int
    unsigned_bytes: bool
    extended: str
    labels: tuple[str, ...] = ()


def parse_header(path: Path, header: np.generic) -> MrcHeader:
    """Take the facts out of a header as mrcfile has it.

    Parameters
    ----------
    path : Path
        For messages.
    header : numpy record
        Of mrcfile, in the byte order of the file.

    Returns
    -------
    MrcHeader
        MAPC, MAPR, MAPS of 0 0 0, as old programs leave them, are 1 2 3.

    Raises
    ------
    InputError
        If the axes are no permutation, or the mode is none that is read.

    References
    ----------
    Cheng et al., J. Struct. Biol. 192 (2015) 146; IMOD's mrc_format.txt.
    """
    record = np.asarray(header)
    stored = tuple(int(record[name]) for name in ("mapc", "mapr", "maps"))
    mode, is_named = int(record["mode"]), record["map"].item().strip() == b"MAP"
    columns, rows, sections = (1, 2, 3) if stored == (0, 0, 0) else stored
    if not is_named and (sorted((columns, rows, sections)) != [1, 2, 3] or mode not in _READ):
        raise input_error(path, "not a whole MRC file: Map ID string not found")
    if sorted((columns, rows, sections)) != [1, 2, 3]:
        raise input_error(
            path,
            f"MAPC, MAPR, MAPS are {stored[0]} {stored[1]} {stored[2]}, expected 1 2 3 in some "
            "order (x, y, z) or 0 0 0",
        )
    axes = columns, rows, sections
    start = [int(record[name]) for name in ("nxstart", "nystart", "nzstart")]
    order = record.dtype["nx"].byteorder
    raw = record.tobytes()
    stamp, flags = (
        int(np.frombuffer(raw, np.dtype("i4").newbyteorder(order), 1, at)[0])
        for at in (_STAMP_AT, _FLAGS_AT)
    )
    flags = flags if stamp == _IMOD_STAMP else _SIGNED_BYTES
    if mode == 0 and flags & _TWO_IN_A_BYTE:
        raise input_error(
            path,
            "bytes that hold two 4-bit values each (IMOD's flag 16): IMOD's 'newstack -mode 1' "
            "unpacks them",
        )
    if mode not in _READ:
        name = f" ({_NAMES[mode]})" if mode in _NAMES else ""
        known = ", ".join(map(str, _READ))
        raise input_error(path, f"MRC mode {mode}{name} is not read, only {known}")
    x, y, z = (float(record["origin"][axis]) for axis in "xyz")
    alpha, beta, gamma = (float(record["cellb"][name]) for name in ("alpha", "beta", "gamma"))
    return MrcHeader(
        mode,
        axes,
        (start[axes.index(1)], start[axes.index(2)], start[axes.index(3)]),
        (x, y, z),
        (alpha, beta, gamma),
        int(record["ispg"]),
        not flags & _SIGNED_BYTES,
        _extended(record),
        _labels(record),
    )


def _extended(record: NDArray[np.void]) -> str:
    """Type and size of an extended header."""
    size, kind = int(record["nsymbt"]), record["exttyp"].item()
    if size <= 0:
        return ""
    name = kind.decode("ascii", "replace").strip()
    return f"{name} of {size} bytes" if name.isalnum() else f"of {size} bytes"


def _labels(record: NDArray[np.void]) -> tuple[str, ...]:
    """Texts of a header, however many it says there are."""
    texts = (each.decode("ascii", "replace").strip(" \0") for each in record["label"].tolist())
    return tuple(filter(None, texts))


def to_zyx(
    data: NDArray[np.generic],  # (..., sections, rows, columns) or (rows, columns)
    axes: tuple[int, int, int],
) -> NDArray[np.generic]:  # (..., z, y, x), or (y, x) of an image
    """Bring sections, rows and columns into the order z, y, x.

    Parameters
    ----------
    data : ndarray
        As the file has it.
    axes : tuple of int
        Of `MrcHeader`.

    Returns
    -------
    ndarray
        Contiguous; an image that is one in x and y stays two-dimensional.
    """
    if axes == (1, 2, 3):
        return data
    stacked = data[None] if data.ndim == 2 else data
    leading = stacked.ndim - 3
    in_file = axes[::-1]  # axis of each dimension
    order = [*range(leading), *(leading + in_file.index(axis) for axis in (3, 2, 1))]
    turned = np.ascontiguousarray(stacked.transpose(order))
    return turned[0] if data.ndim == 2 and len(turned) == 1 else turned
