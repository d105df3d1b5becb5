"""Orientations of copies: random, equal, turned in the plane, standing on a surface."""

import math
from typing import Literal

import torch
from torch import Tensor

from difftem.functional.pose import random_rotations, rotation_from_vector

Orientation = Literal["random", "fixed", "in_plane"]


def orientations(
    n: int,
    kind: Orientation,
    generator: torch.Generator,
    rotation: Tensor | None = None,
) -> Tensor:  # (n, 3, 3)
    """Rotations of n copies.

    Parameters
    ----------
    n : int
        How many.
    kind : {"random", "fixed", "in_plane"}
        Evenly over all rotations; all alike; or all alike but turned at random about z, the beam.
    generator : torch.Generator
        Source of randomness.
    rotation : Tensor, optional
        What comes first, shape ``(3, 3)``. Default: the particle as it is.

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
    raise ValueError(f"orientations must be random, fixed or in_plane, got {kind!r}")


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
