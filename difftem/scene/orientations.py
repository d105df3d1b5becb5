"""Orientations of copies: random, equal, turned in the plane, standing on a surface."""

import math
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

from difftem.functional.pose import random_rotations, rotation_from_vector

Orientation = Literal["random", "fixed", "in_plane", "preferred"]


@dataclass(frozen=True)
class Preference:
    """How copies that stick to a surface are turned.

    Attributes
    ----------
    axis : tuple of float
        Of the particle, x, y, z of any length: what points along the beam.
    spread_deg : float
        Standard deviation, in degrees, of its angle to the beam along each of two directions.
    share : float
        Of the copies; the others are turned at random.
    flipped : float
        Share of these whose axis points against the beam.
    """

    axis: tuple[float, float, float] = (0.0, 0.0, 1.0)
    spread_deg: float = 10.0
    share: float = 1.0
    flipped: float = 0.0


def orientations(
    n: int,
    kind: Orientation,
    generator: torch.Generator,
    rotation: Tensor | None = None,
    preference: Preference | None = None,
) -> Tensor:  # (n, 3, 3)
    """Rotations of n copies.

    Parameters
    ----------
    n : int
        How many.
    kind : {"random", "fixed", "in_plane", "preferred"}
        Evenly over all rotations; all alike; all alike but turned at random about z, the beam; or
        as `preference` has it.
    generator : torch.Generator
        Source of randomness.
    rotation : Tensor, optional
        What comes first, shape ``(3, 3)``. Default: the particle as it is.
    preference : Preference, optional
        Of "preferred". Default: z along the beam, within 10 degrees.

    Returns
    -------
    Tensor
        Active, float64, ``(n, 3, 3)``.

    Raises
    ------
    ValueError
        If the kind is none of these.
    """
    first = torch.eye(3, dtype=torch.float64) if rotation is None else rotation.double()
    if kind == "random":
        return random_rotations(n, generator) @ first
    if kind == "fixed":
        return first.repeat(n, 1, 1)
    if kind == "in_plane":
        return _about_z(n, generator) @ first
    if kind == "preferred":
        return _preferred(n, generator, preference or Preference()) @ first
    raise ValueError(f"orientations must be random, fixed, in_plane or preferred, got {kind!r}")


def _preferred(n: int, generator: torch.Generator, wanted: Preference) -> Tensor:  # (n, 3, 3)
    r"""Rotations that scatter an axis about the beam, turned at random about that axis.

    Its directions are those of von Mises and Fisher, of a density proportional to
    :math:`e^{\kappa \cos\theta}` on the sphere with :math:`\kappa = 1 / \sigma^2`: a Gaussian cone.
    The cosine is drawn by inverting its cumulative distribution [1]_.

    .. [1] Wood, Commun. Stat. Simul. Comput. 23 (1994) 157.
    """
    random = random_rotations(n, generator)
    shares = torch.rand(n, 4, generator=generator, dtype=torch.float64)
    spread = math.radians(wanted.spread_deg)
    cosine = torch.ones(n, dtype=torch.float64)
    if spread > 0:
        kappa = spread**-2
        least = math.exp(-2 * kappa)
        cosine = 1 + torch.log(least + (1 - least) * (1 - shares[:, 0])) * spread**2
    sine = torch.sqrt((1 - cosine**2).clamp_min(0))
    azimuth = 2 * math.pi * shares[:, 1]
    direction = torch.stack([sine * azimuth.cos(), sine * azimuth.sin(), cosine], 1)
    direction = torch.where(shares[:, 2:3] < wanted.flipped, -direction, direction)
    axis = torch.tensor([wanted.axis], dtype=torch.float64)
    upright_axis = _to_normal(axis / axis.norm()).mT
    turned = _to_normal(direction) @ _about_z(n, generator) @ upright_axis
    return torch.where(shares[:, 3, None, None] < wanted.share, turned, random)


def upright(
    normals: Tensor,  # (n, 3)
    tilt: Tensor,  # (n,) rad
    generator: torch.Generator,
) -> Tensor:  # (n, 3, 3)
    """Rotations that stand a particle's z axis up on a surface, leaning at random.

    Parameters
    ----------
    normals : Tensor
        Outward unit vectors, shape ``(n, 3)``.
    tilt : Tensor
        Angle between normal and the particle's axis in rad, shape ``(n,)``.
    generator : torch.Generator
        Source of the direction it leans to and of its turn about its own axis.

    Returns
    -------
    Tensor
        Active, float64, ``(n, 3, 3)``.
    """
    n = len(normals)
    lean = torch.zeros(n, 3, dtype=torch.float64)
    lean[:, 1] = tilt.double()
    turned, spin = _about_z(n, generator), _about_z(n, generator)
    return _to_normal(normals.double()) @ turned @ rotation_from_vector(lean) @ spin


def _about_z(n: int, generator: torch.Generator) -> Tensor:  # (n, 3, 3)
    """Random rotations about z."""
    vector = torch.zeros(n, 3, dtype=torch.float64)
    vector[:, 2] = 2 * math.pi * torch.rand(n, generator=generator, dtype=torch.float64)
    return rotation_from_vector(vector)


def _to_normal(normals: Tensor) -> Tensor:  # (n, 3, 3)
    """Rotations that take z to each normal, about the axis at right angles to both."""
    x, y, z = normals.unbind(-1)
    sine = torch.hypot(x, y)
    angle = torch.atan2(sine, z)
    # On the poles any axis will do: x.
    pole = sine < 1e-12
    safe = torch.where(pole, 1.0, sine)
    axis = torch.stack([torch.where(pole, 1.0, -y / safe), x / safe * ~pole, 0 * z], -1)
    return rotation_from_vector(angle[:, None] * axis)
