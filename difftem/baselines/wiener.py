"""Wiener's filter on the sum of the exposures."""

import torch
from torch import Tensor

from difftem.baselines.summed import summed
from difftem.functional.wiener import wiener_estimate


def wiener(
    exposures: Tensor,  # (n, y, x)
    electrons: float,
    generator: torch.Generator | None = None,
) -> Tensor:  # (y, x)
    """Filter whitened exposures by the signal-to-noise ratio of every ring of their spectrum.

    Parameters
    ----------
    exposures : Tensor
        Whitened: noise of variance 1 in each, shape ``(n, y, x)``.
    electrons : float
        Effective electrons per pixel in each; not used.
    generator : torch.Generator, optional
        Not used.

    Returns
    -------
    Tensor
        Estimate of an exposure without noise, shape ``(y, x)``.
    """
    image, _, scale = summed(exposures, electrons)
    return wiener_estimate(image) / scale
