"""Pairs of points that are near each other, by a sorted list of cells."""

from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

Points = NDArray[np.float64]  # (n, 3) Å
Index = NDArray[np.int64]

_QUERIES_AT_ONCE = 20_000  # bounds the memory of the candidate pairs


class CellList:
    """Points sorted into cubes, so that those within one side of a place are found at once.

    Parameters
    ----------
    points : ndarray
        Shape ``(n, 3)``, Å.
    side : float
        Of a cube in Å: the largest distance that `pairs` may be asked for.
    """

    def __init__(self, points: Points, side: float) -> None:
        self.side = max(side, 1e-9)
        self.points = points
        cells = np.floor(points / self.side).astype(np.int64)
        # One empty cell all around: a neighbour in x never wraps into the next row.
        self.low = cells.min(0) - 1 if len(cells) else np.zeros(3, dtype=np.int64)
        self.size = (cells.max(0) + 2 if len(cells) else np.ones(3, dtype=np.int64)) - self.low
        keys = self._keys(cells)
        self.order = np.argsort(keys, kind="stable")
        self.keys = keys[self.order]

    def pairs(self, queries: Points, distance: float) -> tuple[Index, Index]:
        """Find every pair of a query and a point that are less than a distance apart.

        Parameters
        ----------
        queries : ndarray
            Shape ``(n_queries, 3)``, Å.
        distance : float
            In Å, at most the side of a cube.

        Returns
        -------
        queries, points : ndarray
            Indices, one entry per pair, shape ``(n_pairs,)``.
        """
        starts = range(0, len(queries), _QUERIES_AT_ONCE)
        found = [
            self._pairs(queries[start : start + _QUERIES_AT_ONCE], distance, start)
            for start in starts
        ]
        none = np.zeros(0, dtype=np.int64)
        if not found:
            return none, none
        return np.concatenate([q for q, _ in found]), np.concatenate([p for _, p in found])

    def _keys(self, cells: NDArray[np.int64]) -> Index:
        """One number per cell; x runs fastest."""
        x, y, z = (cells - self.low).T
        return (z * self.size[1] + y) * self.size[0] + x

    def _pairs(self, queries: Points, distance: float, offset: int) -> tuple[Index, Index]:
        """Pairs of some of the queries, numbered from `offset`."""
        cells = np.floor(queries / self.side).astype(np.int64)
        near = ((cells >= self.low) & (cells < self.low + self.size)).all(1)
        rows = np.flatnonzero(near)
        rows = rows[np.argsort(self._keys(cells[rows]))]  # successive look-ups meet in the cache
        which, points = [], []
        for dz in (-1, 0, 1):
            for dy in (-1, 0, 1):
                keys = self._keys(cells[rows] + np.array([0, dy, dz]))
                # The three cells along x have successive keys.
                start = np.searchsorted(self.keys, keys - 1, side="left")
                count = np.searchsorted(self.keys, keys + 1, side="right") - start
                first = np.cumsum(count) - count
                step = np.arange(int(count.sum())) - np.repeat(first, count)
                which.append(np.repeat(rows, count))
                points.append(self.order[np.repeat(start, count) + step])
        query, point = np.concatenate(which), np.concatenate(points)
        gap = queries[query] - self.points[point]
        close = np.einsum("ij,ij->i", gap, gap) < distance**2
        return query[close] + offset, point[close]


class Outside(NamedTuple):
    """How many spheres leave a field; each row counts those of the next as well.

    Attributes
    ----------
    cut : int
        Reach over an edge, or lie beyond it.
    centers : int
        Have their centre outside.
    entirely : int
        Lie outside altogether.
    """

    cut: int
    centers: int
    entirely: int


def overlaps(
    positions: Tensor,  # (n, 3) Å
    radii: Tensor | float,  # (n,) Å
) -> int:
    """Count the pairs of spheres that overlap; spheres that touch do not.

    Parameters
    ----------
    positions : Tensor
        Centres in Å, shape ``(n, 3)``.
    radii : Tensor or float
        In Å, shape ``(n,)``.

    Returns
    -------
    int
        Number of pairs.
    """
    points = positions.detach().double().numpy()
    sizes = torch.as_tensor(radii).double().expand(len(points)).numpy()
    # Classes of like size: a cell that is right for the large holds crowds of the small.
    classes = np.floor(np.log2(np.maximum(sizes, 1e-6))).astype(np.int64)
    members = [np.flatnonzero(classes == each) for each in np.unique(classes)]
    total = 0
    for i, large in enumerate(members):
        for small in members[: i + 1]:
            reach = float(sizes[large].max() + sizes[small].max())
            second, first = CellList(points[large], reach).pairs(points[small], reach)
            a, b = large[first], small[second]
            distance = np.linalg.norm(points[a] - points[b], axis=1)
            touching = (sizes[a] + sizes[b]) * (1 - 1e-12)
            hit = (distance < touching) & (a < b if large is small else True)
            total += int(hit.sum())
    return total


def outside(
    positions: Tensor,  # (n, 3) Å
    radii: Tensor | float,  # (n,) Å
    field: tuple[float, float, float],  # x, y, z in Å
) -> Outside:
    """Count the spheres that leave a box about the origin.

    Parameters
    ----------
    positions : Tensor
        Centres in Å, shape ``(n, 3)``.
    radii : Tensor or float
        In Å, shape ``(n,)``.
    field : tuple of float
        Size along x, y and z in Å; ``math.inf`` where it does not matter.

    Returns
    -------
    Outside
        Three counts.
    """
    sizes = torch.as_tensor(radii).double().expand(len(positions))
    half = torch.tensor(field, dtype=torch.float64) / 2
    beyond = positions.detach().double().abs() - half  # how far each centre is past each side
    past = beyond.amax(-1) if len(positions) else beyond.new_zeros(0)
    corner = beyond.clamp(min=0).norm(dim=-1)  # distance of the centre to the box
    return Outside(
        cut=int((past > -sizes).sum()),
        centers=int((past > 0).sum()),
        entirely=int(((corner >= sizes) & (past > 0)).sum()),
    )
