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

    Examples
    --------
    >>> import torch
    >>> from difftem.baselines.wiener import wiener
    >>> x = torch.linspace(-3.0, 3.0, 64)
    >>> signal = 3 * torch.exp(-(x[:, None] ** 2) - x**2)
    >>> exposures = signal + torch.randn(2, 64, 64, generator=torch.Generator().manual_seed(0))
    >>> round((wiener(exposures, electrons=20.0) - signal).square().mean().item(), 2)  # 1 before
    0.01
    """
    image, _, scale = summed(exposures, electrons)
    return wiener_estimate(image) / scale
