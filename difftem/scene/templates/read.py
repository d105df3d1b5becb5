"""Templates from MRC maps."""

import logging
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from difftem.functional.render import bounding_radius
from difftem.io.account import give_account
from difftem.io.checks import unwrap
from difftem.io.errors import input_error
from difftem.io.mrc import MrcImage, read_mrc
from difftem.io.volume import CUBIC, voxel_side
from difftem.scene.templates.template import Template

logger = logging.getLogger(__name__)

EMPTY = 1e-3  # of the largest value: what counts as part of the particle
VOXEL_SIZES = (0.01, 100.0)  # Å; outside, the unit was mistaken
# What matter reaches: the mean of the densest solids, and one heavy atom in a single voxel.
_SOLID, _ATOM = 40.0, 1000.0  # V, V Å³
_MISTAKEN = 10.0  # times that
_WEAK = 0.05  # V


def read_template(
    path: str | Path,
    voxel_size: float | None = None,  # Å
) -> Template:
    """Read a potential map in V beyond that of the surrounding, voxel n // 2 its center.

    Parameters
    ----------
    path : str or Path
        MRC volume, also as ``.gz``.
    voxel_size : float, optional
        In Å, instead of the header's.

    Returns
    -------
    Template
        Real, float32.

    Raises
    ------
    InputError
        If the file is no MRC volume, holds values that are not finite or larger than a potential
        in V can be, has voxels that are not cubes, or no voxel size and none is given.
    """
    image = read_mrc(path)
    if image.data.ndim != 3 or np.iscomplexobj(image.data):
        raise input_error(path, f"expected a real volume, got shape {image.data.shape}")
    data, notes = unwrap(image.data)
    values = torch.from_numpy(np.array(data, dtype=np.float32))  # a file's is read-only
    if not bool(torch.isfinite(values).all()):
        raise input_error(path, f"{int((~torch.isfinite(values)).sum())} voxels are not finite")
    if not bool(values.any()):
        raise input_error(path, "every voxel is 0")
    side = _side(path, image, voxel_size)
    _check_peak(path, float(values.abs().max()), side, data)
    nz, ny, nx = values.shape
    taken = [
        f"{nx} x {ny} x {nz} voxels of {side:g} Å",
        image.reordered,
        f"values {float(values.min()):.3g} to {float(values.max()):.3g} V beyond the surrounding",
        *notes,
        f"centre at voxel ({nx // 2}, {ny // 2}, {nz // 2})",
    ]
    give_account(path, filter(None, taken), _left(image, side))
    return Template(values, side, bounding_radius(values, side, threshold=EMPTY))


def _side(path: str | Path, image: MrcImage, given: float | None) -> float:
    """Side of a voxel in Å: as given, or as the header says."""
    low, high = VOXEL_SIZES
    side = voxel_side(path, image, given)
    if side is None:
        raise input_error(path, "the header has no voxel size; give voxel_size in Å")
    if low <= side <= high:
        return side
    if given is not None:
        raise input_error(path, f"voxel_size must be within {low:g} and {high:g} Å, got {given:g}")
    raise input_error(
        path,
        f"the header's voxel size of {side:g} Å must be within {low:g} and {high:g} Å; "
        "give voxel_size in Å",
    )


def _check_peak(path: str | Path, peak: float, side: float, data: NDArray[np.generic]) -> None:
    """Refuse values that no matter reaches in volts, and doubt what is near that."""
    most = _SOLID + _ATOM / side**3
    expected = (
        f"a potential in V averaged over voxels of {side:g} Å stays below {most:.0f} V, proteins "
        "reach 2 to 50 V"
    )
    if peak > _MISTAKEN * most:
        advice = (
            "16-bit integers are mV in TEM-simulator: divide by 1000"
            if data.dtype.kind in "iu"
            else "is it in mV, or in arbitrary units? Scale it to V"
        )
        raise input_error(path, f"values reach {peak:.4g}, but {expected}; {advice}")
    if peak > most:
        logger.warning("%s: values reach %.4g V; %s", Path(path).name, peak, expected)
    elif peak < _WEAK:
        logger.warning(
            "%s: values reach %.3g V only, a protein in ice reaches 2 to 50 V: maps in arbitrary "
            "units must be scaled to V",
            Path(path).name,
            peak,
        )


def _left(image: MrcImage, side: float) -> list[str]:
    """Say what of a header is not used."""
    header, left = image.header, list(image.complaints)
    sides = [each for each in image.voxel_size if each]
    if any(abs(each - side) > CUBIC * side for each in sides):
        left.append(f"voxel size {' x '.join(f'{each:g}' for each in image.voxel_size)} Å")
    if any(header.origin):
        left.append("origin " + " ".join(f"{each:g}" for each in header.origin) + " Å")
    if any(header.nstart):
        left.append("nstart " + " ".join(map(str, header.nstart)))
    if header.space_group not in (0, 1) and header.space_group < 400:
        left.append(f"symmetry of space group {header.space_group}")
    return left
