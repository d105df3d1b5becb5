"""Radiation damage in the images of a configuration."""

from collections.abc import Callable
from functools import partial

import torch
from torch import Tensor

from difftem.functional.radiation_damage import faded
from difftem.simulation.config import ExposureConfig
from difftem.units import kev_to_ev

# Intensity in the image, its pixel size in Å and the number of the image, from 0.
Fade = Callable[[Tensor, float, int], Tensor]


def image_fading(exposure: ExposureConfig, dose_e_per_a2: float, voltage_kv: float) -> Fade | None:
    """How images fade one after the other, or None if they do not.

    Parameters
    ----------
    exposure : ExposureConfig
        As configured.
    dose_e_per_a2 : float
        Of each micrograph.
    voltage_kv : float
        Of the beam.

    Returns
    -------
    callable or None
        For `difftem.simulation.run.take_series`: an image has had the dose of all before it, and
        its exposures, which differ in noise only, share theirs.
    """
    if not exposure.radiation_damage:
        return None
    return partial(_faded, dose_e_per_a2 * exposure.exposures, kev_to_ev(voltage_kv))


def _faded(dose: float, energy: float, image: Tensor, pixel_size: float, number: int) -> Tensor:
    before, during, beam = (
        torch.tensor(each, dtype=torch.float64, device=image.device)
        for each in (number * dose, dose, energy)
    )
    return faded(image, pixel_size, before, during, beam)
