"""How sure an image is: its standard deviation, and what of it a blank image would not show."""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from difftem.baselines.summed import summed
from difftem.functional.cosine import cosine_transform
from difftem.functional.wiener import ring_sums, wiener_estimate
from difftem.micrograph.camera_noise import CameraNoise
from difftem.micrograph.whitened import WhitenedExposures
from difftem.networks import DeviationNetwork
from difftem.workflows.denoise.deviation import (
    error_model_by_sure,
    network_deviation,
    standard_deviation,
)
from difftem.workflows.denoise.false_positives import find_false_positives
from difftem.workflows.denoise.mark import mark
from difftem.workflows.denoise.methods import Denoiser
from difftem.workflows.denoise.scales import surface

# Specks that thresholds are to let through in a blank megapixel: a twentieth of what may be left,
# since the network and its balance differ more from image to image than from window to window.
PER_MPX = 0.05
_BAND = 1.3  # upper over lower frequency
_SIGMAS = 3.0


@dataclass(frozen=True, eq=False)
class MarkedImage:
    """What of an estimate is more than the method makes of blank images.

    Attributes
    ----------
    estimate : Tensor
        Outside of the marks the even light that lies under the image, whitened, shape ``(y, x)``.
    regions : int
        That are marked.
    thresholds : dict of float to float
        In units of the noise, by the blur's standard deviation in pixels.
    blank_mpx : float
        Area of blank image that the thresholds are from.
    """

    estimate: Tensor
    regions: int
    thresholds: dict[float, float]
    blank_mpx: float

    def sentence(self) -> str:
        """Say in one line what was marked."""
        return (
            f"{self.regions} regions exceed what the method makes of blank images of this dose "
            f"(thresholds for {PER_MPX:g} of those per megapixel, from {self.blank_mpx:.2g} blank "
            "megapixels)"
        )


def image_deviation(
    denoiser: Denoiser,
    whitened: WhitenedExposures,
    estimate: Tensor,  # (y, x)
    generator: torch.Generator,
    trained: DeviationNetwork | None = None,
) -> Tensor:  # (y, x)
    """Estimate the standard deviation of an estimate, whitened.

    By the network that was trained for the method, where there is one; or else by Stein's
    estimate, for which the method runs once more.
    """
    if trained is not None:
        image, _, scale = summed(whitened.values, whitened.electrons)
        return network_deviation(trained, estimate * scale, wiener_estimate(image)) / scale
    weights = error_model_by_sure(
        denoiser, whitened.values, whitened.electrons, estimate, generator
    )
    return standard_deviation(estimate, weights)


def error_amplitude(noise: CameraNoise, whitened: WhitenedExposures) -> float:
    r"""Grey values of an estimate's error, to one in whitened units.

    The error of Wiener's filter has the spectrum G, its gain: the amplitude N of coloured noise is
    averaged over it,

    .. math:: A^2 = \sum_q G(q) N^2(q) \Big/ \sum_q G(q)

    over the bands where there is signal for sure.

    Parameters
    ----------
    noise : CameraNoise
        Of the exposures.
    whitened : WhitenedExposures
        They themselves.

    Returns
    -------
    float
        The square root of the noise's level where noise is white.
    """
    if noise.white:
        return float(noise.level**0.5)
    image = summed(whitened.values, whitened.electrons)[0]
    power, number = (each.cpu().double().numpy() for each in ring_sums(cosine_transform(image)))
    ring = np.arange(len(power))
    frequency = ring / (2 * max(image.shape))
    square = np.interp(frequency, noise.frequency.numpy(), noise.amplitude.numpy()) ** 2
    band = (np.log(ring.clip(min=1)) / np.log(_BAND)).astype(int)
    power, size, square = (np.bincount(band, each) for each in (power, number, number * square))
    signal = (power / size.clip(min=1) - 1).clip(min=0)
    sure = signal > _SIGMAS * np.sqrt(2 / size.clip(min=1))
    gain = np.where(sure, signal / (1 + signal), 0.0)
    if not sure.any():
        return float(noise.level**0.5)
    return float(np.sqrt((gain * square).sum() / (gain * size).sum()))


def mark_image(
    denoiser: Denoiser,
    whitened: WhitenedExposures,
    estimate: Tensor,  # (y, x)
    generator: torch.Generator,
) -> MarkedImage:
    """Keep of an estimate what blank images of the same dose would not show."""
    found = find_false_positives(denoiser, whitened.values, whitened.electrons, generator)
    thresholds = found.thresholds(PER_MPX)
    marked = mark(estimate, thresholds)
    shown = torch.where(marked.mask, estimate, surface(estimate))
    return MarkedImage(shown, marked.n_regions, thresholds, found.area_mpx)
