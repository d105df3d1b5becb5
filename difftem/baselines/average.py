"""The average of the exposures: what every other method must beat."""

import torch
from torch import Tensor

from difftem.baselines.summed import summed


def average(
    exposures: Tensor,  # (n, y, x)
    electrons: float,
    generator: torch.Generator | None = None,
) -> Tensor:  # (y, x)
    """Average whitened exposures; one exposure is given back as it is.

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
    >>> from difftem.baselines.average import average
    >>> exposures = torch.randn(4, 64, 64, generator=torch.Generator().manual_seed(0))
    >>> round(average(exposures, electrons=20.0).std().item(), 1)  # 1 / √4
    0.5
    """
    image, _, scale = summed(exposures, electrons)
    return image / scale
