"""From an input to electrons per pixel, and a denoiser of them."""

import logging
from dataclasses import dataclass

import torch
from torch import Tensor

from difftem.analysis.column_evidence import CountDenoiser
from difftem.analysis.gradient_map import ImageFunction, network_function, wiener_function
from difftem.io.errors import input_error
from difftem.micrograph.found_noise import CameraNoise
from difftem.simulation.device import accelerator_device
from difftem.workflows.denoise.choice import chosen_method
from difftem.workflows.denoise.exposures import DenoiseInput, check_noise_is_whole
from difftem.workflows.denoise.methods import METHODS
from difftem.workflows.denoise.noise import find_noise
from difftem.workflows.denoise.options import DenoiseOptions
from difftem.workflows.denoise.prepare import ReadyNetwork, prepared_method, trained_network

logger = logging.getLogger(__name__)

_WHOLE = 1e-3  # electrons


@dataclass(frozen=True, eq=False)
class CountedFrame:
    """One image as counted electrons, with what denoises it.

    Attributes
    ----------
    counts : Tensor
        Electrons, the sum of all exposures, shape ``(y, x)``.
    values : Tensor
        The same, whitened: ``(counts - mean) / sqrt(mean)``.
    pixel_size : float
        Å.
    noise : CameraNoise
        Of one exposure.
    method : str
        Name of the denoiser.
    denoise : callable
        Counts to expected counts.
    function : callable or None
        Whitened values to an estimate, to differentiate; None where the method is no network and
        no filter.
    """

    counts: Tensor
    values: Tensor
    pixel_size: float
    noise: CameraNoise
    method: str
    denoise: CountDenoiser
    function: ImageFunction | None


def counted_frame(found: DenoiseInput, options: DenoiseOptions) -> CountedFrame:
    """Count the electrons of an input, and prepare what denoises them.

    Parameters
    ----------
    found : DenoiseInput
        One image of some exposures.
    options : DenoiseOptions
        Method, weights, camera.

    Returns
    -------
    CountedFrame
        On the accelerator.

    Raises
    ------
    InputError
        For a stack of images, an image without a pixel size, or whose noise is not that of
        electrons counted pixel by pixel.
    """
    if found.count > 1:
        raise input_error(found.name, f"holds {found.count} images: give one of them as a file")
    pixel_size = options.pixel_size or found.pixel_size
    if pixel_size is None:
        raise input_error(found.name, "has no pixel size in its header: give --pixel-size, in Å")
    exposures = found.image(0).to(accelerator_device(options.accelerator))
    check_noise_is_whole(found, exposures, options.force)
    noise = find_noise(exposures, options, found)
    for note in [*found.notes, *noise.notes]:
        logger.info("note: %s", note)
    for line in noise.warnings:
        logger.warning("%s: %s", found.name, line)
    logger.info("%s: %s", found.name, noise.sentence())
    if not noise.white and not options.force:
        raise input_error(
            found.name,
            "has coloured noise: likelihoods need electrons that are counted pixel by pixel, not "
            "blurred or resampled (--force goes on all the same)",
        )
    counts = ((exposures.double() - noise.offset) / noise.gain).sum(0).float()
    if float((counts - counts.round()).abs().max()) > _WHOLE:
        logger.warning(
            "%s: grey values are no whole numbers of electrons: their likelihood is taken for that "
            "of counts",
            found.name,
        )
    name = chosen_method().method if options.method == "auto" else options.method
    whitened = noise.whiten(exposures, pixel_size)
    ready = trained_network(options, [whitened]) if METHODS[name].trained else None
    generator = torch.Generator().manual_seed(options.seed)
    method = prepared_method(name, options, whitened, ready, generator)

    def denoise(electrons: Tensor) -> Tensor:
        mean = electrons.mean()
        estimate = method(_whitened(electrons)[None], float(mean), generator)
        return mean + mean.sqrt() * estimate

    values = _whitened(counts)
    function = _function(name, ready, values, pixel_size)
    return CountedFrame(counts, values, pixel_size, noise, name, denoise, function)


def _whitened(counts: Tensor) -> Tensor:  # (y, x)
    mean = counts.mean()
    return (counts - mean) / mean.sqrt()


def _function(
    name: str, ready: ReadyNetwork | None, values: Tensor, pixel_size: float
) -> ImageFunction | None:
    """Choose what a gradient map is of."""
    if ready is None:
        return wiener_function(values) if name == "wiener" else None
    if ready.domain is not None and ready.domain.resamples(pixel_size):
        return None
    return network_function(ready.network, values)
