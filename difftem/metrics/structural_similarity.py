"""Structural similarity (SSIM) of images, image by image, in two ranges."""

import torch
from torch import Tensor
from torchmetrics.functional.image import structural_similarity_index_measure

from difftem.functional.published_error import min_max


def truth_range_similarity(
    estimate: Tensor,  # (..., y, x)
    truth: Tensor,  # (..., y, x)
) -> Tensor:  # (...)
    """SSIM in units of the range of the truth; a Gaussian window of 1.5 pixels.

    Parameters
    ----------
    estimate, truth : Tensor
        In the same units, shape ``(..., y, x)``, more than 5 pixels wide.

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
        Each in units of its own, shape ``(..., y, x)``, more than 5 pixels wide.

    Returns
    -------
    Tensor
        At most 1, float64.
    """
    return _similarity(min_max(estimate), min_max(truth))


def _similarity(first: Tensor, second: Tensor) -> Tensor:
    """SSIM of images whose range is 1."""
    a, b = (each.reshape(-1, 1, *each.shape[-2:]) for each in (first, second))
    found = structural_similarity_index_measure(a, b, data_range=1.0, reduction="none")
    return torch.as_tensor(found).double().reshape(first.shape[:-2])
