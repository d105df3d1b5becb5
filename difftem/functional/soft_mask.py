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
    diameter, edge : float
        Of what has the weight 1, and width of the edge outside of it, in voxels.

    Returns
    -------
    Tensor
        Between 0 and 1, float64.

    Examples
    --------
    >>> from difftem.functional.soft_mask import soft_ball
    >>> disc = soft_ball((9, 9), diameter=4.0, edge=2.0)
    >>> [round(value, 3) for value in disc[4].tolist()]  # across its middle
    [0.0, 0.5, 1.0, 1.0, 1.0, 1.0, 1.0, 0.5, 0.0]
    """
    if not (diameter > 0 and edge > 0):
        raise ValueError(f"diameter and edge must be positive, got {diameter} and {edge} voxels")
    grids = torch.meshgrid([torch.arange(n).double() - n // 2 for n in shape], indexing="ij")
    beyond = radius(grids) - diameter / 2
    return 0.5 * (1 + torch.cos(math.pi * (beyond / edge).clamp(0.0, 1.0)))


def masked(
    volume: Tensor,  # shape
    weight: Tensor,  # shape
) -> Tensor:  # shape
    """Multiply a volume without its mean under a mask by the mask: what is left has no step.

    Examples
    --------
    >>> import torch
    >>> from difftem.functional.soft_mask import masked, soft_ball
    >>> left = masked(torch.full((9, 9), 7.0), soft_ball((9, 9), diameter=4.0, edge=2.0))
    >>> left.abs().max().item() < 1e-6  # of a constant nothing is left, no disc either
    True
    """
    weight = weight.to(volume)
    mean = (volume * weight).sum(dtype=torch.float64) / weight.sum(dtype=torch.float64)
    return (volume - mean.to(volume)) * weight
