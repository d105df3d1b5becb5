"""The spectrum of a micrograph's noise: rings of overlapping blocks, and their median."""

from dataclasses import dataclass

import torch
from torch import Tensor

from difftem.functional.grid import frequency_grid, radius

BLOCK = 128  # pixels
_LEAST = 64  # pixels a side
_MOST_BLOCKS = 1024  # in all exposures together
_MOST_PAIRS = 8
_PEAK, _SIGMAS = 2.0, 8.0  # of a ring's median power; standard deviations
_FEWEST = 40  # frequencies in a ring
_AXIS = 1.5  # frequency steps; lines of a gain reference and leakage lie there
# Hann's window in two dimensions leaves 0.264 of the ordinates of a block independent, more within
# one ring; blocks that overlap by half are worth 1 / 1.11 of as many separate ones.
_ORDINATES = 0.264
_IN_RING = 0.5
_OVERLAP = 1.11
_MEDIAN = 2 / torch.pi  # efficiency of a median
_DARKEST, _BRIGHTEST = 0.2, 5.0  # of the mean: blocks beyond are no field of view


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
        Standard deviation of `power` over `power` as a fit over rings should take it: neighbouring
        rings are correlated, a single one scatters by 0.7 of it. Shape ``(rings,)``.
    periodogram : Tensor
        Mean over blocks on the half grid of a block, shape ``(block, block // 2 + 1)``.
    ordinates : float
        Independent values behind each ordinate of `periodogram`.
    differences : bool
        From differences of exposures: without a specimen.
    """

    frequency: Tensor
    power: Tensor
    relative_error: Tensor
    periodogram: Tensor
    ordinates: float
    differences: bool


def noise_rings(
    exposures: Tensor,  # (n, y, x)
) -> NoiseRings:
    r"""Measure the radial power spectrum of what is noise in exposures of one field.

    Of two aligned exposures or more, differences are taken, in which the specimen cancels. Blocks
    of 128 pixels overlap by half under Hann's window. Counted electrons have a noise power that
    goes with the local mean: each block is brought to the mean of the whole. Each ring's power is
    the median over blocks, which a few particles, beads or a carbon edge do not move.

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
    if block < _LEAST:
        ny, nx = exposures.shape[-2:]
        raise ValueError(
            f"noise is measured in images of at least {_LEAST} pixels a side, got {ny} x {nx}"
        )
    pairs = min(len(exposures) // 2, _MOST_PAIRS)
    periodograms = torch.cat(
        [
            _block_periodograms(exposures[2 * i : 2 * i + 2], block, _MOST_BLOCKS // max(pairs, 1))
            for i in range(max(pairs, 1))
        ]
    )
    ring, weight = _rings(block)
    weight = weight * ~_peaks(periodograms.mean(0).flatten(), ring, weight, len(periodograms))
    number = torch.zeros(int(ring.max()) + 1).index_add(0, ring, weight)
    keep = number >= _FEWEST
    number = number[keep]
    curves = torch.zeros(len(periodograms), len(keep))
    power = curves.index_add(1, ring, periodograms.flatten(1) * weight)[:, keep] / number
    length = radius(frequency_grid((block, block), 1.0, half=True)).float().flatten()
    frequency = torch.zeros(len(keep)).index_add(0, ring, length * weight)[keep] / number
    ordinates = number.double() / 2
    # The lower of two is no median.
    middle = power.quantile(0.5, 0).double()
    median = middle if len(power) < 3 else middle / (1 - 1 / (9 * _IN_RING * ordinates)) ** 3
    independent = len(power) / _OVERLAP if len(power) > 1 else 1.0
    efficiency = _ORDINATES * independent * (_MEDIAN if len(power) > 2 else 1.0)
    return NoiseRings(
        frequency.double(),
        median,
        (ordinates * efficiency) ** -0.5,
        periodograms.mean(0),
        _ORDINATES * independent,
        bool(pairs),
    )


def _rings(block: int) -> tuple[Tensor, Tensor]:  # flat: int64, float32
    """Give each frequency the number of its ring and how many it stands for, 0 by the axes."""
    qy, qx = frequency_grid((block, block), 1 / block, half=True)
    ring = radius((qy, qx)).round().long()
    weight = torch.full_like(ring, 2, dtype=torch.float32)
    weight[:, (0, -1)] = 1.0
    weight[(qy.abs() < _AXIS) | (qx.abs() < _AXIS)] = 0.0
    return ring.flatten(), weight.flatten()


def _peaks(mean: Tensor, ring: Tensor, weight: Tensor, blocks: int) -> Tensor:  # flat, bool
    """Find frequencies where a crystal, or a gain reference, stands out of its ring."""
    limit = max(_PEAK, 1 + _SIGMAS * (_ORDINATES * blocks) ** -0.5)
    level = torch.zeros(int(ring.max()) + 1)
    for number in ring[weight > 0].unique().tolist():
        level[number] = mean[(ring == number) & (weight > 0)].median()
    return mean > limit * level[ring]


def _block_periodograms(exposures: Tensor, block: int, most: int) -> Tensor:  # (blocks, y, half)
    """Periodograms of the noise of one exposure or of two, each block at the mean of all."""
    images = exposures.float()
    noise = (images[0] - images[1]) / 2**0.5 if len(images) == 2 else images[0]
    mean_image = images.mean(0)
    blocks = _blocks(noise, block, most)
    bright = _blocks(mean_image, block, most) if len(images) == 2 else blocks
    window = torch.hann_window(block, dtype=noise.dtype)
    window = window[:, None] * window
    means = (bright * window).sum((-2, -1)) / window.sum()
    whole = mean_image.mean()
    relative = means / whole
    seen = (relative > _DARKEST) & (relative < _BRIGHTEST)
    if whole <= 0 or bool((relative <= 0).any()):  # grey values with an offset
        relative, seen = torch.ones_like(relative), torch.ones_like(seen)
    spectra = []
    for some, level in zip(blocks[seen].split(128), relative[seen].split(128), strict=True):
        mean = (some * window).sum((-2, -1), keepdim=True) / window.sum()
        spectrum = torch.fft.rfft2((some - mean) * window)
        power = (spectrum.real.square() + spectrum.imag.square()) / window.square().sum()
        spectra.append(power / level[:, None, None])
    return torch.cat(spectra)


def _blocks(image: Tensor, block: int, most: int) -> Tensor:  # (blocks, block, block)
    """Cut blocks that overlap by half, an even choice where there are too many."""
    steps = image.unfold(0, block, block // 2).unfold(1, block, block // 2)
    ny, nx = steps.shape[:2]
    at = torch.arange(ny * nx)
    if len(at) > most:
        at = torch.linspace(0, ny * nx - 1, most).round().long()
    return steps[at // nx, at % nx]
