"""MRC images, stacks and volumes, and the tilt angles beside a stack."""

import math
import warnings
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import mrcfile
import numpy as np
from numpy.typing import ArrayLike, NDArray

from difftem.io.errors import InputError, input_error
from difftem.io.files import check_regular, replacing
from difftem.io.mrc_header import PACKED, MrcHeader, parse_header, to_zyx
from difftem.io.mrc_size import check_extended, check_size, read_packed

_MAX_LABELS = 10
_LABEL_LENGTH = 80
# What mrcfile lets through, gzip and bzip2 included.
_UNREADABLE = (ValueError, OSError, EOFError, zlib.error, OverflowError, MemoryError)


@dataclass(frozen=True, eq=False)
class MrcImage:
    """Contents of an MRC file.

    Attributes
    ----------
    data : ndarray
        ``(y, x)`` or ``(z, y, x)``, z being tilts or sections, in the dtype of the file; axes that
        the file has in another order are brought into this one.
    voxel_size : tuple of float
        x, y, z in Å; 0 where the file does not say.
    header : MrcHeader
        What else it says.
    complaints : list of str
        In which harmless ways the file breaks the rules.

    Examples
    --------
    >>> import numpy as np
    >>> from difftem.io.mrc import read_mrc, write_mrc
    >>> write_mrc("stack.mrc", np.zeros((3, 4, 8)), voxel_size=1.05, labels=["a tilt series"])
    >>> found = read_mrc("stack.mrc")
    >>> found.data.shape, [round(side, 2) for side in found.voxel_size]  # z, y, x; Å along x, y, z
    ((3, 4, 8), [1.05, 1.05, 1.05])
    """

    data: NDArray[np.generic]
    voxel_size: tuple[float, float, float]
    header: MrcHeader
    complaints: list[str]

    @property
    def reordered(self) -> str:
        """Say in which order the file has its axes; empty where it is the usual one."""
        order = " ".join("xyz"[axis - 1] for axis in self.header.axes)
        return "" if order == "x y z" else f"axes {order} reordered"


def write_mrc(
    path: str | Path,
    array: ArrayLike,
    voxel_size: float | tuple[float, float, float] | None,
    labels: Sequence[str] = ("difftem",),
    *,
    overwrite: bool = False,
    is_volume: bool = False,
    origin: tuple[float, float, float] = (0.0, 0.0, 0.0),
) -> None:
    """Write float32 (mode 2) or complex64 data (mode 4) as an MRC file, all of it or nothing.

    The same input gives the same bytes: no date is written.

    Parameters
    ----------
    path : str or Path
        File to write, in a folder that exists.
    array : array_like
        ``(y, x)`` or ``(z, y, x)``, z being tilts or sections, real or complex; finite.
    voxel_size : float or tuple of float or None
        Å; three are x, y, z. None where it is not known: the header says 0.
    labels : sequence of str
        At most 10 ASCII texts of at most 80 characters for the header.
    overwrite : bool
        Replace a file that exists.
    is_volume : bool
        Mark three-dimensional data as a volume rather than as a stack of images.
    origin : tuple of float
        Where the first voxel lies, x, y, z in Å.

    Raises
    ------
    InputError
        If the file exists and `overwrite` is false, or its folder does not exist.
    ValueError
        If data, voxel size or labels cannot be held by the format.

    References
    ----------
    Cheng et al., J. Struct. Biol. 192 (2015) 146.

    Examples
    --------
    >>> import numpy as np
    >>> from difftem.io.mrc import write_mrc
    >>> write_mrc("map.mrc", np.ones((16, 16, 16)), voxel_size=2.0, is_volume=True)
    >>> with open("map.mrc", "rb") as file:
    ...     len(file.read())  # a header of 1024 bytes, and four for each voxel
    17408
    """
    path = Path(path)
    kind = np.complex64 if np.iscomplexobj(array) else np.float32
    data = np.ascontiguousarray(array, dtype=kind)
    if data.ndim not in (2, 3) or 0 in data.shape:
        raise ValueError(f"array must be (y, x) or (z, y, x) and not empty, got {data.shape}")
    if is_volume and data.ndim != 3:
        raise ValueError(f"a volume must be (z, y, x), got {data.shape}")
    if not np.isfinite(data).all():
        raise ValueError(f"array must be finite, got {(~np.isfinite(data)).sum()} bad values")
    size = np.broadcast_to(np.asarray(voxel_size or 0.0, dtype=np.float64), (3,))
    if voxel_size is not None and not (np.isfinite(size) & (size > 0)).all():
        raise ValueError(f"voxel_size must be positive, got {voxel_size} Å")
    if len(labels) > _MAX_LABELS or any(
        len(label) > _LABEL_LENGTH or not (label.isascii() and label.isprintable())
        for label in labels
    ):
        raise ValueError(f"labels must be at most 10 ASCII lines of 80 characters, got {labels}")
    with replacing(path, overwrite) as temporary:
        with mrcfile.new(temporary, overwrite=True) as mrc:
            mrc.set_data(data)
            if is_volume:
                mrc.set_volume()
            elif data.ndim == 3:
                mrc.set_image_stack()
            # One section of a stack is as thick as a pixel is wide, whatever mz says.
            mrc.voxel_size = tuple(size.tolist())
            mrc.header.origin = origin
            mrc.header.label[:] = b""  # mrcfile's own label holds the time
            for index, label in enumerate(labels):
                mrc.header.label[index] = label.encode("ascii")
            mrc.header.nlabl = len(labels)


def read_mrc(path: str | Path) -> MrcImage:
    """Read an MRC file, also one compressed as ``.gz`` or ``.bz2``.

    Bytes are signed unless IMOD says otherwise, and values of 4 bits (mode 101) are unpacked.

    Parameters
    ----------
    path : str or Path
        File to read; headers that break the rules of 2014 in harmless ways are accepted.

    Returns
    -------
    MrcImage
        Data and voxel size.

    Raises
    ------
    InputError
        If the file is missing, truncated or not MRC, of another type, or its axes are no
        permutation.

    Examples
    --------
    >>> import numpy as np
    >>> from difftem.io.mrc import read_mrc, write_mrc
    >>> write_mrc("image.mrc", np.arange(6).reshape(2, 3), voxel_size=1.0)
    >>> read_mrc("image.mrc").data.tolist()
    [[0.0, 1.0, 2.0], [3.0, 4.0, 5.0]]
    """
    path = check_regular(path)
    if path.suffix.lower() == ".eer":
        raise input_error(
            path, "EER is not read: RELION's relion_convert_to_tiff --eer_grouping N makes TIFF"
        )
    try:
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            check_extended(path)
            # Permissive, for the old headers that microscopes write: what cannot be read is None.
            with mrcfile.open(path, permissive=True, header_only=True) as mrc:
                header = parse_header(path, mrc.header)
                check_size(path, mrc.header)
                packed = read_packed(path, mrc.header) if header.mode == PACKED else None
            caught.clear()  # they come again, with those of the data
            with mrcfile.open(path, permissive=True, header_only=packed is not None) as mrc:
                data = mrc.data if packed is None else packed
                header_size = mrc.voxel_size
    except InputError:
        raise
    except _UNREADABLE as error:
        raise input_error(path, f"not a whole MRC file: {error}") from error
    # Others are of libraries about one another: numpy 2.5 deprecates what mrcfile 1.5 does.
    about = [each for each in caught if not issubclass(each.category, DeprecationWarning)]
    complaints = list(dict.fromkeys(_plain(str(each.message)) for each in about))
    if data is None or data.size == 0:
        reasons = "; ".join(complaints) or "no data"
        raise input_error(path, f"not a whole MRC file: {reasons}")
    x, y, z = (_positive(float(header_size[axis])) for axis in "xyz")
    native = data.astype(data.dtype.newbyteorder("="), copy=False)  # PyTorch knows no other
    if header.unsigned_bytes and native.dtype == np.int8:
        native = native.view(np.uint8)
    return MrcImage(to_zyx(native, header.axes), (x, y, z), header, complaints)


def _plain(complaint: str) -> str:
    """Say in a user's words what mrcfile complains of in a header that is read all the same."""
    if complaint.startswith("Map ID string not found"):
        return "no word MAP in the header (old, or of a microscope: read all the same)"
    if complaint.startswith("Unrecognised machine stamp"):
        return "no byte order in the header (found by its numbers)"
    return " ".join(complaint.split())


def _positive(side: float) -> float:
    """Side of a voxel, 0 where it means nothing."""
    return side if math.isfinite(side) and side > 0 else 0.0


def write_rawtlt(path: str | Path, angles_deg: ArrayLike, *, overwrite: bool = False) -> None:
    """Write tilt angles as IMOD does: one per line, in degrees.

    Parameters
    ----------
    path : str or Path
        File to write, usually with suffix ``.rawtlt``.
    angles_deg : array_like
        Degrees, shape ``(n_tilts,)``.
    overwrite : bool
        Replace a file that exists.

    Raises
    ------
    InputError
        If the file exists and `overwrite` is false, or its folder does not exist.
    ValueError
        If the angles are not a finite list.

    Examples
    --------
    >>> from pathlib import Path
    >>> from difftem.io.mrc import write_rawtlt
    >>> write_rawtlt("series.rawtlt", [-3.0, 0.0, 3.0])
    >>> Path("series.rawtlt").read_text().split()
    ['-3.00', '0.00', '3.00']
    """
    angles = np.atleast_1d(np.asarray(angles_deg, dtype=np.float64))
    if angles.ndim != 1 or angles.size == 0 or not np.isfinite(angles).all():
        raise ValueError(f"angles_deg must be a list of finite numbers, got {angles.tolist()}")
    with replacing(Path(path), overwrite) as temporary:
        temporary.write_text("".join(f"{angle:.2f}\n" for angle in angles), encoding="ascii")
