"""The camera's noise, as the user told it or as the image has it."""

from typing import Any

from torch import Tensor

from difftem.micrograph.camera_noise import CameraNoise, find_camera_noise
from difftem.workflows.denoise.options import DenoiseOptions


def find_noise(
    exposures: Tensor,  # (n, y, x) grey values
    options: DenoiseOptions,
    frames_per_exposure: int,
    pixel_size: float | None,
) -> CameraNoise:
    """Find the noise of exposures of one field.

    Parameters
    ----------
    exposures : Tensor
        Grey values of one field.
    options : DenoiseOptions
        What was told about the camera.
    frames_per_exposure : int
        The dose is told for one frame.
    pixel_size : float or None
        Å.

    Returns
    -------
    CameraNoise
        Level, curve and what they mean.

    Raises
    ------
    ValueError
        For images whose noise cannot be modelled.
    """
    dose = None if options.dose is None else options.dose * frames_per_exposure
    return find_camera_noise(
        exposures, gain=options.gain, dose_e_per_pixel=dose, pixel_size=pixel_size
    )


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
