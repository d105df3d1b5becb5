"""Outlines of particles: faces at distances from a centre."""

import itertools
import math
from dataclasses import dataclass

import numpy as np

from difftem.scene.nanoparticle.lattice import Floats, to_profile
from difftem.scene.synthetic.draw import Draw

# Surface energies of Pt in J/m²: {111}, {100}, {110}. Vitos et al., Surf. Sci. 411 (1998) 186.
_ENERGIES = {1: 2.734, 2: 2.819, 3: 2.299}  # by the number of indices that are not 0
_IRREGULAR = 0.75, 1.25
TOUCH = 1e-6  # Å: an atom on a face is inside on every machine


@dataclass(frozen=True, eq=False)
class Outline:
    """A convex body about the origin.

    Attributes
    ----------
    normals : ndarray
        Of its faces in the profile's frame, of length 1, shape ``(n, 3)``.
    distances : ndarray
        From the origin in Å, shape ``(n,)``.
    """

    normals: Floats
    distances: Floats

    def depth(self, points: Floats) -> Floats:
        """How far points lie inside of the nearest face in Å, negative outside, ``(n,)``."""
        x, y, z = points.T[:, :, None]
        along = x * self.normals[:, 0] + y * self.normals[:, 1] + z * self.normals[:, 2]
        return (self.distances - along).min(axis=1) + TOUCH

    def bounds(self) -> tuple[Floats, Floats]:
        """Lowest and highest x, y and z of the body in Å."""
        from scipy.spatial import HalfspaceIntersection

        planes = np.concatenate([self.normals, -self.distances[:, None]], axis=1)
        corners = HalfspaceIntersection(planes, np.zeros(3)).intersections
        return corners.min(axis=0), corners.max(axis=0)

    def scaled(self, factor: float) -> "Outline":
        """Return the same body, larger or smaller."""
        return Outline(self.normals, self.distances * factor)


def faces(*kinds: int) -> Floats:
    """List the {100} (1), {110} (2) and {111} (3) faces by their indices, shape ``(n, 3)``."""
    every = itertools.product((-1.0, 0.0, 1.0), repeat=3)
    return np.array([each for each in every if np.count_nonzero(each) in kinds])


def octahedron(truncation: float) -> Outline:
    """Octahedron whose corners lie at 1 and are cut; 0 is whole, 1 the cuboctahedron.

    At 2/3 it is the regular truncated octahedron, whose edges are all of one length.
    """
    indices = faces(1, 3)
    cut = 1 - truncation / 2
    distances = np.where(np.abs(indices).sum(1) == 3, 1 / math.sqrt(3), cut)
    return Outline(_normals(indices), distances)


def wulff() -> Outline:
    """Equilibrium outline of a free Pt crystal: distances as the faces' energies."""
    indices = faces(1, 2, 3)
    energies = [_ENERGIES[int(each)] for each in np.abs(indices).sum(1)]
    return Outline(_normals(indices), np.array(energies) / _ENERGIES[3])


def irregular(draw: Draw) -> Outline:
    """Draw each distance of the equilibrium outline for itself."""
    even = wulff()
    low, high = _IRREGULAR
    factors = low + (high - low) * draw.numbers(len(even.distances)).numpy()
    return Outline(even.normals, even.distances * factors)


def draw_outline(shape: str, truncation: float, width: float, draw: Draw) -> Outline:
    """Outline of a class of shapes whose width along x is given in Å."""
    if shape == "octahedron":
        unit = octahedron(truncation)
    elif shape == "cuboctahedron":
        unit = octahedron(1.0)
    else:
        unit = irregular(draw) if shape == "irregular" else wulff()
    low, high = unit.bounds()
    return unit.scaled(width / float(high[0] - low[0]))


def _normals(indices: Floats) -> Floats:
    """Return unit vectors in the profile's frame."""
    length = np.sqrt((indices**2).sum(1, keepdims=True))
    return to_profile(indices) / length
