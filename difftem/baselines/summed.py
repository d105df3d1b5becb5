"""Exposures of one field become one image with unit noise."""

import math

import torch
from torch import Tensor


def summed(
    exposures: Tensor,  # (n, y, x)
    electrons: float,
) -> tuple[Tensor, float, float]:  # (y, x)
    """Add exposures of one field so that the noise has variance 1 again.

    Parameters
    ----------
    exposures : Tensor
        Whitened: noise of variance 1 in each, shape ``(n, y, x)``.
    electrons : float
        Effective electrons per pixel in each.

    Returns
    -------
    image : Tensor
        Mean of the exposures times sqrt(n), shape ``(y, x)``.
    electrons : float
        Per pixel in all exposures.
    scale : float
        sqrt(n): an estimate of `image` over this is one of an exposure.

    Raises
    ------
    ValueError
        If exposures are not a stack of images with finite values, or the electrons not positive.
    """
    if exposures.ndim != 3 or not exposures.numel():
        raise ValueError(f"exposures must be a stack (n, y, x), got {tuple(exposures.shape)}")
    if not (math.isfinite(electrons) and electrons > 0):
        raise ValueError(f"electrons must be positive, got {electrons} per pixel")
    if not bool(torch.isfinite(exposures).all()):
        raise ValueError("exposures must be finite, got NaN or infinite values")
    n = len(exposures)
    return exposures.mean(0) * math.sqrt(n), n * electrons, math.sqrt(n)
