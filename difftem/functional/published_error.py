"""Errors as two papers define them: comparable with the figures of those papers only."""

import torch
from torch import Tensor

from difftem.functional.focal_frequency import focal_frequency_distance

SBD_VACUUM = 0.45  # e/pixel of the images that SBD scores


def min_max(
    image: Tensor,  # (..., y, x)
) -> Tensor:  # (..., y, x)
    """Stretch each image to the range from 0 to 1; a constant one is 0.

    Noise and outliers decide what the range is: two images of one signal get two scales.

    Parameters
    ----------
    image : Tensor
        In any units, shape ``(..., y, x)``.

    Returns
    -------
    Tensor
        float64.
    """
    image = image.double()
    low, high = image.amin((-2, -1), keepdim=True), image.amax((-2, -1), keepdim=True)
    span = torch.where(high > low, high - low, torch.ones_like(low))
    return (image - low) / span


def min_max_squared_error(
    estimate: Tensor,  # (..., y, x)
    truth: Tensor,  # (..., y, x)
) -> Tensor:  # (...)
    """Mean squared error of two images after `min_max` of each.

    Parameters
    ----------
    estimate, truth : Tensor
        Each in units of its own, shape ``(..., y, x)``.

    Returns
    -------
    Tensor
        Between 0 and 1, float64.
    """
    return (min_max(estimate) - min_max(truth)).square().mean((-2, -1))


def min_max_peak_signal_to_noise(
    estimate: Tensor,  # (..., y, x)
    truth: Tensor,  # (..., y, x)
) -> Tensor:  # (...) dB
    """PSNR of peak 1 of two images after `min_max` of each.

    Parameters
    ----------
    estimate, truth : Tensor
        Each in units of its own, shape ``(..., y, x)``.

    Returns
    -------
    Tensor
        dB, float64.
    """
    return -10 * torch.log10(min_max_squared_error(estimate, truth))


def min_max_focal_frequency(
    estimate: Tensor,  # (..., y, x)
    truth: Tensor,  # (..., y, x)
) -> Tensor:  # (...)
    """Focal frequency distance (gamma 1) of two images after `min_max` of each.

    Parameters
    ----------
    estimate, truth : Tensor
        Each in units of its own, shape ``(..., y, x)``.

    Returns
    -------
    Tensor
        float64; at most the mean squared error.

    References
    ----------
    Jiang, Dai, Wu & Loy, ICCV (2021) 13919, equations 7 to 9.
    """
    return focal_frequency_distance(min_max(estimate), min_max(truth))


def clipped_peak_signal_to_noise(
    estimate: Tensor,  # (..., y, x)
    truth: Tensor,  # (..., y, x)
) -> Tensor:  # (...) dB
    """PSNR of peak 1 of images that are cut off below 0 and above 1, as SBD takes it.

    SBD's images are in electrons per pixel with 0.45 of them in vacuum, and their truth spans 0.3
    and not 1: it is some 10.6 dB more than by the range of the truth, and 26.3 dB for a constant.

    Parameters
    ----------
    estimate, truth : Tensor
        In units in which the vacuum is `SBD_VACUUM`, shape ``(..., y, x)``.

    Returns
    -------
    Tensor
        dB, float64.

    References
    ----------
    Vincent et al., Microsc. Microanal. 27 (2021) 1431 (SBD).
    """
    error = estimate.double().clamp(0.0, 1.0) - truth.double().clamp(0.0, 1.0)
    return -10 * torch.log10(error.square().mean((-2, -1)))
