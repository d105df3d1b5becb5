"""Volumes in MRC files, with their axes put right."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from difftem.io.account import give_account
from difftem.io.checks import unwrap
from difftem.io.errors import input_error
from difftem.io.mrc import MrcImage, read_mrc

FileAxes = Literal["auto", "imod", "zyx"]
# What the header's label of a volume that difftem has written says.
ORDERS = {
    "imod": "columns x, rows -z, sections y",
    "zyx": "columns x, rows y, sections z",
}
_TURNED = ("rot", "flip", "trimvol")  # in labels of IMOD's programs that turn volumes
CUBIC = 0.01  # relative difference of voxel sides that is a rounding


@dataclass(frozen=True, eq=False)
class GreyVolume:
    """A volume that was read.

    Attributes
    ----------
    path : Path
        Where it came from.
    data : ndarray
        ``(z, y, x)``, float32, finite, not constant.
    voxel_size : float or None
        Side of a voxel in Å.

    Examples
    --------
    >>> import numpy as np
    >>> from difftem.io.mrc import write_mrc
    >>> from difftem.io.volume import read_volume
    >>> write_mrc("map.mrc", np.arange(24.0).reshape(2, 3, 4), voxel_size=1.5, is_volume=True)
    >>> volume = read_volume("map.mrc")
    >>> volume.data.shape, volume.voxel_size  # z, y, x; Å
    ((2, 3, 4), 1.5)
    """

    path: Path
    data: NDArray[np.float32]
    voxel_size: float | None


def read_volume(
    path: str | Path, axes: FileAxes = "auto", voxel_size: float | None = None
) -> GreyVolume:
    """Read a volume of grey values from an MRC file.

    Parameters
    ----------
    path : str or Path
        MRC volume, also as ``.gz`` or ``.bz2``.
    axes : {"auto", "imod", "zyx"}
        ``imod``: sections along y, rows along -z, as IMOD's tilt and ``difftem reconstruct`` leave
        a volume; it is turned upright, not mirrored. ``zyx``: sections along z. ``auto``: what the
        header's labels say where difftem has written the file, else ``zyx``. The header's MAPC,
        MAPR, MAPS are obeyed before.
    voxel_size : float, optional
        Å, instead of the header's.

    Returns
    -------
    GreyVolume
        Upright.

    Raises
    ------
    InputError
        If the file is no MRC volume, has values that are not finite or all the same, or voxels
        that are not cubes.

    Examples
    --------
    >>> import numpy as np
    >>> from difftem.io.mrc import write_mrc
    >>> from difftem.io.volume import read_volume
    >>> write_mrc("tomogram.mrc", np.arange(24.0).reshape(2, 3, 4), voxel_size=8.0, is_volume=True)
    >>> read_volume("tomogram.mrc", axes="imod").data.shape  # sections along y become rows
    (3, 2, 4)
    """
    path = Path(path)
    image = read_mrc(path)
    if np.iscomplexobj(image.data):
        raise input_error(path, f"expected a real volume, got {image.data.dtype}")
    if image.data.ndim != 3 or image.data.shape[0] == 1:
        ny, nx = image.data.shape[-2:]
        what = "one image" if image.data.ndim < 4 else "a stack of volumes"
        raise input_error(path, f"{what} of {nx} x {ny} pixels, expected a volume")
    side = voxel_side(path, image, voxel_size)
    data, notes = unwrap(image.data)
    values = np.array(data, dtype=np.float32)  # a file's may be read-only
    bad = values.size - int(np.isfinite(values).sum())
    if bad:
        raise input_error(path, f"{bad} of {values.size} voxels are not finite")
    low, high = float(values.min()), float(values.max())
    if low == high:
        raise input_error(path, f"constant volume: every voxel is {low:g}")
    order = order_told(image.header.labels) if axes == "auto" else axes
    if order == "imod":
        values = from_imod(values)
    nz, ny, nx = values.shape
    taken = [
        f"{nx} x {ny} x {nz} voxels (x, y, z)",
        "no voxel size" if side is None else f"{side:.4g} Å",
        image.reordered or ("turned from IMOD's order of axes" if order == "imod" else ""),
        f"values {low:.4g} to {high:.4g}",
        *notes,
    ]
    give_account(path, filter(None, taken), image.complaints)
    return GreyVolume(path, np.ascontiguousarray(values), side)


def order_told(labels: Sequence[str]) -> str:
    """Order of the axes by a header's labels: difftem's own, unless turned upright since then.

    Parameters
    ----------
    labels : sequence of str
        Of `MrcHeader`, the oldest first.

    Returns
    -------
    str
        ``imod`` or ``zyx``; the latter where no label says it.

    Examples
    --------
    >>> from difftem.io.volume import order_told
    >>> order_told(["difftem", "columns x, rows -z, sections y"]), order_told(["another program"])
    ('imod', 'zyx')
    """
    told = "zyx"
    for label in labels:
        told = next((name for name, text in ORDERS.items() if text in label), told)
        if any(word in label.lower() for word in _TURNED):
            told = "zyx"
    return told


def voxel_side(path: str | Path, image: MrcImage, given: float | None) -> float | None:
    """Side of a cubic voxel.

    Parameters
    ----------
    path : str or Path
        For messages.
    image : MrcImage
        That was read.
    given : float or None
        Å, instead of the header's.

    Returns
    -------
    float or None
        Å; None where the header does not say.

    Raises
    ------
    InputError
        If voxels are not cubes, or `given` is not positive.

    Examples
    --------
    >>> import numpy as np
    >>> from difftem.io.mrc import read_mrc, write_mrc
    >>> from difftem.io.volume import voxel_side
    >>> write_mrc("cubes.mrc", np.zeros((2, 3, 4)), voxel_size=2.0, is_volume=True)
    >>> image = read_mrc("cubes.mrc")
    >>> voxel_side("cubes.mrc", image, None), voxel_side("cubes.mrc", image, 1.9)  # Å
    (2.0, 1.9)
    """
    if given is not None:
        if not given > 0:
            raise input_error(path, f"voxel_size must be positive, got {given} Å")
        return given
    sides = image.voxel_size
    if min(sides) <= 0:
        return None
    if any(abs(angle - 90) > 0.1 for angle in image.header.angles if angle):
        angles = " ".join(f"{angle:g}" for angle in image.header.angles)
        raise input_error(path, f"voxels must be cubes, the cell has angles of {angles} degrees")
    if max(sides) - min(sides) > CUBIC * max(sides):
        said = " x ".join(f"{side:g}" for side in sides)
        raise input_error(path, f"voxels must be cubes, got {said} Å (x, y, z)")
    return sides[0]


def to_imod(
    volume: NDArray[np.float32],  # (z, y, x)
) -> NDArray[np.float32]:  # (y, -z, x)
    """Turn a volume by 90° about x, as IMOD's tilt leaves one; ``trimvol -rx`` turns it back.

    Examples
    --------
    >>> import numpy as np
    >>> from difftem.io.volume import from_imod, to_imod
    >>> volume = np.arange(24, dtype=np.float32).reshape(2, 3, 4)  # z, y, x
    >>> to_imod(volume).shape, bool((from_imod(to_imod(volume)) == volume).all())
    ((3, 2, 4), True)
    """
    return volume[::-1].transpose(1, 0, 2)


def from_imod(
    volume: NDArray[np.float32],  # (y, -z, x)
) -> NDArray[np.float32]:  # (z, y, x)
    """Turn a volume back, as ``trimvol -rx`` does.

    Examples
    --------
    >>> import numpy as np
    >>> from difftem.io.volume import from_imod
    >>> from_imod(np.zeros((300, 50, 400), dtype=np.float32)).shape  # sections of y: 50 along z
    (50, 300, 400)
    """
    return volume.transpose(1, 0, 2)[::-1]
