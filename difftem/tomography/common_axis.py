r"""The axis that a series of rotations has in common."""

import torch
from torch import Tensor

from difftem.scene.files.imod import aligned
from difftem.tomography.geometry import SingleAxis, turns


def common_axis(
    rotations: Tensor,  # (n_tilts, 3, 3)
    shifts: Tensor,  # (n_tilts, 2) pixels
) -> tuple[SingleAxis, float, float]:
    r"""Find θ, γ and one a for :math:`S = R_z(\gamma)\, R_y(\theta)\, R_z(-a)` of every tilt.

    The beam of tilt θ comes, in the sample, along (-sin θ cos a, -sin θ sin a, cos θ): a is the
    direction of the line through the first two, by least squares.

    Parameters
    ----------
    rotations : Tensor
        S, active, sample to microscope, ``(n_tilts, 3, 3)``.
    shifts : Tensor
        Of the images in pixels, ``(n_tilts, 2)``.

    Returns
    -------
    geometry : SingleAxis
        Of the volume whose y axis is the tilt axis: the sample, turned by -a about z.
    turn_deg : float
        a, above -90 and at most 90.
    tilt_along_deg : float
        Largest tilt along the axis, which a single axis does not hold.
    """
    beams = rotations.double()[:, 2, :2]
    xx, yy = beams.square().sum(0)
    xy = (beams[:, 0] * beams[:, 1]).sum()
    turn = 0.5 * torch.atan2(2 * xy, xx - yy)  # within ±90 degrees
    across = torch.stack([-turn.sin(), turn.cos()])
    along = torch.asin((beams @ across).abs().max().clamp_max(1.0))
    turn_deg = float(torch.rad2deg(turn))
    tilts, image_turns = aligned(rotations, 90.0 + turn_deg)
    geometry = SingleAxis(tilts, turns(torch.deg2rad(image_turns)), shifts.double())
    return geometry, turn_deg, float(torch.rad2deg(along))
