r"""Columns of atoms of cubic crystals seen along [1-10], with [111] towards low y.

The frame: z is [1-10], along the beam; y is -[111]; x completes it, -[11-2]. A column has the
whole numbers (p, m) = (h + k, m) of its atoms' indices (h, k, m), so that with atoms at multiples
of a step s

.. math:: x = s (2 m - p) / \sqrt 6, \quad -y = s (p + m) / \sqrt 3, \quad z = s (h - k) / \sqrt 2
"""

import math

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Whole = NDArray[np.int64]


def to_profile(indices: Whole | Floats) -> Floats:
    """Positions in the profile's frame of points in crystal axes, shape ``(n, 3)``."""
    # Written out: a matrix product may differ in its last digit from machine to machine.
    h, k, m = np.asarray(indices, dtype=np.float64).T
    x = (2 * m - h - k) / math.sqrt(6)
    y = -(h + k + m) / math.sqrt(3)
    return np.stack([x, y, (h - k) / math.sqrt(2)], axis=1)


def fcc_indices(reach: int) -> Whole:
    """Points of a face-centred lattice in half cell edges, all three within ± reach."""
    edge = np.arange(-reach, reach + 1)
    points = np.stack(np.meshgrid(edge, edge, edge, indexing="ij"), axis=-1).reshape(-1, 3)
    return points[points.sum(1) % 2 == 0]


def fluorite_columns(
    edge: float,  # Å
    x: tuple[float, float],  # Å
    y: tuple[float, float],  # Å
) -> tuple[Floats, NDArray[np.bool_], Floats, Whole]:
    """List the columns of CeO2 whose positions lie in a rectangle.

    Layer 0 is the O-Ce-O layer whose Ce lies at y = 0; numbers grow downwards.

    Parameters
    ----------
    edge : float
        Of the cubic cell in Å.
    x, y : tuple of float
        Limits in Å.

    Returns
    -------
    positions : ndarray
        x and y in Å, shape ``(n, 2)``.
    is_oxygen : ndarray
        Shape ``(n,)``.
    phases : ndarray
        z of one of a column's atoms in Å, shape ``(n,)``; they repeat every ``edge / √2``.
    layers : ndarray
        O-Ce-O layer of each, shape ``(n,)``.
    """
    step = edge / 4
    highest, lowest = (math.ceil(-each / step * math.sqrt(3)) for each in y)
    heights = np.arange(lowest - 1, highest + 1)  # p + m
    widest = math.ceil(max(abs(x[0]), abs(x[1])) / step * math.sqrt(6)) + 1
    rows = np.arange(-widest, widest + 1)  # 2 m - p
    height, row = (each.ravel() for each in np.meshgrid(heights, rows, indexing="ij"))
    m, left = np.divmod(height + row, 3)
    p = height - m
    cerium = (m % 2 == 0) & (p % 2 == 0) & ((p - m) % 4 == 0)
    oxygen = (m % 2 == 1) & (p % 2 == 0)
    across, down = step * row / math.sqrt(6), -step * height / math.sqrt(3)
    inside = (across >= x[0]) & (across <= x[1]) & (down >= y[0]) & (down <= y[1])
    keep = (left == 0) & (cerium | oxygen) & inside
    # h - k is p modulo 4 for Ce (all even), p - 2 for O (all odd).
    phases = np.where(oxygen, p - 2, p) % 4 * step / math.sqrt(2)
    layers = -((height + 1) // 4)  # 4 n - 1, 4 n and 4 n + 1 belong together
    positions = np.stack([across, down], axis=1)
    return positions[keep], oxygen[keep], phases[keep], layers[keep]
