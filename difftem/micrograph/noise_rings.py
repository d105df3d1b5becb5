"""The spectrum of a micrograph's noise: rings of overlapping blocks, and their median."""

from dataclasses import dataclass

import torch
from torch import Tensor

from difftem.functional.grid import frequency_grid, radius

BLOCK = 128  # pixels
_MOST_BLOCKS = 1024  # in all exposures together
_MOST_PAIRS = 8
_FEWEST = 40  # frequencies in a ring
_AXIS = 1.5  # frequency steps; lines of a gain reference and leakage lie there
# Hann's window in two dimensions leaves 0.264 of the ordinates of a block independent, more within
# one ring; blocks that overlap by half are worth 1 / 1.11 of as many separate ones.
_ORDINATES = 0.264
_IN_RING = 0.5
_OVERLAP = 1.11
_MEDIAN = 2 / torch.pi  # efficiency of a median


@dataclass(frozen=True)
class NoiseRings:
    """Power of the noise in rings of equal width.

    Parameters
    ----------
    frequency : Tensor
        Cycles/pixel, shape ``(rings,)``.
    power : Tensor
        Median over blocks, freed of its bias, in grey values squared, shape ``(rings,)``.
    relative_error : Tensor
        Standard deviation of `power` over `power`, shape ``(rings,)``.
    periodogram : Tensor
        Mean over blocks on the half grid of a block, shape ``(block, block // 2 + 1)``.
    differences : bool
        From differences of exposures: without a specimen.
    """

    frequency: Tensor
    power: Tensor
    relative_error: Tensor
    periodogram: Tensor
    differences: bool


def noise_rings(
    exposures: Tensor,  # (n, y, x)
) -> NoiseRings:
    r"""Measure the radial power spectrum of what is noise in exposures of one field.

    Of two aligned exposures or more, differences are taken, in which the specimen cancels. Blocks
    of 128 pixels overlap by half under Hann's window; each ring's power is the median over blocks,
    which a few particles, beads or a carbon edge do not move.

    Parameters
    ----------
    exposures : Tensor
        Grey values, bad pixels repaired, shape ``(n, y, x)``, at least 64 pixels a side.

    Returns
    -------
    NoiseRings
        Without the axes of the spectrum, up to its corner.

    Raises
    ------
    ValueError
        If the images are smaller than 64 pixels.

    References
    ----------
    Welch, IEEE Trans. Audio Electroacoust. 15 (1967) 70.
    """
    block = min(BLOCK, *(n - n % 2 for n in exposures.shape[-2:]))
    if block < BLOCK // 2:
        ny, nx = exposures.shape[-2:]
        raise ValueError(
            f"noise is measured in images of at least {BLOCK // 2} pixels a side, got {ny} x {nx}"
        )
    pairs = min(len(exposures) // 2, _MOST_PAIRS)
    images: list[Tensor] = [
        (exposures[2 * i].float() - exposures[2 * i + 1].float()) / 2**0.5 for i in range(pairs)
    ] or [exposures[0].float()]
    ring = _ring_of(block)
    n_rings = int(ring.max()) + 1
    weight = torch.full((block, block // 2 + 1), 2.0)
    weight[:, (0, -1)] = 1.0
    weight[ring < 0] = 0.0
    index = ring.clamp(min=0).flatten()
    number = torch.zeros(n_rings).index_add(0, index, weight.flatten())
    keep = number >= _FEWEST
    curves, total = [], torch.zeros(block, block // 2 + 1)
    for image in images:
        periodograms = _periodograms(image, block, _MOST_BLOCKS // len(images))
        total += periodograms.mean(0) / len(images)
        weighted = (periodograms * weight).flatten(1)
        curves.append(torch.zeros(len(weighted), n_rings).index_add(1, index, weighted))
    power = torch.cat(curves)[:, keep] / number[keep]
    ordinates = number[keep].double() / 2
    length = radius(frequency_grid((block, block), 1.0, half=True)).float()
    frequency = torch.zeros(n_rings).index_add(0, index, (length * weight).flatten())[keep]
    median = power.median(0).values.double() / (1 - 1 / (9 * _IN_RING * ordinates)) ** 3
    blocks = len(power)
    efficiency = _MEDIAN / _OVERLAP if blocks > 2 else 1.0
    return NoiseRings(
        (frequency / number[keep]).double(),
        median,
        (_ORDINATES * ordinates * blocks * efficiency) ** -0.5,
        total,
        bool(pairs),
    )


def _ring_of(block: int) -> Tensor:  # (block, block // 2 + 1) int64
    """Give each frequency the number of its ring, -1 on and beside the axes."""
    qy, qx = frequency_grid((block, block), float(1 / block), half=True)
    ring = radius((qy, qx)).round().long()
    return torch.where((qy.abs() < _AXIS) | (qx.abs() < _AXIS), -1, ring)


def _periodograms(
    image: Tensor, block: int, most: int
) -> Tensor:  # (blocks, block, block // 2 + 1)
    """Periodograms of blocks that overlap by half; white noise of variance v gives v."""
    blocks = image.unfold(0, block, block // 2).unfold(1, block, block // 2).flatten(0, 1)
    if len(blocks) > most:
        blocks = blocks[torch.linspace(0, len(blocks) - 1, most).round().long()]
    window = torch.hann_window(block, dtype=image.dtype)
    window = window[:, None] * window
    spectra = []
    for some in blocks.split(128):
        mean = (some * window).sum((-2, -1), keepdim=True) / window.sum()
        spectrum = torch.fft.rfft2((some - mean) * window)
        spectra.append((spectrum.real.square() + spectrum.imag.square()) / window.square().sum())
    return torch.cat(spectra)
