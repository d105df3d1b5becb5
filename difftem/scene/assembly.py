"""Particles built from parts: shells, blobs and copies of other particles."""

import math
from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from difftem.scene.poses import ParticlePoses


@dataclass(frozen=True, eq=False)
class Shell:
    """A potential that depends on the distance from the origin alone.

    With `axes`, it is stretched along x, y and z: what stood at u stands at (a_x u_x, ...).

    Attributes
    ----------
    radius : float
        Of the middle of the membrane in Å.
    radii : Tensor
        Distances in Å, increasing, ``(n,)``; beyond the last the potential is 0.
    values : Tensor
        Potential beyond that of ice in V at these distances, ``(n,)``.
    axes : tuple of float
        Stretch along x, y and z.
    """

    radius: float
    radii: Tensor
    values: Tensor
    axes: tuple[float, float, float] = (1.0, 1.0, 1.0)

    def potential_at(self, points: Tensor) -> Tensor:  # (...)
        """Potential beyond that of ice in V at points in Å, ``(..., 3)`` to ``(...)``."""
        distance = (points / torch.tensor(self.axes).to(points)).norm(dim=-1)
        radii, values = self.radii.to(points), self.values.to(points)
        upper = torch.searchsorted(radii, distance.contiguous()).clamp(1, len(radii) - 1)
        weight = (distance - radii[upper - 1]) / (radii[upper] - radii[upper - 1])
        between = torch.lerp(values[upper - 1], values[upper], weight.clamp(0, 1))
        return torch.where(distance > radii[-1], 0.0, between)

    def integral(self) -> float:
        """Potential summed over space in V Å³, by the trapezoidal rule."""
        whole = torch.trapezoid(4 * math.pi * self.radii**2 * self.values, self.radii)
        return float(whole) * math.prod(self.axes)


@dataclass(frozen=True, eq=False)
class Blob:
    """Equal isotropic Gaussians.

    Attributes
    ----------
    positions : Tensor
        Centres in Å, ``(n, 3)``.
    sigma : float
        Standard deviation along each axis in Å.
    peak : float
        Potential beyond that of ice at each centre in V.
    """

    positions: Tensor
    sigma: float
    peak: float

    def potential_at(self, points: Tensor) -> Tensor:  # (...)
        """Potential beyond that of ice in V at points in Å, ``(..., 3)`` to ``(...)``."""
        distance = torch.cdist(points.reshape(-1, 3), self.positions.to(points))
        waves = torch.exp(-(distance**2) / (2 * self.sigma**2)).sum(-1)
        return self.peak * waves.reshape(points.shape[:-1])

    def integral(self) -> float:
        """Potential summed over space in V Å³."""
        one = self.peak * (2 * math.pi * self.sigma**2) ** 1.5
        return len(self.positions) * one


@dataclass(frozen=True, eq=False)
class Copies:
    """Copies of a particle that has a template of its own.

    Attributes
    ----------
    instances : ParticlePoses
        Their particle, places and rotations. Its origin is the middle of the bounding box, as
        ``Atoms.centered`` has it.
    """

    instances: ParticlePoses


Part = Shell | Blob | Copies


@dataclass(frozen=True, eq=False)
class Assembly:
    """A particle as the sum of its parts.

    Attributes
    ----------
    name : str
        Of the particle.
    parts : tuple of Part
        Everything about one origin.
    radius : float
        Of a sphere about the origin that holds it, in Å.
    heavy_atoms : mapping of str to float
        How many atoms, without hydrogen, each component stands for.
    """

    name: str
    parts: tuple[Part, ...]
    radius: float
    heavy_atoms: Mapping[str, float]

    def total_heavy_atoms(self) -> float:
        """Sum of `heavy_atoms`."""
        return sum(self.heavy_atoms.values())

    def copies(self) -> tuple[ParticlePoses, ...]:
        """List the copies of other particles among the parts."""
        return tuple(part.instances for part in self.parts if isinstance(part, Copies))

    def densities(self) -> tuple[Shell | Blob, ...]:
        """Parts that are analytic."""
        return tuple(part for part in self.parts if not isinstance(part, Copies))
