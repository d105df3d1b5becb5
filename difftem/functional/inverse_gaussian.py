"""Random numbers of the inverse Gaussian (Wald) distribution."""

import torch
from torch import Tensor

MIN_VARIANCE = 1e-6  # less than this is none


def sample_inverse_gaussian(
    mean: Tensor,  # (...)
    variance: Tensor,  # (...)
    generator: torch.Generator | None = None,
) -> Tensor:  # (...)
    r"""Draw positive numbers of a given mean μ and variance s².

    .. math:: p(x) = \sqrt{\frac{\lambda}{2 \pi x^3}}\,
              e^{-\lambda (x - \mu)^2 / 2 \mu^2 x}, \qquad \lambda = \mu^3 / s^2

    With a Poisson count n as mean and a variance of (1/DQE − 1) n this is TEM-simulator's detector,
    in which every electron leaves a signal of random strength: the sum of n signals has just this
    distribution.

    Parameters
    ----------
    mean : Tensor
        Not negative; where it is 0, so is the result.
    variance : Tensor
        Where it is below 1e-6, the result is the mean.
    generator : torch.Generator, optional
        Source of randomness.

    Returns
    -------
    Tensor
        Shape and dtype of the mean; without gradient.

    References
    ----------
    Michael, Schucany & Haas, Am. Stat. 30 (1976) 88; Rullgård et al., J. Microscopy 243 (2011) 234.

    Examples
    --------
    >>> import torch
    >>> from difftem.functional.inverse_gaussian import sample_inverse_gaussian
    >>> electrons = torch.full((10000,), 20.0)
    >>> signal = sample_inverse_gaussian(electrons, electrons / 4, torch.Generator().manual_seed(0))
    >>> round(signal.mean().item()), round(signal.var().item())  # DQE 0.8: 1/DQE - 1 = 1/4
    (20, 5)
    """
    mean, variance = mean.detach(), variance.detach().expand_as(mean)
    random = (mean > 0) & (variance >= MIN_VARIANCE)
    mu = torch.where(random, mean, 1.0).double()
    spread = torch.where(random, variance, 1.0).double() / mu**2  # mu / lambda
    chi2 = torch.empty_like(mu).normal_(generator=generator) ** 2
    # The smaller root x of lambda (x - mu)^2 = chi2 mu^2 x, over mu, without cancellation.
    half = spread * chi2 / 2
    small = 1 / (1 + half + torch.sqrt(half * (2 + half)))
    uniform = torch.empty_like(mu).uniform_(generator=generator)
    drawn = mu * torch.where(uniform * (1 + small) <= 1, small, 1 / small)
    return torch.where(random, drawn.to(mean.dtype), mean)
