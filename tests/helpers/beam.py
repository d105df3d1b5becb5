"""Beams for tests: the numbers of one energy, with a tilt or another σ."""

from types import SimpleNamespace

import torch

from difftem.functional.beam import interaction_constant, wavelength


def beam_of(energy=200e3, tilt=None, sigma=None):
    """Make what modules read of a `Beam`, from tensors that may want gradients."""
    energy = torch.as_tensor(energy, dtype=torch.float64)
    sigma = interaction_constant(energy) if sigma is None else sigma
    return SimpleNamespace(energy=energy, wavelength=wavelength(energy), sigma=sigma, tilt=tilt)
