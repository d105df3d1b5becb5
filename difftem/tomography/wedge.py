r"""Frequencies of a volume that a single-axis tilt series has seen: all but the missing wedge."""

import math

import torch
from torch import Tensor

from difftem.functional.grid import frequency_grid

_ON = 1e-9  # of a frequency: what rounding leaves of a plane that passes through it


def wedge_mask(
    shape: tuple[int, int, int],
    tilt_deg: Tensor,  # (n_tilts,)
    distance: float | None = None,  # cycles/voxel
) -> Tensor:  # (z, y, x // 2 + 1) bool
    r"""Mark the frequencies that tilts about y have sampled, on the grid of a real transform.

    The image of tilt θ is the plane of frequencies :math:`k_z \cos\theta = k_x \sin\theta` (central
    section), in the frame of `difftem.tomography.geometry`. A range of tilts leaves the double
    wedge of :math:`\arctan(k_z / k_x)` outside of it empty.

    Parameters
    ----------
    shape : tuple of int
        Of volumes ``(z, y, x)``, of cubic voxels.
    tilt_deg : Tensor
        Tilts in degrees in any order, ``(n_tilts,)``.
    distance : float, optional
        Keep only what lies so near to one of the planes, in cycles/voxel: 1 / (2 D) for an object
        of D voxels across, whose neighbouring planes then touch up to Crowther's
        :math:`1 / (D\, \Delta\theta)`. Default: all between the lowest tilt and the highest.

    Returns
    -------
    Tensor
        True where sampled; the axis itself (kx = kz = 0) always is.

    Raises
    ------
    ValueError
        If tilts are not finite or a single one has no distance, or the distance is not positive.

    References
    ----------
    Crowther, DeRosier & Klug, Proc. R. Soc. Lond. A 317 (1970) 319, equation 9.

    Examples
    --------
    >>> import torch
    >>> from difftem.tomography.wedge import wedge_mask
    >>> mask = wedge_mask((64, 64, 64), torch.arange(-60.0, 61.0, 3.0))
    >>> round(mask[:, 0].double().mean().item(), 1)  # of the frequencies of a cube
    0.7
    """
    tilts = torch.as_tensor(tilt_deg, dtype=torch.float64).flatten()
    if len(tilts) == 0 or not bool(tilts.isfinite().all()):
        raise ValueError(f"tilt_deg must be finite angles in degrees, got {tilts.tolist()}")
    if distance is None and len(tilts) == 1:
        raise ValueError("tilt_deg must have two tilts at least where distance is not given, got 1")
    if distance is not None and not (math.isfinite(distance) and distance > 0):
        raise ValueError(f"distance must be positive, got {distance} cycles/voxel")
    nz, ny, nx = shape
    kz, kx = frequency_grid((nz, nx), 1.0, half=True)
    tilts = torch.deg2rad(tilts)
    if distance is None:
        # From the lowest tilt: angles repeat after half a turn, as a plane is its own opposite.
        lowest, highest = tilts.min(), tilts.max()
        turned = torch.atan2(kz, kx) - lowest + _ON
        plane = torch.remainder(turned, math.pi) <= highest - lowest + 2 * _ON
    else:
        plane = torch.zeros(nz, nx // 2 + 1, dtype=torch.bool)
        for tilt in tilts:
            plane |= (kz * tilt.cos() - kx * tilt.sin()).abs() <= distance + _ON
    plane[0, 0] = True
    return plane[:, None, :].expand(nz, ny, nx // 2 + 1)
