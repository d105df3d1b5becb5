r"""Projections of shells, tubes and balls, whose potential depends on one distance.

A potential f(r) projects along z to the Abel transform :math:`F(\rho) = 2 \int_0^\infty
f(\sqrt{\rho^2 + s^2})\,ds`; of an ellipsoid :math:`f(|A^{-1} x|)`, ρ is the root of a quadratic
form in x and y, and F is divided by the root of :math:`m_{zz}`, :math:`M = A^{-T} A^{-1}`.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from difftem.scene.matter import AREA_PER_LIPID, LIPID_HEAD, LIPID_TAILS

_EDGE = 2.5  # Å, standard deviation of the edges of layers
_FILTER = 0.4  # pixels: standard deviation of what is drawn at pixels rather than simulated finer

Profile = Callable[[Tensor], Tensor]  # Å to V


@dataclass(frozen=True)
class Layer:
    """Part of a radial profile: a box with soft edges.

    Attributes
    ----------
    low, high : float
        Radii in Å.
    value : float
        Beyond that of ice in V.
    edge : float
        Standard deviation of the edges in Å.
    """

    low: float
    high: float
    value: float
    edge: float = _EDGE


def profile_of(layers: Sequence[Layer], pixel_size: float) -> Profile:
    """Sum layers, smoothed for pixels of a size in Å."""

    def profile(r: Tensor) -> Tensor:
        total = torch.zeros_like(r)
        for each in layers:
            width = math.sqrt(2) * math.hypot(each.edge, _FILTER * pixel_size)
            steps = torch.erf((r - each.low) / width) - torch.erf((r - each.high) / width)
            total += 0.5 * each.value * steps
        return total

    return profile


def bilayer(radius: float, half_thickness: float, tail_contrast: float) -> list[Layer]:
    """Membrane of lipids about a radius: two layers of heads, tails between, in Å and V."""
    head_width = LIPID_HEAD.volume / AREA_PER_LIPID * 1.4  # heads share the layer with water
    head = LIPID_HEAD.contrast() / 1.4
    tails = half_thickness - head_width / 2
    return [
        Layer(radius - tails, radius + tails, tail_contrast),
        Layer(radius + tails, radius + tails + head_width, head),
        Layer(radius - tails - head_width, radius - tails, head),
    ]


def tail_contrasts() -> tuple[float, float]:
    """Limits of the tails' potential beyond ice in V: as measured bilayers, and as ours."""
    return -0.7, LIPID_TAILS.contrast()


def abel(
    profile: Profile,
    reach: float,  # Å
    step: float,  # Å
) -> Tensor:  # (n,) V Å
    """Project a profile along a line at distances 0, step, 2 step, ... up to `reach`."""
    n = math.ceil(reach / step) + 2
    rho = step * torch.arange(n, dtype=torch.float64)
    half = 0.5 * step * (torch.arange(2 * n, dtype=torch.float64) + 0.5)
    fine = 0.25 * step
    radii = fine * torch.arange(4 * math.ceil(2 * n) + 8, dtype=torch.float64)
    table = profile(radii).float()
    place = (rho.float()[:, None] ** 2 + half.float() ** 2).sqrt() / fine
    low = place.long().clamp(max=len(table) - 2)
    values = torch.lerp(table[low], table[low + 1], place - low)
    return step * values.sum(-1)


def draw_radial(
    field: Tensor,  # (y, x) V Å
    table: Tensor,  # (n,) V Å
    step: float,  # Å
    rho: Tensor,  # (y, x) Å
) -> None:
    """Add a projected profile to a field, by the distance of each pixel from its middle."""
    place = rho / step
    inside = place < len(table) - 1
    at = place[inside]
    low = at.long()
    values = table.to(field)
    field[inside] += torch.lerp(values[low], values[low + 1], at - low)


def ellipsoid_distance(
    x: Tensor,
    y: Tensor,
    center: Sequence[float],  # Å
    axes: Tensor,  # (3,)
    rotation: Tensor,  # (3, 3)
) -> tuple[Tensor, float]:
    """ρ of every pixel for an ellipsoid, and the factor of its Abel transform.

    Parameters
    ----------
    x, y : Tensor
        Of the pixels in Å.
    center : sequence of float
        x, y in Å.
    axes : Tensor
        Stretch along the ellipsoid's axes.
    rotation : Tensor
        From its frame to the field's.

    Returns
    -------
    tuple
        ρ in Å, and 1/sqrt(m_zz).
    """
    inverse = torch.diag(1 / axes) @ rotation.mT
    m = inverse.mT @ inverse
    schur = m[:2, :2] - m[:2, 2:] @ m[2:, :2] / m[2, 2]
    dx, dy = x - center[0], y - center[1]
    form = float(schur[0, 0]) * dx**2 + 2 * float(schur[0, 1]) * dx * dy
    return (form + float(schur[1, 1]) * dy**2).clamp(min=0).sqrt(), float(m[2, 2]) ** -0.5
