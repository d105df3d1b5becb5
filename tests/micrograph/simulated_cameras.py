"""Cameras of which all is known: counts, blur and gain, drawn at random."""

import math
from typing import NamedTuple

import torch

from difftem.functional.grid import frequency_grid, radius
from difftem.functional.mtf import apply_transfer
from difftem.modules.mtf import (
    MTF,
    GaussLorentzSincMTF,
    IdealMTF,
    LorentzianMTF,
    RullgardMTF,
)
from difftem.modules.preset_mtf import mtf_from_preset
from difftem.presets import detector_preset


class SimulatedCamera(NamedTuple):
    """What is true of an image."""

    mtf: MTF
    electrons: float
    gain: float

    def image(self, generator, side=512, n=1, specimen=0.1):
        """Image a specimen of blobs that is 10 % strong below 0.04 cycles/pixel."""
        q = radius(frequency_grid((side, side), 1.0, half=True)).float()
        blobs = torch.fft.rfft2(torch.randn(side, side, generator=generator))
        blobs = torch.fft.irfft2(blobs * torch.exp(-((q / 0.025) ** 2)), s=(side, side))
        rate = self.electrons * (1 + specimen * (blobs - blobs.mean()) / blobs.std()).clamp(min=0.0)
        counts = torch.poisson(rate.expand(n, side, side), generator)
        if isinstance(self.mtf, IdealMTF):
            return self.gain * counts
        with torch.no_grad():
            return self.gain * apply_transfer(counts, self.mtf.transfer((side, side), counts))

    def power(self, frequency):
        """Noise power in grey values squared."""
        with torch.no_grad():
            return self.gain**2 * self.electrons * self.mtf(frequency) ** 2


def draw_camera(generator, white):
    """Draw a camera: family, 0.5 to 100 e/pixel, gain 1 to 150."""

    def between(low, high):
        return low + (high - low) * float(torch.rand((), generator=generator))

    electrons, gain = 0.5 * 200 ** between(0, 1), math.exp(between(0, 5))
    weights = between(0.5, 0.9), between(0.05, 0.3), between(0.02, 0.2)
    widths = between(5, 15), between(20, 50)
    kind = int(between(0, 4))
    if white:
        mtf = IdealMTF()
    elif kind == 0:
        mtf = LorentzianMTF(*weights, *widths)
    elif kind == 1:
        mtf = RullgardMTF(*weights, *widths, between(0.7, 1.5), between(0.7, 1.5))
    elif kind == 2:
        mtf = GaussLorentzSincMTF(between(0.5, 1), between(0.2, 0.4), between(4, 20))
    else:
        names = ("falcon3ec_300kv", "falcon4ec_300kv", "de20_300kv")
        mtf = mtf_from_preset(detector_preset(names[int(between(0, 3))]))
    return SimulatedCamera(mtf, electrons, gain)
