"""What two halves of the data, denoised and as they are, say of a method."""

from typing import NamedTuple

import torch
from torch import Tensor

from difftem.functional.fourier_ring import ring_correlation, ring_products
from difftem.functional.hann import fade_to_edges

_NOTHING = 1e-6  # of the power of the recorded half: what windows, filters and rounding leave


class HalfAgreement(NamedTuple):
    """Correlations of halves.

    Attributes
    ----------
    denoised : Tensor
        FRC of both denoised halves, shape ``(n_rings,)``. What a method draws whatever it is given
        counts as agreement.
    with_raw : Tensor
        FRC of a denoised half and the other one as it was recorded: at most the root of `raw`.
    raw : Tensor
        FRC of the halves as they were recorded: SSNR / (1 + SSNR).
    correlation : float
        Estimate of the correlation of a denoised half with the truth; NaN where the halves share
        no signal.

    Examples
    --------
    >>> import torch
    >>> from difftem.functional.half_agreement import half_agreement, half_products
    >>> first, second, drawn = torch.randn(3, 64, 64, generator=torch.Generator().manual_seed(0))
    >>> found = half_agreement(half_products(drawn, drawn, first, second, n_rings=4))
    >>> round(found.denoised.mean().item(), 6)  # the method drew both without looking at the data
    1.0
    >>> bool(found.with_raw.abs().max() < 0.3)
    True
    """

    denoised: Tensor
    with_raw: Tensor
    raw: Tensor
    correlation: float


def half_products(
    first: Tensor,  # (y, x)
    second: Tensor,  # (y, x)
    raw_first: Tensor,  # (y, x)
    raw_second: Tensor,  # (y, x)
    n_rings: int,
) -> Tensor:  # (3, 3, n_rings)
    """Sum the spectra of two denoised halves and of the recorded ones over rings.

    Sums of several images may be added.

    Parameters
    ----------
    first, second : Tensor
        Denoised, shape ``(y, x)``.
    raw_first, raw_second : Tensor
        As they were recorded, whitened, with one amount of signal, shape ``(y, x)``. All are faded
        to their edges.
    n_rings : int
        From 0 to Nyquist.

    Returns
    -------
    Tensor
        `difftem.functional.fourier_ring.ring_products` of the denoised halves, of each with the
        other recorded one (both added), and of the recorded ones.

    Examples
    --------
    >>> import torch
    >>> from difftem.functional.half_agreement import half_products
    >>> first, second = torch.randn(2, 32, 32, generator=torch.Generator().manual_seed(0))
    >>> products = half_products(first / 2, second / 2, first, second, n_rings=4)
    >>> tuple(products.shape), torch.allclose(products[0], products[2] / 4)  # pairs, sums, rings
    ((3, 3, 4), True)
    """
    first, second = fade_to_edges(first), fade_to_edges(second)
    raw_first, raw_second = fade_to_edges(raw_first), fade_to_edges(raw_second)
    crossed = ring_products(first, raw_second, n_rings) + ring_products(second, raw_first, n_rings)
    pairs = ((first, second), (raw_first, raw_second))
    denoised, raw = (ring_products(a, b, n_rings) for a, b in pairs)
    return torch.stack([denoised, crossed, raw])


def half_agreement(
    products: Tensor,  # (3, 3, n_rings)
) -> HalfAgreement:
    r"""Correlate halves.

    The noise of a recorded half is independent of the other one and of what a method makes of that.
    So the correlation of a denoised half d with the truth is known without the truth:

    .. math:: \hat\rho = \frac{\langle d_1, r_2 \rangle + \langle d_2, r_1 \rangle}
              {\sqrt{(|d_1|^2 + |d_2|^2) \; 2 \langle r_1, r_2 \rangle}}

    Parameters
    ----------
    products : Tensor
        As `half_products` gives them, shape ``(3, 3, n_rings)``.

    Returns
    -------
    HalfAgreement
        Curves and correlation. Rings in which a method leaves less than a millionth of the power
        have a correlation of 0: what is there is not its estimate.

    Examples
    --------
    >>> import torch
    >>> from difftem.functional.half_agreement import half_agreement, half_products
    >>> signal, *noise = torch.randn(3, 128, 128, generator=torch.Generator().manual_seed(0))
    >>> first, second = (signal + each for each in noise)  # as much signal as noise, no denoiser
    >>> found = half_agreement(half_products(first, second, first, second, n_rings=8))
    >>> round(found.raw.mean().item(), 1), round(found.correlation, 1)  # 1/2, and √(1/2)
    (0.5, 0.7)
    """
    there = (products[0, 1:] > _NOTHING * products[2, 1:]).all(0)
    denoised, with_raw, raw = ring_correlation(products)
    denoised, with_raw = denoised * there, with_raw * there
    (_, first, second), (crossed, *_), (shared, *_) = products.sum(-1)
    found = crossed / torch.sqrt((first + second) * 2 * shared)  # NaN where nothing is shared
    return HalfAgreement(denoised, with_raw, raw, float(found))
