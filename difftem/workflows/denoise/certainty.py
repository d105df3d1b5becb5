"""How sure an image is: its standard deviation, and what of it a blank image would not show."""

from dataclasses import dataclass

import torch
from torch import Tensor

from difftem.baselines.summed import summed
from difftem.functional.wiener import wiener_estimate
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

PER_MPX = 0.2  # specks that a blank megapixel may show


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
            f"(fewer than {PER_MPX:g} of those per megapixel, from {self.blank_mpx:.2g} blank "
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
