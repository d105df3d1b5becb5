"""Spikes on a membrane: feet apart, axes leaning, heads clear of each other and of the membrane."""

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from difftem.scene.orientations import upright
from difftem.scene.packing import PackingRequest, pack
from difftem.scene.poses import ParticlePoses
from difftem.scene.regions import SphereSurface

_BATCHES, _TURNS = 20, 10  # directions to lean to that are tried for each spike


@dataclass(frozen=True)
class SpikeShape:
    """What matters of a spike for setting it up; z is its axis and points away from the membrane.

    Attributes
    ----------
    particle : str
        Name of its template.
    foot : float
        Distance in Å from its foot to its origin, the middle of its bounding box.
    stalk : float
        Length in Å of the invisible stalk between membrane and foot.
    body : tuple of (float, float)
        Spheres that hold it: place on its axis from the origin, and radius, in Å.
    """

    particle: str
    foot: float
    stalk: float
    body: tuple[tuple[float, float], ...]


# 6VXX: its threefold axis is z, S1 at high z; 159.4 Å long, at most 71 Å off the axis (measured).
# The stalk to the membrane, residues 1148 to 1234, is about 10 nm (Turoňová et al. 2020, Science
# 370, 203); the length it has here, with its bends, is assumed.
SPIKE_6VXX = SpikeShape("6vxx", 79.7, 80.0, ((-60.0, 36.0), (-20.0, 50.0), (30.0, 72.0)))


def lean(
    n: int, mean_deg: float, largest_deg: float, generator: torch.Generator
) -> Tensor:  # (n,) rad
    r"""Draw angles between spikes and the normal with a given mean, up to a largest.

    Their density grows as a power, :math:`p(\theta) \propto \theta^{1/k - 1}` with
    :math:`k = \theta_{max} / \bar\theta - 1`.

    Parameters
    ----------
    n : int
        How many.
    mean_deg, largest_deg : float
        In degrees, 0 <= mean < largest < 90.
    generator : torch.Generator
        Source of randomness.

    Returns
    -------
    Tensor
        In rad, float64, ``(n,)``.
    """
    if not (0 <= mean_deg < largest_deg < 90 or mean_deg == largest_deg == 0):
        raise ValueError(
            f"tilts must obey 0 <= mean < largest < 90°, got {mean_deg}° and {largest_deg}°"
        )
    uniform = torch.rand(n, generator=generator, dtype=torch.float64)
    if mean_deg == 0:
        return torch.zeros_like(uniform)
    return math.radians(largest_deg) * uniform ** (largest_deg / mean_deg - 1)


def stand_spikes(
    n: int,
    radius: float,
    shape: SpikeShape,
    tilt: Tensor,
    generator: torch.Generator,
    spacing: float,
    axes: tuple[float, float, float] = (1.0, 1.0, 1.0),
) -> ParticlePoses:
    """Stand spikes on a sphere, or on an ellipsoid, so that none touches another or the surface.

    Parameters
    ----------
    n : int
        How many.
    radius : float
        Of the outer surface in Å.
    shape : SpikeShape
        Of the spike.
    tilt : Tensor
        Angle to the normal of each in rad, ``(n,)``.
    generator : torch.Generator
        Source of places, directions to lean to and turns about the axis.
    spacing : float
        Least distance between two feet in Å.
    axes : tuple of float
        Stretch of the surface along x, y and z, each at least 1.

    Returns
    -------
    ParticlePoses
        The spikes.

    Raises
    ------
    ValueError
        If they do not fit.
    """
    (points,) = pack([PackingRequest(SphereSurface(radius), spacing / 2, n, "spikes")], generator)
    stretch = torch.tensor(axes, dtype=torch.float64)
    feet = points * stretch
    normals = points / stretch / (points / stretch).norm(dim=-1, keepdim=True)
    places = torch.tensor([place for place, _ in shape.body], dtype=torch.float64)
    sizes = torch.tensor([size for _, size in shape.body], dtype=torch.float64)
    reach = shape.stalk + shape.foot
    bodies = torch.zeros(0, len(places), 3, dtype=torch.float64)
    rotations = []
    for i in range(n):
        for _ in range(_BATCHES):
            tries = upright(normals[i].repeat(_TURNS, 1), tilt[i].repeat(_TURNS), generator)
            body = feet[i] + (reach + places)[:, None] * tries[:, None, :, 2]
            free = _clear_of_surface(body, sizes, radius, stretch)
            free &= _clear_of_each_other(body, bodies, sizes)
            if free.any():
                break
        else:
            raise ValueError(
                f"only {i} of {n} spikes stand free at a tilt of {math.degrees(tilt[i]):.0f}°; use "
                "fewer spikes, a larger virion or smaller tilts"
            )
        first = int(free.nonzero()[0])
        bodies = torch.cat([bodies, body[first : first + 1]])
        rotations.append(tries[first])
    turned = torch.stack(rotations) if n else torch.zeros(0, 3, 3, dtype=torch.float64)
    return ParticlePoses(shape.particle, feet + reach * turned[:, :, 2], turned)


def _clear_of_each_other(body: Tensor, bodies: Tensor, sizes: Tensor) -> Tensor:
    """Tell which tries overlap none of the spikes that stand."""
    gaps = torch.cdist(body.flatten(0, 1), bodies.flatten(0, 1))
    gaps = gaps.unflatten(0, body.shape[:2]).unflatten(2, bodies.shape[:2])
    return (gaps >= sizes[:, None, None] + sizes).flatten(1).all(-1)


def _clear_of_surface(body: Tensor, sizes: Tensor, radius: float, stretch: Tensor) -> Tensor:
    """Tell which tries have all their spheres outside an ellipsoid whose axes are 1 or more."""
    # Shrinking space to the sphere makes distances shorter: clear there is clear here.
    return ((body / stretch).norm(dim=-1) - radius >= sizes).all(-1)
