"""Soft masks in real space: a ball with a cosine edge, and what a mask leaves of a volume."""

import math

import torch
from torch import Tensor

from difftem.functional.grid import radius


def soft_ball(
    shape: tuple[int, ...],
    diameter: float,  # voxels
    edge: float,  # voxels
) -> Tensor:  # shape
    """Weigh a ball (a disc in an image) around voxel n // 2 by 1, and fall to 0 as a cosine.

    Parameters
    ----------
    shape : tuple of int
        Of an image or a volume.
    diameter : float
        Of what has the weight 1, in voxels.
    edge : float
        Width of the edge outside of it, in voxels; 0 is a hard edge.

    Returns
    -------
    Tensor
        Between 0 and 1, float64.

    Raises
    ------
    ValueError
        If the diameter is not positive or the edge is negative.
    """
    if not (diameter > 0 and edge >= 0):
        raise ValueError(f"diameter must be positive, got {diameter} voxels with an edge of {edge}")
    axes = []
    for axis, n in enumerate(shape):
        view = [-1 if other == axis else 1 for other in range(len(shape))]
        axes.append((torch.arange(n, dtype=torch.float64) - n // 2).view(view))
    beyond = radius(tuple(axes)) - diameter / 2
    if edge == 0:
        return (beyond <= 0).double()
    return 0.5 * (1 + torch.cos(math.pi * (beyond / edge).clamp(0.0, 1.0)))


def masked(
    volume: Tensor,  # (..., *shape)
    weight: Tensor,  # shape
) -> Tensor:  # (..., *shape)
    """Multiply a volume without its mean under a mask by the mask: what is left has no step.

    Parameters
    ----------
    volume : Tensor
        Image, images or volume, shape ``(..., *shape)``.
    weight : Tensor
        Of its last axes.

    Returns
    -------
    Tensor
        Of sum 0, in the type of `volume`.
    """
    weight = weight.to(volume)
    axes = tuple(range(-weight.ndim, 0))
    total = weight.sum(dtype=torch.float64)
    mean = (volume * weight).sum(axes, keepdim=True, dtype=torch.float64) / total
    return (volume - mean.to(volume)) * weight
