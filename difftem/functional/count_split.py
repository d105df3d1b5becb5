"""One exposure split at random into two with independent noise."""

import math
from typing import NamedTuple

import torch
from torch import Tensor

_INTEGER = 1e-3  # electrons: counts that are whole to this are counts


class Parts(NamedTuple):
    """Two parts of an exposure, each whitened: noise of variance 1.

    Attributes
    ----------
    kept, held_out : Tensor
        `fraction` of the electrons, and the others, shape ``(..., y, x)``.
    fraction : float
        Of the electrons in `kept`.

    Examples
    --------
    >>> import torch
    >>> from difftem.functional.count_split import split_whitened
    >>> noise = torch.randn(256, 256, generator=torch.Generator().manual_seed(0))
    >>> parts = split_whitened(noise, 0.8, torch.Generator().manual_seed(1))
    >>> round(parts.kept.std().item(), 1), round(parts.target.std().item(), 1)
    (1.0, 2.0)
    """

    kept: Tensor
    held_out: Tensor
    fraction: float

    @property
    def target(self) -> Tensor:
        """The held-out part with the signal of the kept one; its noise has another variance."""
        return self.held_out * math.sqrt(self.fraction / (1 - self.fraction))


def thin_counts(
    counts: Tensor,  # (..., y, x)
    fraction: float,
    generator: torch.Generator | None = None,
) -> tuple[Tensor, Tensor]:  # (..., y, x) twice
    r"""Send each electron into one of two images by the throw of a coin.

    .. math:: C_1 \sim \mathrm{Binomial}(C, p), \qquad C_2 = C - C_1

    Of Poisson counts of mean λ the parts are Poisson counts of means pλ and (1 - p)λ, and
    independent of each other.

    Parameters
    ----------
    counts : Tensor
        Whole numbers, not negative.
    fraction : float
        p, between 0 and 1.
    generator : torch.Generator, optional
        Source of randomness.

    Returns
    -------
    tuple of Tensor
        Both parts; their sum is `counts`.

    Raises
    ------
    ValueError
        If `fraction` is not between 0 and 1, or `counts` are no counts.

    References
    ----------
    Kingman, Poisson Processes (1993), section 5.1.

    Examples
    --------
    >>> import torch
    >>> from difftem.functional.count_split import thin_counts
    >>> generator = torch.Generator().manual_seed(0)
    >>> counts = torch.poisson(torch.full((100, 100), 20.0), generator)
    >>> kept, held_out = thin_counts(counts, 0.25, generator)
    >>> round(kept.mean().item()), round(kept.var().item())  # Poisson counts again
    (5, 5)
    >>> torch.equal(kept + held_out, counts)
    True
    """
    _check_fraction(fraction)
    if not are_counts(counts):
        raise ValueError("counts must be whole numbers, not negative: use split_whitened")
    whole = counts.round()
    kept = torch.binomial(whole, torch.full_like(whole, fraction), generator=generator)
    return kept, whole - kept


def are_counts(
    counts: Tensor,  # (..., y, x)
) -> bool:
    """Tell whether all values are whole numbers that are not negative.

    Examples
    --------
    >>> import torch
    >>> from difftem.functional.count_split import are_counts
    >>> are_counts(torch.tensor([[3.0, 0.0]])), are_counts(torch.tensor([[3.0, 0.5]]))
    (True, False)
    """
    return bool(((counts - counts.round()).abs() < _INTEGER).all() and (counts > -_INTEGER).all())


def split_whitened(
    values: Tensor,  # (..., y, x)
    fraction: float,
    generator: torch.Generator | None = None,
    variance: Tensor | None = None,  # (..., y, x)
) -> Parts:
    r"""Split whitened values that are no counts by adding noise to one part and taking it off.

    .. math:: x_1 = \sqrt{p}\, x + \sqrt{1 - p}\, \epsilon, \qquad
              x_2 = \sqrt{1 - p}\, x - \sqrt{p}\, \epsilon

    With noise of variance 1 in x and ε each part has noise of variance 1, uncorrelated with that
    of the other; independent, where the noise of x is Gaussian. The signal of x comes with
    :math:`\sqrt{p}` and :math:`\sqrt{1 - p}`, as in whitened counts of p and 1 - p of the
    electrons.

    Parameters
    ----------
    values : Tensor
        White noise of variance 1 and a signal, shape ``(..., y, x)``.
    fraction : float
        p, between 0 and 1.
    generator : torch.Generator, optional
        Source of randomness.
    variance : Tensor, optional
        Of the noise at each pixel, such as ``1 + signal / sqrt(electrons)``; must broadcast.
        Default: 1.

    Returns
    -------
    Parts
        Both.

    Raises
    ------
    ValueError
        If `fraction` is not between 0 and 1.

    References
    ----------
    Pang et al., CVPR (2021) 2043, equation 9.

    Examples
    --------
    >>> import torch
    >>> from difftem.functional.count_split import split_whitened
    >>> generator = torch.Generator().manual_seed(0)
    >>> parts = split_whitened(1 + torch.randn(256, 256, generator=generator), 0.5, generator)
    >>> round(parts.kept.mean().item(), 1)  # √0.5 of the signal
    0.7
    >>> pair = torch.stack([parts.kept, parts.held_out]).flatten(1)
    >>> bool(torch.corrcoef(pair)[0, 1].abs() < 0.02)  # their noise is independent
    True
    """
    _check_fraction(fraction)
    noise = torch.randn(values.shape, generator=generator, dtype=values.dtype, device=values.device)
    if variance is not None:
        noise = noise * variance.clamp(min=0.0).sqrt()
    a, b = math.sqrt(fraction), math.sqrt(1 - fraction)
    return Parts(a * values + b * noise, b * values - a * noise, fraction)


def split_exposure(
    values: Tensor,  # (..., y, x)
    electrons: float,
    fraction: float = 0.5,
    generator: torch.Generator | None = None,
) -> Parts:
    """Split a whitened exposure: by electrons where its values are counts, else by added noise.

    Parameters
    ----------
    values : Tensor
        ``(counts - electrons) / sqrt(electrons)``, shape ``(..., y, x)``.
    electrons : float
        Per pixel.
    fraction : float
        Of the electrons in the kept part, between 0 and 1.
    generator : torch.Generator, optional
        Source of randomness.

    Returns
    -------
    Parts
        Each whitened by its own number of electrons.

    Raises
    ------
    ValueError
        If `fraction` is not between 0 and 1.

    Examples
    --------
    >>> import torch
    >>> from difftem.functional.count_split import are_counts, split_exposure
    >>> generator = torch.Generator().manual_seed(0)
    >>> counts = torch.poisson(torch.full((16, 16), 20.0), generator)
    >>> parts = split_exposure((counts - 20) / 20**0.5, 20.0, 0.5, generator)
    >>> are_counts(parts.kept * 10**0.5 + 10)  # of about 10 electrons per pixel
    True
    """
    counts = values * math.sqrt(electrons) + electrons
    if not are_counts(counts):
        return split_whitened(values, fraction, generator)
    kept, held_out = thin_counts(counts, fraction, generator)
    m = fraction * electrons, (1 - fraction) * electrons
    return Parts((kept - m[0]) / math.sqrt(m[0]), (held_out - m[1]) / math.sqrt(m[1]), fraction)


def _check_fraction(fraction: float) -> None:
    """Refuse parts that are empty."""
    if not 0 < fraction < 1:
        raise ValueError(f"fraction must be between 0 and 1, got {fraction}")
