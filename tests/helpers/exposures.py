"""Exposures of a known scene, whitened and as files."""

import math

import torch

from difftem.io.mrc import write_mrc
from difftem.micrograph.whitened import WhitenedExposures

ELECTRONS, GAIN = 12.0, 50.0


def scene(side):
    """Expected counts relative to their mean."""
    y, x = torch.arange(side)[:, None] / 32, torch.arange(side) / 32
    return 1 + 0.3 * torch.sin(2 * math.pi * y) * torch.cos(2 * math.pi * (x + 0.3 * y))


def counts(n, side, seed=4):
    """Poisson counts of `ELECTRONS` per pixel."""
    rate = ELECTRONS * scene(side)
    return torch.poisson(rate.expand(n, side, side), torch.Generator().manual_seed(seed))


def whitened(n, side, seed=4):
    """Counts less their mean, in units of their noise."""
    return (counts(n, side, seed) - ELECTRONS) / math.sqrt(ELECTRONS)


def whitened_exposures(n, side, seed=4, pixel_size=None):
    """Exposures that come from grey values of `GAIN`."""
    noise = torch.full((side, side // 2 + 1), GAIN * math.sqrt(ELECTRONS))
    values = whitened(n, side, seed)
    return WhitenedExposures(values, ELECTRONS, GAIN * ELECTRONS, noise, pixel_size)


def write_exposures(path, n, side=256, seed=4):
    """Write grey values as an MRC stack of 1.2 Å a pixel."""
    images = GAIN * counts(n, side, seed)
    write_mrc(path, (images if n > 1 else images[0]).numpy(), 1.2)
