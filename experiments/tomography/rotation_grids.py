"""Even grids over all rotations, and over all directions of an axis."""

import math

import torch
from torch import Tensor

from difftem.functional.pose import rotation_from_vector

_PSI = 1.533751168755204288118041  # of super-Fibonacci spirals: ψ⁴ = ψ + 4


def rotation_grid(spacing_deg: float) -> Tensor:  # (n, 3, 3)
    """Even grid over all rotations.

    References
    ----------
    Alexa, Super-Fibonacci spirals, CVPR (2022).
    """
    n = math.ceil(8 * math.pi**2 / math.radians(spacing_deg) ** 3)
    s = torch.arange(n, dtype=torch.float64) + 0.5
    t, d = s / n, 2 * math.pi * s
    a, b = d / math.sqrt(2), d / _PSI
    w, x, y, z = (
        t.sqrt() * a.sin(),
        t.sqrt() * a.cos(),
        (1 - t).sqrt() * b.sin(),
        (1 - t).sqrt() * b.cos(),
    )
    rows = (
        (1 - 2 * (y * y + z * z), 2 * (x * y - z * w), 2 * (x * z + y * w)),
        (2 * (x * y + z * w), 1 - 2 * (x * x + z * z), 2 * (y * z - x * w)),
        (2 * (x * z - y * w), 2 * (y * z + x * w), 1 - 2 * (x * x + y * y)),
    )
    return torch.stack([torch.stack(row, -1) for row in rows], -2)


def axis_grid(spacing_deg: float) -> Tensor:  # (n, 3, 3)
    """Rotations that point z evenly over half a sphere, on a Fibonacci spiral."""
    n = math.ceil(2 * math.pi / math.radians(spacing_deg) ** 2)
    z = (torch.arange(n, dtype=torch.float64) + 0.5) / n
    azimuth = torch.arange(n) * math.pi * (3 - math.sqrt(5))
    polar = torch.acos(z)
    vector = torch.stack([-azimuth.sin(), azimuth.cos(), torch.zeros_like(z)], 1)
    return rotation_from_vector(polar[:, None] * vector)
