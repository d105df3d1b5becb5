"""Columns of atoms along the beam."""

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.spatial import Delaunay
from torch import Tensor

REGIONS = ("particle", "surface", "interface", "support")
# Å: larger than what fits between columns of Ce (2.03), of Pt (1.7) or between the lattices (2.0),
# smaller than the place of a missing column of Pt (2.4).
_DISC = 2.3
_SKY = 8.0  # Å above everything: vacuum
_FLAT = 1e-9


@dataclass(frozen=True, eq=False)
class AtomicColumns:
    """Columns in projection.

    A column is the set of atoms that would lie behind one another in the undisturbed, untilted
    crystal. Its position is the mean of its atoms' x and y as they are: disturbed, and after the
    tilt; so under tilt it is where the middle of the column is seen, not its upper end.

    Attributes
    ----------
    positions : Tensor
        x, y in Å, float64, shape ``(n, 2)``.
    atomic_numbers : Tensor
        int64, shape ``(n,)``; a column has atoms of one element.
    counts : Tensor
        Number of atoms, int64, shape ``(n,)``.
    regions : Tensor
        Index into `REGIONS`, int64, shape ``(n,)``: *interface* is the particle's layer next to
        the oxide and the oxide's layer that it lies on; *surface* is whatever else is next to
        vacuum; *particle* and *support* are the rest.
    surface : Tensor
        Next to vacuum in projection, also at the interface, bool, shape ``(n,)``: a disc of 2.3 Å
        that holds no column touches it. Pt and Ce are judged without the oxygen.
    of_atom : Tensor
        Column of each atom, int64, shape ``(n_atoms,)``.
    """

    positions: Tensor
    atomic_numbers: Tensor
    counts: Tensor
    regions: Tensor
    surface: Tensor
    of_atom: Tensor

    def __len__(self) -> int:
        return len(self.counts)

    @property
    def region_names(self) -> list[str]:
        """Region of each in words."""
        return [REGIONS[each] for each in self.regions.tolist()]


def mean_positions(
    positions: Tensor,  # (n_atoms, 3) Å
    of_atom: Tensor,  # (n_atoms,)
    counts: Tensor,  # (n,)
) -> Tensor:  # (n, 2) Å, float64
    """Mean x and y of each column's atoms."""
    sums = positions.new_zeros(len(counts), 2, dtype=torch.float64)
    sums.index_add_(0, of_atom, positions[:, :2].double())
    return sums / counts[:, None]


def next_to_vacuum(
    positions: NDArray[np.float64],  # (n, 2) Å
    heavy: NDArray[np.bool_],  # (n,)
) -> NDArray[np.bool_]:  # (n,)
    """Tell which columns a disc of vacuum touches; heavy ones as if the others were not there."""
    touched = _touched(positions)
    touched[heavy] = _touched(positions[heavy])
    return touched


def _touched(positions: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Corners of the Delaunay triangles whose circles are large."""
    low, high = positions.min(axis=0), positions.max(axis=0)
    sky = np.arange(low[0] - _SKY, high[0] + _SKY, _SKY / 4)
    points = np.concatenate([positions, np.stack([sky, np.full_like(sky, low[1] - _SKY)], 1)])
    triangles = Delaunay(points).simplices
    a, b, c = (points[triangles[:, i]] for i in range(3))
    sides = [np.hypot(*(p - q).T) for p, q in ((a, b), (b, c), (c, a))]
    (ux, uy), (vx, vy) = (b - a).T, (c - a).T
    doubled = np.abs(ux * vy - uy * vx)
    large = sides[0] * sides[1] * sides[2] > 2 * _DISC * np.maximum(doubled, _FLAT)
    touched = np.zeros(len(points), bool)
    touched[triangles[large]] = True
    return touched[: len(positions)]
