"""The camera's noise, as the user told it or as the image has it."""

from typing import Any

from torch import Tensor

from difftem.io.errors import input_error
from difftem.micrograph.camera_noise import CameraNoise, find_camera_noise
from difftem.micrograph.told_noise import noise_transfer
from difftem.workflows.denoise.exposures import DenoiseInput
from difftem.workflows.denoise.options import DenoiseOptions


def find_noise(
    exposures: Tensor,  # (n, y, x) grey values
    options: DenoiseOptions,
    found: DenoiseInput,
) -> CameraNoise:
    """Find the noise of exposures of one field.

    Parameters
    ----------
    exposures : Tensor
        Grey values of one field.
    options : DenoiseOptions
        What was told about the camera.
    found : DenoiseInput
        Where they are from: the dose is told for one of its frames.

    Returns
    -------
    CameraNoise
        Level, curve and what they mean.

    Raises
    ------
    InputError
        For images whose noise cannot be modelled.
    """
    dose = None if options.dose is None else options.dose * found.frames_per_exposure
    told = options.detector or options.mtf
    ntf = None if told is None else noise_transfer(told)
    try:
        return find_camera_noise(
            exposures,
            ntf=ntf,
            gain=options.gain,
            dose_e_per_pixel=dose,
            pixel_size=options.pixel_size or found.pixel_size,
            allow_filtered=options.force,
        )
    except ValueError as error:
        raise input_error(found.name, error) from error


def noise_numbers(noise: CameraNoise) -> dict[str, Any]:
    """Numbers for the record."""
    return {
        "mean": noise.mean,
        "level": noise.level,
        "gain": noise.gain,
        "gain_error": noise.gain_error,
        "white": noise.white,
        "source": noise.source,
        "notes": noise.notes,
        "warnings": noise.warnings,
    }
