"""From exposures of one field to one image without noise."""

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from difftem.functional.cosine import cosine_transform
from difftem.functional.wiener import ring_sums
from difftem.micrograph.camera_noise import CameraNoise
from difftem.micrograph.whitened import WhitenedExposures
from difftem.workflows.denoise.certainty import error_amplitude, image_deviation, mark_image
from difftem.workflows.denoise.noise import noise_numbers
from difftem.workflows.denoise.options import DenoiseOptions
from difftem.workflows.denoise.prepare import ReadyNetwork, prepared_method


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
    sentence : str
        What was found about the camera.
    noise : dict
        The same in numbers, and those of the marks.
    """

    exposures: int
    electrons: float
    signal_share: float
    residual_variance: float
    sentence: str
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


@dataclass(frozen=True, eq=False)
class DenoisedImage:
    """One image without noise, in grey values of one exposure, on the CPU.

    Attributes
    ----------
    mean, residual : Tensor
        Estimate, and what was taken off the mean of the exposures, shape ``(y, x)``.
    std, marked : Tensor or None
        Standard deviation, and the estimate where it exceeds that of blank images.
    marked_sentence : str
        What was marked.
    numbers : ImageNumbers
        What it came to.
    curves : RingCurves
        Its spectra.
    """

    mean: Tensor
    residual: Tensor
    std: Tensor | None
    marked: Tensor | None
    marked_sentence: str
    numbers: ImageNumbers
    curves: RingCurves


def denoise_image(
    exposures: Tensor,  # (n, y, x)
    noise: CameraNoise,
    pixel_size: float | None,
    name: str,
    options: DenoiseOptions,
    ready: ReadyNetwork | None,
    generator: torch.Generator,
    with_std: bool,
    progress: bool,
) -> DenoisedImage:
    """Denoise exposures of one field.

    Parameters
    ----------
    exposures : Tensor
        Grey values without bad pixels, shape ``(n, y, x)``.
    noise : CameraNoise
        Of these.
    pixel_size : float or None
        Å.
    name : str
        Of the method.
    options : DenoiseOptions
        What was asked for.
    ready : ReadyNetwork or None
        Of the method.
    generator : torch.Generator
        For all that is drawn.
    with_std : bool
        Estimate the standard deviation.
    progress : bool
        Show bars.

    Returns
    -------
    DenoisedImage
        Its mean is that of the exposures.

    Raises
    ------
    ValueError
        If the method returns what is not finite.
    """
    whitened = noise.whiten(exposures, pixel_size)
    input_mean = exposures.mean(0).cpu()
    del exposures
    denoiser = prepared_method(name, options, whitened, ready, generator, progress)
    estimate = denoiser(whitened.values, whitened.electrons, generator)
    if not bool(torch.isfinite(estimate).all()):
        raise ValueError(f"method {name} returned values that are not finite")
    std = marked = None
    sentence = ""
    facts = noise_numbers(noise)
    if with_std:
        trained = None if ready is None else ready.deviation
        amplitude = error_amplitude(noise, whitened)
        std = (amplitude * image_deviation(denoiser, whitened, estimate, generator, trained)).cpu()
    if options.mark:
        found = mark_image(denoiser, whitened, estimate, generator)
        sentence, marked = found.sentence(), whitened.grey_values(found.estimate).cpu()
        facts |= {
            "marked_regions": found.regions,
            "thresholds": {f"{sigma:g}": height for sigma, height in found.thresholds.items()},
        }
    numbers, curves = _compared(whitened, estimate, noise.sentence(), facts)
    # The mean of a whole image has next to no noise: it stays.
    mean = whitened.grey_values(estimate - estimate.mean()).cpu()
    return DenoisedImage(mean, input_mean - mean, std, marked, sentence, numbers, curves)


def _compared(
    whitened: WhitenedExposures,
    estimate: Tensor,  # (y, x)
    sentence: str,
    noise: dict[str, Any],
) -> tuple[ImageNumbers, RingCurves]:
    """Tell how much was taken for signal, and whether the rest is noise."""
    n, ny, nx = whitened.values.shape
    observed = whitened.values.mean(0)
    residual = observed - estimate
    curves = [n * _rings(each) for each in (observed, estimate, residual)]
    rings = torch.arange(len(curves[0])) / (2 * max(ny, nx))
    inside = (rings > 0) & (rings <= 0.5)
    numbers = ImageNumbers(
        n,
        whitened.electrons,
        float(estimate.var() / observed.var()),
        float(n * residual.var()),
        sentence,
        noise,
    )
    return numbers, RingCurves(rings[inside], *(each[inside] for each in curves))


def _rings(image: Tensor) -> Tensor:
    """Power on rings, 1 for white noise of variance 1."""
    power, number = ring_sums(cosine_transform(image))
    return (power / number.clamp(min=1)).cpu()
