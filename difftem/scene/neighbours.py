"""Spheres that overlap each other or leave a field."""

from typing import NamedTuple

import numpy as np
import torch
from scipy.spatial import KDTree
from torch import Tensor


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
    # Classes of like size: within the reach of the large there are crowds of the small.
    classes = np.floor(np.log2(np.maximum(sizes, 1e-6))).astype(np.int64)
    members = [np.flatnonzero(classes == each) for each in np.unique(classes)]
    trees = [KDTree(points[each]) for each in members]
    total = 0
    for i, large in enumerate(members):
        for j, small in enumerate(members[: i + 1]):
            reach = float(sizes[large].max() + sizes[small].max())
            pairs = trees[i].sparse_distance_matrix(trees[j], reach, output_type="ndarray")
            a, b = large[pairs["i"]], small[pairs["j"]]
            touching = (sizes[a] + sizes[b]) * (1 - 1e-12)
            hit = (pairs["v"] < touching) & (a < b if large is small else True)
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
