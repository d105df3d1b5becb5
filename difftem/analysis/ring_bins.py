"""Rings of a noise spectrum, merged into fewer."""

import torch
from torch import Tensor

from difftem.analysis.noise_spectrum import RingSpectrum


def bin_rings(
    spectrum: RingSpectrum,
    n_bins: int,
) -> RingSpectrum:
    """Merge rings into bins of equal width; exact for a spectrum that is linear in each bin.

    Parameters
    ----------
    spectrum : RingSpectrum
        Of any number of rings.
    n_bins : int
        Bins from 0 to the highest frequency; empty ones are left out.

    Returns
    -------
    RingSpectrum
        At the mean frequency of the ordinates of each bin.

    Examples
    --------
    >>> import torch
    >>> from difftem.analysis.noise_spectrum import collapse_rings, mean_periodogram
    >>> from difftem.analysis.ring_bins import bin_rings
    >>> crops = torch.randn(50, 32, 32, generator=torch.Generator().manual_seed(0))
    >>> rings = collapse_rings(mean_periodogram(crops), (32, 32), n_crops=50, limits=(0.0, 0.5))
    >>> [round(power, 1) for power in bin_rings(rings, 4).power.tolist()]  # of white noise
    [1.0, 1.0, 1.0, 1.0]
    """
    width = float(spectrum.frequency[-1]) / n_bins
    return merge_rings(spectrum, (spectrum.frequency / width).ceil().long().clamp(1, n_bins) - 1)


def equal_bins(
    spectrum: RingSpectrum,
    n_bins: int,
) -> Tensor:  # (rings,) int64
    """Bin of each ring such that all bins hold about the same number of ordinates.

    Examples
    --------
    >>> import torch
    >>> from difftem.analysis.noise_spectrum import RingSpectrum
    >>> from difftem.analysis.ring_bins import equal_bins
    >>> ordinates = torch.tensor([1.0, 2.0, 3.0, 6.0])
    >>> spectrum = RingSpectrum(torch.linspace(0.1, 0.4, 4), torch.ones(4), ordinates)
    >>> equal_bins(spectrum, 2).tolist()
    [0, 0, 0, 1]
    """
    before = torch.cumsum(spectrum.ordinates, 0) - spectrum.ordinates / 2
    return (before / spectrum.ordinates.sum() * n_bins).long().clamp(max=n_bins - 1)


def merge_rings(
    spectrum: RingSpectrum,
    bins: Tensor,  # (rings,) int64
) -> RingSpectrum:
    """Merge rings into given bins, weighted by their ordinates; empty bins are left out.

    Examples
    --------
    >>> import torch
    >>> from difftem.analysis.noise_spectrum import RingSpectrum
    >>> from difftem.analysis.ring_bins import merge_rings
    >>> ordinates, power = torch.tensor([10.0, 30.0]), torch.tensor([1.0, 2.0])
    >>> spectrum = RingSpectrum(torch.tensor([0.1, 0.2]), power, ordinates)
    >>> merge_rings(spectrum, torch.tensor([0, 0])).power.tolist()  # (10 + 60) / 40
    [1.75]
    """
    _, index = torch.unique(bins, return_inverse=True)
    zeros = spectrum.power.new_zeros(int(index.max()) + 1)
    ordinates = zeros.index_add(0, index, spectrum.ordinates)
    frequency = zeros.index_add(0, index, spectrum.ordinates * spectrum.frequency) / ordinates
    power = zeros.index_add(0, index, spectrum.ordinates * spectrum.power) / ordinates
    return RingSpectrum(frequency, power, ordinates)
