"""A Gaussian filter of the width that predicts the image best."""

import math

import torch
from torch import Tensor

from difftem.baselines.summed import summed
from difftem.functional.cosine import cosine_transform, inverse_cosine_transform
from difftem.functional.wiener import ring_sums

_N_WIDTHS = 64  # tried at a time
_ZOOMS = 3
_SMALLEST = 0.05  # pixel: no filter


def gaussian(
    exposures: Tensor,  # (n, y, x)
    electrons: float,
    generator: torch.Generator | None = None,
) -> Tensor:  # (y, x)
    """Smooth whitened exposures with the Gaussian that `best_width` finds.

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
    >>> from difftem.baselines.gaussian import gaussian
    >>> x = torch.linspace(-3.0, 3.0, 64)
    >>> signal = 3 * torch.exp(-(x[:, None] ** 2) - x**2)
    >>> exposures = signal + torch.randn(2, 64, 64, generator=torch.Generator().manual_seed(0))
    >>> round((gaussian(exposures, electrons=20.0) - signal).square().mean().item(), 2)  # 1 before
    0.01
    """
    image, _, scale = summed(exposures, electrons)
    spectrum = cosine_transform(image)
    width = best_width(spectrum)
    for axis, n in enumerate(image.shape):
        gain = _gain(torch.arange(n).to(spectrum) / (2 * n), width)
        spectrum = spectrum * (gain[:, None] if axis == 0 else gain)
    return inverse_cosine_transform(spectrum) / scale


def best_width(
    spectrum: Tensor,  # (y, x)
) -> float:  # pixel
    r"""Find the standard deviation of the Gaussian whose held-out likelihood is highest.

    An image X with unit noise falls apart into two with independent noise,
    :math:`A = X + \sqrt{(1-p)/p}\,Z` and :math:`B = X - \sqrt{p/(1-p)}\,Z`, as counts do into
    binomial parts. What the filtered A predicts of B is worth, in nats and on average over Z,

    .. math:: \frac{1 - p}{2} \sum \left[ 2 G (X^2 - 1) - G^2 \left(X^2 - 1 + \frac{1}{p}\right)
              \right]

    over the ordinates X; p = 1 is the whole image, and the sum Stein's unbiased estimate of what
    the filter gains.

    Parameters
    ----------
    spectrum : Tensor
        Cosine transform of an image with white noise of variance 1, shape ``(y, x)``.

    Returns
    -------
    float
        In pixels.

    References
    ----------
    Stein, Ann. Statist. 9 (1981) 1135, theorem 1.

    Examples
    --------
    >>> import torch
    >>> from difftem.baselines.gaussian import best_width
    >>> from difftem.functional.cosine import cosine_transform
    >>> noise = torch.randn(64, 64, generator=torch.Generator().manual_seed(0))
    >>> best_width(cosine_transform(noise)) > 16  # in noise alone: nothing is to be left
    True
    """
    power, number = (part.double() for part in ring_sums(spectrum))
    q = torch.arange(len(power)).to(power) / (2 * max(spectrum.shape))
    low, high = math.log(_SMALLEST), math.log(max(1.0, 2 * max(spectrum.shape)))
    for _ in range(_ZOOMS):
        widths = torch.linspace(low, high, _N_WIDTHS).to(power)
        gain = _gain(q, widths.exp()[:, None])
        best = (gain * (2 * (power - number) - gain * power)).sum(-1).argmax()
        step = (high - low) / (_N_WIDTHS - 1)
        low, high = float(widths[best]) - step, float(widths[best]) + step
    return math.exp(float(widths[best]))


def _gain(q: Tensor, width: float | Tensor) -> Tensor:
    """Fourier transform of a Gaussian of a standard deviation in pixels, at q cycles/pixel."""
    return torch.exp(-2 * (math.pi * width * q) ** 2)
