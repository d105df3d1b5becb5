"""Sites of a Pt particle, occupied or not, before defects."""

import math
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import KDTree

from difftem.scene.nanoparticle.lattice import Floats, Whole, fcc_indices, to_profile
from difftem.scene.nanoparticle.outline import TOUCH, Outline

_REACH = 1.2  # times the nearest distance: the next ones are at 1.41
TWIN_PLANES = {"parallel": (1, 1, 1), "inclined": (1, 1, -1)}  # both contain the beam


@dataclass(frozen=True, eq=False)
class Metal:
    """Sites of a crystal in and around an outline, ordered.

    Attributes
    ----------
    positions : ndarray
        In Å about the outline's centre in the profile's frame, shape ``(n, 3)``.
    columns : ndarray
        Number of the column of each site, shape ``(n,)``.
    occupied : ndarray
        Shape ``(n,)``.
    edge : float
        Of the cubic cell in Å.
    bottom : float
        y in Å of the lowest layer.
    pairs : ndarray
        Sites at the nearest distance of each other, both ways round, shape ``(m, 2)``.
    """

    positions: Floats
    columns: Whole
    occupied: NDArray[np.bool_]
    edge: float
    bottom: float
    pairs: Whole

    def coordination(self) -> Whole:
        """Count the occupied neighbours of each site, shape ``(n,)``."""
        first, second = self.pairs.T
        counts = np.bincount(first, weights=self.occupied[second], minlength=len(self.positions))
        return counts.astype(np.int64)

    def of_columns(self) -> tuple[Floats, Whole]:
        """Return x and y of every column, ``(m, 2)``, and how many of its sites are occupied."""
        sizes = np.bincount(self.columns)
        sums = [np.bincount(self.columns, weights=self.positions[:, axis]) for axis in (0, 1)]
        counts = np.bincount(self.columns, weights=self.occupied).astype(np.int64)
        return np.stack(sums, axis=1) / sizes[:, None], counts

    def with_occupied(self, occupied: NDArray[np.bool_]) -> "Metal":
        """Occupy other sites."""
        return replace(self, occupied=occupied)


def cut_metal(
    outline: Outline,
    edge: float,  # Å
    offset: Floats,  # (3,) cell edges
    bottom: float,  # Å
    twin: tuple[str, float] | None = None,
) -> Metal:
    """Cut a particle from a crystal.

    Parameters
    ----------
    outline : Outline
        About the origin.
    edge : float
        Of the cubic cell in Å.
    offset : ndarray
        Of a lattice point from the centre, in cell edges, shape ``(3,)``.
    bottom : float
        y in Å below which the oxide is.
    twin : tuple of str and float, optional
        Which plane of `TWIN_PLANES`, and its distance from the centre in Å; beyond it the crystal
        and its outline are mirrored.

    Returns
    -------
    Metal
        With the sites outside that an atom may sit on.
    """
    half = edge / 2
    furthest = np.abs(np.stack(outline.bounds())).max(axis=0)
    reach = math.ceil(math.hypot(*furthest) / half) + 4
    indices = fcc_indices(reach)
    points = to_profile(indices * half + offset * edge)
    depth = outline.depth(points)
    keys = np.stack([np.zeros(len(indices), int), indices[:, 0] + indices[:, 1], indices[:, 2]], 1)
    if twin is not None:
        points, depth, keys = _twinned(points, depth, keys, outline, twin)
    near = (depth > -edge / math.sqrt(3)) & (points[:, 1] < bottom + TOUCH)
    points, depth, keys = points[near], depth[near], keys[near]
    # The lowest layer is the parent's: it lies flat on the oxide.
    flat = points[(depth > 0) & (keys[:, 0] == 0), 1]
    lowest = float(flat.max()) if len(flat) else bottom
    above = points[:, 1] < lowest + TOUCH
    points, depth, keys = points[above], depth[above], keys[above]
    columns = np.unique(keys, axis=0, return_inverse=True)[1].reshape(-1)
    one_way = KDTree(points).query_pairs(_REACH * edge / math.sqrt(2), output_type="ndarray")
    pairs = np.concatenate([one_way, one_way[:, ::-1]]).astype(np.int64)
    return Metal(points, columns, depth > 0, edge, lowest, pairs)


def _twinned(
    points: Floats, depth: Floats, keys: Whole, outline: Outline, twin: tuple[str, float]
) -> tuple[Floats, Floats, Whole]:
    """Mirror what lies on one side of the atomic plane next to a distance."""
    normal = to_profile(np.array([TWIN_PLANES[twin[0]]])) / math.sqrt(3)
    along = points @ normal[0]
    plane = along[np.argmin(np.abs(along - twin[1]))]
    parent = along <= plane + TOUCH
    below = along < plane - TOUCH
    mirrored = points[below] - 2 * (along[below] - plane)[:, None] * normal
    # The mirrored crystal has the mirrored faces, at their distances from the same centre.
    flipped = outline.normals - 2 * (outline.normals @ normal[0])[:, None] * normal
    twin_depth = Outline(flipped, outline.distances).depth(mirrored)
    twin_keys = keys[below] + np.array([1, 0, 0])
    return (
        np.concatenate([points[parent], mirrored]),
        np.concatenate([depth[parent], twin_depth]),
        np.concatenate([keys[parent], twin_keys]),
    )
