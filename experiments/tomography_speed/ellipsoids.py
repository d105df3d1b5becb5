"""A phantom of ellipsoids, whose projections are known without a projector."""

import torch
from torch import Tensor

# Density, centre (x, y, z) and half axes (a, b, c), in halves of the side: a body with holes.
ELLIPSOIDS = (
    (1.0, (0.0, 0.0, 0.0), (0.62, 0.8, 0.4)),
    (-0.4, (0.25, 0.1, 0.05), (0.14, 0.2, 0.12)),
    (0.5, (-0.28, -0.3, -0.08), (0.1, 0.12, 0.15)),
    (-0.4, (-0.2, 0.35, 0.1), (0.2, 0.1, 0.08)),
    (0.8, (0.1, -0.45, 0.12), (0.05, 0.05, 0.05)),
)


def volume(side: int) -> Tensor:  # (z, y, x)
    """Densities at the middles of voxels.

    Parameters
    ----------
    side : int
        Voxels.

    Returns
    -------
    Tensor
        ``(side, side, side)``.
    """
    axis = (torch.arange(side) - side // 2) / (side / 2)
    total = torch.zeros(side, side, side)
    for density, (x, y, z), (a, b, c) in ELLIPSOIDS:
        squares = (
            ((axis - z) / c).square()[:, None, None]
            + ((axis - y) / b).square()[:, None]
            + ((axis - x) / a).square()
        )
        total += density * (squares < 1)
    return total


def projections(side: int, tilts: Tensor) -> Tensor:  # (n_tilts, y, x)
    """Lengths of the lines through the ellipsoids, in voxels, times their densities.

    Parameters
    ----------
    side : int
        Pixels.
    tilts : Tensor
        About y in rad, ``(n_tilts,)``.

    Returns
    -------
    Tensor
        ``(n_tilts, side, side)``.
    """
    axis = (torch.arange(side) - side // 2) / (side / 2)
    cos, sin = tilts.cos()[:, None, None], tilts.sin()[:, None, None]
    total = torch.zeros(len(tilts), side, side)
    for density, (x, y, z), (a, b, c) in ELLIPSOIDS:
        width = torch.sqrt((a * cos).square() + (c * sin).square())
        across = (axis - x * cos - z * sin) / width
        along = ((axis - y) / b)[:, None]
        inside = (1 - across.square() - along.square()).clamp_min(0)
        total += density * side * (a * c / width) * inside.sqrt()
    return total
