"""Radial spectra of micrographs, and how far the ring of ice stands out of them."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from difftem.analysis.spectrum import power_spectrum
from difftem.functional.grid import frequency_grid, radius

BINS = 64  # rings up to Nyquist


class Spectrum(NamedTuple):
    """Power of an image over its squared mean, in rings."""

    frequency: NDArray[np.float64]  # 1/Å
    power: NDArray[np.float64]  # Å²


def radial_spectrum(
    image: Tensor,  # (y, x)
    pixel_size: float,  # Å
    block: int,
) -> Spectrum:
    """Median over windows of the ring means of their periodograms.

    Counted electrons alone, white, give 1 / dose.
    """
    ny, nx = (n // block * block for n in image.shape)
    tiles = image[:ny, :nx].double().unfold(0, block, block).unfold(1, block, block)
    tiles = tiles.reshape(-1, block, block)
    hann = torch.hann_window(block, periodic=True, dtype=torch.float64)
    window = hann[:, None] * hann
    window = window / window.square().mean().sqrt()
    level = tiles.mean((-2, -1), keepdim=True)
    power = power_spectrum((tiles - level) * window) * pixel_size**2 / level**2
    q = radius(frequency_grid((block, block), pixel_size, half=True))
    ring = (q * (2 * pixel_size * BINS)).long().flatten()
    number = torch.bincount(ring)[:BINS]
    means = torch.zeros(len(tiles), int(ring.max()) + 1, dtype=torch.float64)
    means.index_add_(1, ring, power.flatten(1))
    places = torch.bincount(ring, weights=q.flatten())[:BINS] / number
    return Spectrum(places.numpy(), (means[:, :BINS] / number).median(0).values.numpy())


def ring_excess(
    spectrum: Spectrum, ring: Sequence[float], beside: Sequence[Sequence[float]]
) -> tuple[float, float]:
    """Mean power in a ring above the level beside it, and that level, Å².

    The level is a straight line through the logarithms of the means on both sides.
    """

    def mean(band: Sequence[float]) -> tuple[float, float]:
        inside = (spectrum.frequency >= band[0]) & (spectrum.frequency < band[1])
        if not inside.any():
            raise ValueError(f"no ring between {band[0]} and {band[1]} 1/Å, need smaller pixels")
        return float(spectrum.frequency[inside].mean()), float(spectrum.power[inside].mean())

    (q0, below), (q1, above), (q, power) = mean(beside[0]), mean(beside[1]), mean(ring)
    level = float(np.exp(np.interp(q, [q0, q1], np.log([below, above]))))
    return power - level, level
