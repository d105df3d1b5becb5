"""Structural similarity (SSIM) of images, in two ranges, and of volumes."""

from functools import reduce

import torch
from torch import Tensor

from difftem.functional.published_error import min_max

_WINDOW, _WIDTH = 11, 1.5  # pixels
_STEADY = (0.01**2, 0.03**2)
_SECTIONS = 16  # of a volume that are worked on at once


def truth_range_similarity(
    estimate: Tensor,  # (..., y, x)
    truth: Tensor,  # (..., y, x)
) -> Tensor:  # (...)
    """SSIM in units of the range of the truth; a Gaussian window of 1.5 pixels.

    Parameters
    ----------
    estimate, truth : Tensor
        In the same units, shape ``(..., y, x)``, 11 pixels wide at least.

    Returns
    -------
    Tensor
        At most 1, float64.

    References
    ----------
    Wang, Bovik, Sheikh & Simoncelli, IEEE Trans. Image Process. 13 (2004) 600, equation 13.
    """
    low, high = truth.amin((-2, -1), keepdim=True), truth.amax((-2, -1), keepdim=True)
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
    """
    return _similarity(min_max(estimate), min_max(truth))


def volume_similarity(
    estimate: Tensor,  # (z, y, x)
    truth: Tensor,  # (z, y, x)
) -> Tensor:  # ()
    """SSIM of two volumes in units of the range of the truth; a Gaussian ball of 1.5 voxels.

    Parameters
    ----------
    estimate, truth : Tensor
        In the same units, shape ``(z, y, x)``, 11 voxels wide at least.

    Returns
    -------
    Tensor
        At most 1, float64.
    """
    low, high = truth.min(), truth.max()
    span = (high - low).clamp(min=1e-12)
    n = truth.shape[0] - _WINDOW + 1
    total = torch.zeros((), dtype=torch.float64, device=truth.device)
    for start in range(0, max(n, 1), _SECTIONS):
        rows = slice(start, start + _SECTIONS + _WINDOW - 1)
        a, b = ((each[rows] - low) / span for each in (estimate, truth))
        total += _similarity_map(a, b, (-3, -2, -1)).sum(dtype=torch.float64)
    return total / (n * (truth.shape[1] - _WINDOW + 1) * (truth.shape[2] - _WINDOW + 1))


def _similarity(first: Tensor, second: Tensor) -> Tensor:
    """Mean SSIM of images whose range is 1."""
    return _similarity_map(first, second, (-2, -1)).mean((-2, -1))


def _similarity_map(first: Tensor, second: Tensor, axes: tuple[int, ...]) -> Tensor:
    """SSIM of pixels of images whose range is 1: torchmetrics' takes 5 kB a pixel in float64."""
    sides = [first.shape[axis] for axis in axes]
    if min(sides) < _WINDOW:
        kind, unit = ("images", "pixels") if len(sides) == 2 else ("volumes", "voxels")
        size = " x ".join(map(str, sides))
        raise ValueError(f"SSIM needs {kind} of {_WINDOW} {unit} a side, got {size}")
    a, b = _windowed(first, axes), _windowed(second, axes)
    variance = (_windowed(first.square(), axes) - a * a).clamp(min=0.0)
    variance = variance + (_windowed(second.square(), axes) - b * b).clamp(min=0.0)
    covariance = _windowed(first * second, axes) - a * b
    light = (2 * a * b + _STEADY[0]) / (a * a + b * b + _STEADY[0])
    return light * (2 * covariance + _STEADY[1]) / (variance + _STEADY[1])


def _windowed(image: Tensor, axes: tuple[int, ...]) -> Tensor:  # 10 shorter along each axis
    """Weigh the surroundings of each pixel that has all of them by a Gaussian."""
    at = torch.arange(_WINDOW, dtype=image.dtype, device=image.device) - _WINDOW // 2
    weight = torch.exp(-0.5 * (at / _WIDTH) ** 2)
    for axis in axes:
        n = image.shape[axis] - _WINDOW + 1
        parts = (w * image.narrow(axis, k, n) for k, w in enumerate(weight / weight.sum()))
        image = reduce(torch.add, parts)
    return image
