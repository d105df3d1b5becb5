"""Structural similarity (SSIM) of images, image by image, in two ranges."""

from functools import reduce

import torch
from torch import Tensor

from difftem.functional.published_error import min_max

_WINDOW, _WIDTH = 11, 1.5  # pixels
_STEADY = (0.01**2, 0.03**2)


def truth_range_similarity(
    estimate: Tensor,  # (..., y, x)
    truth: Tensor,  # (..., y, x)
    axes: tuple[int, ...] = (-2, -1),
) -> Tensor:  # (...)
    """SSIM in units of the range of the truth; a Gaussian window of 1.5 pixels.

    Parameters
    ----------
    estimate, truth : Tensor
        In the same units, shape ``(..., y, x)``, 11 pixels wide at least.
    axes : tuple of int
        That the range is taken over; three for sections of a volume.

    Returns
    -------
    Tensor
        At most 1, float64.

    References
    ----------
    Wang, Bovik, Sheikh & Simoncelli, IEEE Trans. Image Process. 13 (2004) 600, equation 13.

    Examples
    --------
    >>> import torch
    >>> from difftem.metrics.structural_similarity import truth_range_similarity
    >>> truth = torch.rand(16, 16, generator=torch.Generator().manual_seed(0)).double()
    >>> [round(truth_range_similarity(a * truth, truth).item(), 2) for a in (1.0, 0.5)]
    [1.0, 0.64]
    """
    low, high = truth.amin(axes, keepdim=True), truth.amax(axes, keepdim=True)
    span = (high - low).clamp(min=1e-12)
    return _similarity((estimate - low) / span, (truth - low) / span)


def min_max_similarity(
    estimate: Tensor,  # (..., y, x)
    truth: Tensor,  # (..., y, x)
) -> Tensor:  # (...)
    """SSIM of two images after `difftem.functional.published_error.min_max` of each.

    Parameters
    ----------
    estimate, truth : Tensor
        Each in units of its own, shape ``(..., y, x)``, 11 pixels wide at least.

    Returns
    -------
    Tensor
        At most 1, float64.

    Examples
    --------
    >>> import torch
    >>> from difftem.metrics.structural_similarity import min_max_similarity
    >>> truth = torch.rand(16, 16, generator=torch.Generator().manual_seed(0)).double()
    >>> [round(min_max_similarity(a * truth, truth).item(), 2) for a in (1.0, 0.5)]  # no scale
    [1.0, 1.0]
    """
    return _similarity(min_max(estimate), min_max(truth))


def _similarity(first: Tensor, second: Tensor) -> Tensor:
    """SSIM of images whose range is 1: torchmetrics' takes 5 kB a pixel in float64."""
    if min(first.shape[-2:]) < _WINDOW:
        size = " x ".join(str(n) for n in first.shape[-2:])
        raise ValueError(f"SSIM needs images of {_WINDOW} pixels a side, got {size}")
    a, b = _windowed(first), _windowed(second)
    variance = (_windowed(first.square()) - a * a).clamp(min=0.0)
    variance = variance + (_windowed(second.square()) - b * b).clamp(min=0.0)
    covariance = _windowed(first * second) - a * b
    light = (2 * a * b + _STEADY[0]) / (a * a + b * b + _STEADY[0])
    return (light * (2 * covariance + _STEADY[1]) / (variance + _STEADY[1])).mean((-2, -1))


def _windowed(image: Tensor) -> Tensor:  # (..., y - 10, x - 10)
    """Weigh the surroundings of each pixel that has all of them by a Gaussian."""
    at = torch.arange(_WINDOW, dtype=image.dtype, device=image.device) - _WINDOW // 2
    weight = torch.exp(-0.5 * (at / _WIDTH) ** 2)
    for axis in (-2, -1):
        n = image.shape[axis] - _WINDOW + 1
        parts = (w * image.narrow(axis, k, n) for k, w in enumerate(weight / weight.sum()))
        image = reduce(torch.add, parts)
    return image
