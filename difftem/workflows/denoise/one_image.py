"""From exposures of one field to one image without noise."""

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from difftem.functional.cosine import cosine_transform
from difftem.functional.wiener import ring_sums
from difftem.micrograph.whitened import WhitenedExposures
from difftem.workflows.denoise.methods import Denoiser


@dataclass(frozen=True, eq=False)
class ImageNumbers:
    """What one image came to.

    Attributes
    ----------
    exposures : int
        Of the field.
    electrons : float
        Effective electrons per pixel in each.
    signal_share : float
        Variance of the estimate over that of the signal and noise in the mean of the exposures.
    residual_variance : float
        Of the whitened residual, in units of the noise: 1 where nothing but noise was taken off.
    noise : dict
        What was found about the camera.
    """

    exposures: int
    electrons: float
    signal_share: float
    residual_variance: float
    noise: dict[str, Any]


@dataclass(frozen=True, eq=False)
class RingCurves:
    """Ring-averaged power in units of the noise, for the figure.

    Attributes
    ----------
    frequency : Tensor
        Cycles/pixel.
    observed, estimate, residual : Tensor
        Of the mean of the exposures, of what was made of it, and of their difference.
    """

    frequency: Tensor
    observed: Tensor
    estimate: Tensor
    residual: Tensor


def estimate_image(
    whitened: WhitenedExposures,
    denoiser: Denoiser,
    generator: torch.Generator,
) -> Tensor:  # (y, x)
    """Estimate the expected value of one exposure, in whitened units.

    Parameters
    ----------
    whitened : WhitenedExposures
        Of one field.
    denoiser : callable
        One of `difftem.workflows.denoise.methods`.
    generator : torch.Generator
        For methods that draw.

    Returns
    -------
    Tensor
        Its mean is that of the exposures.

    Raises
    ------
    ValueError
        If the method returns what is not finite.
    """
    estimate = denoiser(whitened.values, whitened.electrons, generator)
    if not bool(torch.isfinite(estimate).all()):
        raise ValueError("the method returned values that are not finite")
    # Noise in the mean of a whole image is far below any grey value that matters.
    return estimate + (whitened.values.mean() - estimate.mean())


def compare(
    whitened: WhitenedExposures,
    estimate: Tensor,  # (y, x)
    noise: dict[str, Any],
) -> tuple[ImageNumbers, RingCurves]:
    """Tell how much was taken for signal, and whether the rest is noise.

    Parameters
    ----------
    whitened : WhitenedExposures
        Of one field.
    estimate : Tensor
        From `estimate_image`.
    noise : dict
        To be kept with the numbers.

    Returns
    -------
    numbers : ImageNumbers
        Of this image.
    curves : RingCurves
        Of this image.
    """
    n, ny, nx = whitened.values.shape
    observed = whitened.values.mean(0)
    residual = observed - estimate
    curves = [n * _rings(each) for each in (observed, estimate, residual)]
    rings = torch.arange(len(curves[0])) / (2 * max(ny, nx))
    inside = (rings > 0) & (rings <= 0.5)
    variance = observed.var()
    numbers = ImageNumbers(
        n,
        whitened.electrons,
        float(estimate.var() / variance),
        float(n * residual.var()),
        noise,
    )
    return numbers, RingCurves(rings[inside], *(each[inside] for each in curves))


def _rings(image: Tensor) -> Tensor:
    """Power on rings, 1 for white noise of variance 1."""
    power, number = ring_sums(cosine_transform(image))
    return (power / number.clamp(min=1)).cpu()
