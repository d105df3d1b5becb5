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

    Examples
    --------
    >>> import torch
    >>> from difftem.functional.published_error import min_max
    >>> min_max(torch.tensor([[2.0, 4.0], [6.0, 10.0]])).tolist()
    [[0.0, 0.25], [0.5, 1.0]]
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

    Examples
    --------
    >>> import torch
    >>> from difftem.functional.published_error import min_max_squared_error
    >>> truth = torch.tensor([[0.0, 0.5], [0.5, 1.0]])
    >>> min_max_squared_error(4 * truth + 100, truth).item()  # scale and offset do not count
    0.0
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

    Examples
    --------
    >>> import torch
    >>> from difftem.functional.published_error import min_max_peak_signal_to_noise
    >>> truth, estimate = torch.tensor([[0.0, 0.5, 1.0]]), torch.tensor([[0.0, 0.6, 1.0]])
    >>> round(min_max_peak_signal_to_noise(estimate, truth).item(), 2)  # dB, -10 lg(0.1² / 3)
    24.77
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

    Examples
    --------
    >>> import torch
    >>> from difftem.functional import published_error as by
    >>> truth, estimate = torch.tensor([[[0.0, 0.5, 0.5, 1.0]], [[0.0, 0.6, 0.7, 1.0]]])
    >>> round(by.min_max_focal_frequency(estimate, truth).item(), 4)
    0.0105
    >>> round(by.min_max_squared_error(estimate, truth).item(), 4)
    0.0125
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

    Examples
    --------
    >>> import torch
    >>> from difftem.functional.published_error import SBD_VACUUM, clipped_peak_signal_to_noise
    >>> truth = torch.full((8, 8), SBD_VACUUM)  # e/pixel
    >>> round(clipped_peak_signal_to_noise(truth + 0.1, truth).item(), 2)  # dB
    20.0
    """
    error = estimate.double().clamp(0.0, 1.0) - truth.double().clamp(0.0, 1.0)
    return -10 * torch.log10(error.square().mean((-2, -1)))
