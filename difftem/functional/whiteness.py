"""Is a residual white noise? Its ring spectrum against that of noise, as one number."""

from typing import NamedTuple

import torch
from torch import Tensor

from difftem.functional.grid import frequency_grid, radius


class WhitenessTest(NamedTuple):
    """What the spectrum of a residual says.

    Attributes
    ----------
    chi2 : float
        Likelihood ratio; of white noise it has a chi-squared distribution. Infinite where a ring
        has no power at all.
    freedom : int
        Degrees of freedom: the mean of `chi2` over residuals that are white noise.
    p_value : float
        Fraction of white noise with a `chi2` as large.
    deviation : float
        Root mean square over all frequencies of (power - 1), without what chance adds; 0 for white
        noise.

    Examples
    --------
    >>> from difftem.functional.whiteness import WhitenessTest
    >>> found = WhitenessTest(chi2=70.2, freedom=65, p_value=0.31, deviation=0.004)
    >>> round(found.chi2 / found.freedom, 2)  # about 1 for white noise
    1.08
    """

    chi2: float
    freedom: int
    p_value: float
    deviation: float


def ring_power(
    image: Tensor,  # (..., y, x)
    n_rings: int,
) -> Tensor:  # (..., 2, n_rings + 1)
    """Sum the power of an image over rings of equal width, and count what is summed.

    Sums and counts of several images may be added. Frequency 0 is left out; the corners beyond
    Nyquist are one more ring.

    Parameters
    ----------
    image : Tensor
        Shape ``(..., y, x)``.
    n_rings : int
        From 0 to Nyquist.

    Returns
    -------
    Tensor
        Power, in units in which white noise of variance 1 has 1 in every ordinate, and the number
        of ordinates; float64.

    Examples
    --------
    >>> import torch
    >>> from difftem.functional.whiteness import ring_power
    >>> noise = 2 * torch.randn(128, 128, generator=torch.Generator().manual_seed(0))
    >>> power, number = ring_power(noise, n_rings=4)
    >>> [round(p.item()) for p in power / number], int(number.sum())  # variance 4; 128² less one
    ([4, 4, 4, 4, 4], 16383)
    """
    ny, nx = image.shape[-2:]
    q = radius(frequency_grid((ny, nx), 1.0, half=True, device=image.device))
    index = (q * 2 * n_rings).long().clamp(max=n_rings).flatten()
    weight = torch.full_like(q, 2.0)  # the half that a real transform leaves out is its mirror
    weight[:, 0] = 1.0
    if nx % 2 == 0:
        weight[:, -1] = 1.0
    weight[0, 0] = 0.0
    power = torch.fft.rfft2(image.double(), norm="ortho").abs().square()
    values = torch.stack([power * weight, weight.expand_as(power)], -3).flatten(-2)
    return values.new_zeros(*values.shape[:-1], n_rings + 1).index_add(-1, index, values)


def whiteness_test(
    sums: Tensor,  # (2, rings)
    variance: float | None = 1.0,
) -> WhitenessTest:
    r"""Test whether a spectrum is flat.

    .. math:: \chi^2 = \frac1c \sum_k n_k \left( \frac{P_k}{v} - 1 - \ln\frac{P_k}{v} \right)

    With white Gaussian noise :math:`n_k P_k / v` has a chi-squared distribution of n degrees of
    freedom, and the sum is twice the logarithm of the likelihood ratio; c makes its mean the number
    of rings exactly (Bartlett's correction).

    Parameters
    ----------
    sums : Tensor
        As `ring_power` gives them, shape ``(2, rings)``.
    variance : float or None
        v of the noise; None takes it from the spectrum, which tests its shape only and costs a
        degree of freedom.

    Returns
    -------
    WhitenessTest
        Statistic, p-value and size of the deviation.

    Raises
    ------
    ValueError
        If `variance` is not positive.

    References
    ----------
    Bartlett, Proc. R. Soc. A 160 (1937) 268; Whittle, Ark. Mat. 2 (1953) 423.

    Examples
    --------
    >>> import torch
    >>> from difftem.functional.whiteness import ring_power, whiteness_test
    >>> noise = torch.randn(64, 64, generator=torch.Generator().manual_seed(0))
    >>> smooth = (noise + noise.roll(1, 1)) / 2**0.5  # of the same variance
    >>> [whiteness_test(ring_power(image, 16)).p_value > 0.01 for image in (noise, smooth)]
    [True, False]
    """
    if variance is not None and not variance > 0:
        raise ValueError(f"variance must be positive, got {variance}")
    total, n = sums[:, sums[1] > 0].double()
    level = total.sum() / n.sum() if variance is None else total.new_tensor(variance)
    relative = total / n / level
    expected = _excess(n).sum()
    freedom = len(n)
    if variance is None:
        expected, freedom = expected - _excess(n.sum()), freedom - 1
    chi2 = (n * (relative - 1 - torch.log(relative))).sum() * freedom / expected
    chi2 = torch.nan_to_num(chi2, nan=torch.inf, posinf=torch.inf)
    p_value = torch.special.gammaincc(chi2.new_tensor(freedom / 2), chi2 / 2)
    square = ((n * (relative - 1).square()).sum() - 2 * freedom) / n.sum()
    return WhitenessTest(float(chi2), freedom, float(p_value), float(square.clamp(min=0).sqrt()))


def _excess(n: Tensor) -> Tensor:
    """Mean of n (x - 1 - ln x) where n x has a chi-squared distribution: 1 + 1 / (3 n) + ..."""
    return n * (torch.log(n / 2) - torch.digamma(n / 2))
