"""How far an estimate of an image is from the truth, image by image."""

import torch
from torch import Tensor


def normalised_error(
    estimate: Tensor,  # (..., y, x)
    truth: Tensor,  # (..., y, x)
) -> Tensor:  # (...)
    r"""Normalised mean squared error (NMSE): 0 for the truth, 1 for its mean everywhere.

    .. math:: \frac{\sum (\hat t - t)^2}{\sum (t - \bar t)^2}

    Parameters
    ----------
    estimate, truth : Tensor
        In the same units, shape ``(..., y, x)``.

    Returns
    -------
    Tensor
        float64; infinite where the truth is constant and the estimate is not the truth.

    Examples
    --------
    >>> import torch
    >>> from difftem.functional.image_error import normalised_error
    >>> truth = torch.tensor([[0.0, 1.0], [2.0, 3.0]])
    >>> normalised_error(truth.mean().expand(2, 2), truth).item()
    1.0
    """
    estimate, truth = estimate.double(), truth.double()
    return _mean(estimate - truth) / _mean(truth - truth.mean((-2, -1), keepdim=True))


def peak_signal_to_noise(
    estimate: Tensor,  # (..., y, x)
    truth: Tensor,  # (..., y, x)
) -> Tensor:  # (...) dB
    r"""Peak signal to noise ratio (PSNR); the peak is the range of the truth.

    .. math:: 10 \log_{10} \frac{(\max t - \min t)^2}{\overline{(\hat t - t)^2}}

    It is the same in electrons per pixel and in whitened values, and nothing is clipped or
    stretched.

    Parameters
    ----------
    estimate, truth : Tensor
        In the same units, shape ``(..., y, x)``.

    Returns
    -------
    Tensor
        dB, float64.

    Examples
    --------
    >>> import torch
    >>> from difftem.functional.image_error import peak_signal_to_noise
    >>> truth = torch.tensor([[0.0, 10.0]])
    >>> peak_signal_to_noise(truth + 1, truth).item()  # an error of a tenth of the range: 20 dB
    20.0
    """
    estimate, truth = estimate.double(), truth.double()
    span = truth.amax((-2, -1)) - truth.amin((-2, -1))
    return 10 * torch.log10(span**2 / _mean(estimate - truth))


def correlation(
    first: Tensor,  # (..., y, x)
    second: Tensor,  # (..., y, x)
) -> Tensor:  # (...)
    """Pearson's correlation of the pixels of two images; 0 where one of them is constant.

    Parameters
    ----------
    first, second : Tensor
        In any units, shape ``(..., y, x)``.

    Returns
    -------
    Tensor
        Between -1 and 1, float64.

    Examples
    --------
    >>> import torch
    >>> from difftem.functional.image_error import correlation
    >>> image = torch.tensor([[0.0, 1.0], [2.0, 3.0]])
    >>> round(correlation(image, 5 - 2 * image).item(), 6)  # contrast reversed
    -1.0
    """
    a, b = (each.double() - each.double().mean((-2, -1), keepdim=True) for each in (first, second))
    norm = torch.sqrt(_mean(a) * _mean(b))
    return torch.where(norm > 0, (a * b).mean((-2, -1)) / norm.clamp(min=1e-300), norm)


def _mean(difference: Tensor) -> Tensor:
    """Mean square of each image."""
    return difference.square().mean((-2, -1))
