"""Regions of space that particles are put into: a box, a film of ice, a ball, a sphere's surface.

Each draws centres for spheres of a given radius, evenly over all places where such a sphere may
be, and says how much of it a sphere fills.
"""

import math
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor

# Densest that spheres and discs become by random sequential addition (Zhang & Torquato 2013).
JAMMED_SPHERES = 0.384
JAMMED_DISCS = 0.547


class Region(Protocol):
    """Where particles may be."""

    @property
    def flat(self) -> bool:
        """Whether it is a surface: sizes are areas."""

    @property
    def size(self) -> float:
        """Volume in Å³, or area in Å² of a surface."""

    def draw(self, n: int, radius: float, generator: torch.Generator) -> Tensor:  # (m, 3)
        """Draw centres of spheres; of `n` tries, m hit the region."""

    def __str__(self) -> str:
        """Words for a message."""


def jammed(region: Region) -> float:
    """Fraction that equal spheres fill of a region once random addition comes to a halt."""
    return JAMMED_DISCS if region.flat else JAMMED_SPHERES


def filled(region: Region, radius: float, n: float) -> float:
    """Fraction of a region that n spheres fill, or of a surface that their discs cover."""
    one = math.pi * radius**2 if region.flat else 4 / 3 * math.pi * radius**3
    return n * one / region.size if region.size > 0 else 0.0


@dataclass(frozen=True)
class BoxRegion:
    """A box about the origin; with a depth of 0, a rectangle.

    Attributes
    ----------
    width, height, depth : float
        Along x, y and z in Å.
    whole_xy, whole_z : bool
        Keep whole spheres inside along these axes, or only their centres: copies may then be cut
        by the edge of the field.
    """

    width: float
    height: float
    depth: float
    whole_xy: bool = True
    whole_z: bool = True

    def __post_init__(self) -> None:
        """Check the sides."""
        sides = (self.width, self.height, self.depth)
        if not all(math.isfinite(side) and side >= 0 for side in sides):
            raise ValueError(f"sides of a box must be 0 Å or more, got {sides}")

    @property
    def flat(self) -> bool:
        """Whether it is a rectangle."""
        return self.depth == 0

    @property
    def size(self) -> float:
        """Volume in Å³, or area in Å² of a rectangle."""
        return self.width * self.height * (1 if self.flat else self.depth)

    def draw(self, n: int, radius: float, generator: torch.Generator) -> Tensor:
        """Draw centres, all of them inside."""
        room = torch.tensor([self.width, self.height, self.depth], dtype=torch.float64)
        whole = torch.tensor([self.whole_xy, self.whole_xy, self.whole_z and not self.flat])
        room = room - 2 * radius * whole
        if (room < 0).any():
            return room.new_zeros(0, 3)
        return (torch.rand(n, 3, generator=generator, dtype=torch.float64) - 0.5) * room

    def __str__(self) -> str:
        sides = (self.width, self.height) if self.flat else (self.width, self.height, self.depth)
        return " x ".join(f"{side:.0f}" for side in sides) + " Å"


def layer(width: float, height: float, thickness: float, cut_at_edges: bool = False) -> BoxRegion:
    """Make the region of a film of even thickness t, -t/2 <= z <= t/2, over a rectangle.

    Parameters
    ----------
    width, height : float
        Of the field in Å.
    thickness : float
        t in Å; spheres stay inside it.
    cut_at_edges : bool
        Let spheres reach over the edges of the field, as they do in micrographs.

    Returns
    -------
    BoxRegion
        The region.
    """
    return BoxRegion(width, height, thickness, whole_xy=not cut_at_edges)


@dataclass(frozen=True)
class FilmRegion:
    r"""Ice in a round hole, thinner or thicker at its middle.

    Its surfaces are :math:`z = \pm\left[z_c + (z_e - z_c)\,\rho^2 / R^2\right]` with half the
    thickness at the centre, :math:`z_c`, and at the edge, :math:`z_e`.

    Attributes
    ----------
    diameter : float
        2R of the hole in Å.
    thickness_center, thickness_edge : float
        In Å.

    References
    ----------
    Rullgård et al., J. Microscopy 243 (2011) 234.
    """

    diameter: float
    thickness_center: float
    thickness_edge: float

    def __post_init__(self) -> None:
        """Check the sizes."""
        sizes = (self.diameter, self.thickness_center, self.thickness_edge)
        if not all(math.isfinite(size) and size > 0 for size in sizes):
            raise ValueError(f"diameter and thicknesses of ice must be positive, got {sizes} Å")

    @property
    def flat(self) -> bool:
        """Never a surface."""
        return False

    @property
    def size(self) -> float:
        """Volume in Å³."""
        mean = (self.thickness_center + self.thickness_edge) / 2
        return math.pi / 4 * self.diameter**2 * mean

    def surface(self, distance: Tensor) -> Tensor:  # (...)
        """Height of the upper surface in Å at a distance ρ in Å from the axis, ``(...)``."""
        rise = (self.thickness_edge - self.thickness_center) / 2
        return self.thickness_center / 2 + rise * (2 * distance / self.diameter) ** 2

    def draw(self, n: int, radius: float, generator: torch.Generator) -> Tensor:
        """Draw centres whose spheres lie in the ice and off the wall of the hole."""
        reach = self.diameter / 2 - radius
        top = max(self.thickness_center, self.thickness_edge) / 2 - radius
        if reach < 0 or top < 0:
            return torch.zeros(0, 3, dtype=torch.float64)
        uniform = torch.rand(n, 3, generator=generator, dtype=torch.float64)
        distance, azimuth = reach * uniform[:, 0].sqrt(), 2 * math.pi * uniform[:, 1]
        z = top * (2 * uniform[:, 2] - 1)
        curvature = 2 * (self.thickness_edge - self.thickness_center) / self.diameter**2
        slope = 2 * curvature * distance
        # Below the tangent, and below what a bulging surface falls beneath it within the radius.
        needed = radius * torch.sqrt(1 + slope**2) + max(-curvature, 0.0) * radius**2
        inside = self.surface(distance) - z.abs() >= needed
        points = torch.stack([distance * azimuth.cos(), distance * azimuth.sin(), z], -1)
        return points[inside]

    def __str__(self) -> str:
        return (
            f"a hole of {self.diameter:.0f} Å with {self.thickness_center:.0f} to "
            f"{self.thickness_edge:.0f} Å of ice"
        )


@dataclass(frozen=True)
class Ball:
    """The inside of a sphere about the origin.

    Attributes
    ----------
    radius : float
        In Å; whole spheres are kept inside.
    """

    radius: float

    @property
    def flat(self) -> bool:
        """Never a surface."""
        return False

    @property
    def size(self) -> float:
        """Volume in Å³."""
        return 4 / 3 * math.pi * self.radius**3

    def draw(self, n: int, radius: float, generator: torch.Generator) -> Tensor:
        """Draw centres, all of them inside."""
        if self.radius < radius:
            return torch.zeros(0, 3, dtype=torch.float64)
        distance = torch.rand(n, 1, generator=generator, dtype=torch.float64) ** (1 / 3)
        return (self.radius - radius) * distance * _directions(n, generator)

    def __str__(self) -> str:
        return f"a ball of radius {self.radius:.0f} Å"


@dataclass(frozen=True)
class SphereSurface:
    """The surface of a sphere about the origin: feet of spikes on a membrane.

    Attributes
    ----------
    radius : float
        In Å. Spheres of radius r centred on it keep their feet 2 r apart in a straight line.
    """

    radius: float

    @property
    def flat(self) -> bool:
        """Always a surface."""
        return True

    @property
    def size(self) -> float:
        """Area in Å²."""
        return 4 * math.pi * self.radius**2

    def draw(self, n: int, radius: float, generator: torch.Generator) -> Tensor:
        """Draw points of the surface."""
        return self.radius * _directions(n, generator)

    def __str__(self) -> str:
        return f"the surface of a sphere of radius {self.radius:.0f} Å"


def _directions(n: int, generator: torch.Generator) -> Tensor:  # (n, 3)
    """Draw unit vectors, evenly over the sphere."""
    vector = torch.randn(n, 3, generator=generator, dtype=torch.float64)
    return vector / vector.norm(dim=-1, keepdim=True)
