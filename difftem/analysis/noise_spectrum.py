"""Noise power spectra of flat fields: periodograms, collapsed over equal frequency."""

from dataclasses import dataclass

import torch
from torch import Tensor

WINDOWS = ("none", "tukey", "hann")
_TAPER = 0.25  # of the side, on both ends together: the Tukey window


@dataclass(frozen=True)
class RingSpectrum:
    """Noise power over frequency with the number of ordinates behind each value.

    An ordinate is one complex Fourier coefficient of one crop: its periodogram is exponential
    around the spectrum, so the mean over ν of them is Gamma(ν) / ν. Of the conjugate pairs of a
    real image one counts; a real coefficient counts one half.

    Parameters
    ----------
    frequency : Tensor
        Cycles/pixel, increasing, shape ``(rings,)``.
    power : Tensor
        Mean periodogram there, grey values squared, shape ``(rings,)``.
    ordinates : Tensor
        ν, half of the degrees of freedom, shape ``(rings,)``.
    """

    frequency: Tensor
    power: Tensor
    ordinates: Tensor


def mean_periodogram(
    images: Tensor,  # (..., y, x)
    window: str = "none",
) -> Tensor:  # (y, x // 2 + 1)
    """Periodogram averaged over crops, in float64; each crop's mean is taken off, nothing else.

    Without a window the jump between opposite edges of a crop leaks: the expected periodogram is
    the spectrum smoothed by the Fejér kernel, too high by about (power elsewhere) / (2π² n Δω)
    at a distance Δω from it in n pixels. Periodic fields have no such bias. ``tukey`` (an eighth
    of the side tapered at each end) and ``hann`` remove it, smooth over one or two frequency
    steps instead, and correlate neighbours: `window_efficiency` counts what is left.

    Parameters
    ----------
    images : Tensor
        Real crops, shape ``(..., y, x)``.
    window : {"none", "tukey", "hann"}
        Taper along both axes.

    Returns
    -------
    Tensor
        White noise of variance v gives v, shape ``(y, x // 2 + 1)``.

    References
    ----------
    Percival & Walden, Spectral Analysis for Physical Applications (1993), sections 6.3 and 6.4.
    """
    crops = images.reshape(-1, *images.shape[-2:]).double()
    ny, nx = crops.shape[-2:]
    weight = _window(ny, window, crops)[:, None] * _window(nx, window, crops)
    mean = (weight * crops).sum((-2, -1), keepdim=True) / weight.sum()
    spectrum = torch.fft.rfft2(weight * (crops - mean))
    return (spectrum.real**2 + spectrum.imag**2).mean(0) / (weight**2).sum()


def window_efficiency(
    shape: tuple[int, int],
    window: str = "none",
) -> float:
    r"""Fraction of the ordinates that a window leaves independent.

    .. math:: \frac{(\sum w^2)^2}{N \sum w^4}

    Parameters
    ----------
    shape : tuple of int
        ``(ny, nx)`` of the crops.
    window : {"none", "tukey", "hann"}
        As of `mean_periodogram`.

    Returns
    -------
    float
        1 without a window, about 0.69 for ``tukey``, 0.26 for ``hann``.

    References
    ----------
    Percival & Walden, Spectral Analysis for Physical Applications (1993), equation 248a.
    """
    fraction = 1.0
    like = torch.empty(0, dtype=torch.float64)
    for n in shape:
        square = _window(n, window, like) ** 2
        fraction *= float(square.sum() ** 2 / (n * (square**2).sum()))
    return fraction


def half_grid_ordinates(
    shape: tuple[int, int],
    device: torch.device | None = None,
) -> Tensor:  # (y, x // 2 + 1)
    """Ordinates that each frequency of the half grid stands for: 1, or 1/2 in doubled columns."""
    ny, nx = shape
    ordinates = torch.ones(ny, nx // 2 + 1, dtype=torch.float64, device=device)
    ordinates[:, 0] = 0.5
    if nx % 2 == 0:
        ordinates[:, -1] = 0.5
    return ordinates


def squared_radius(
    shape: tuple[int, int],
    device: torch.device | None = None,
) -> Tensor:  # (y, x // 2 + 1) int64
    """Integers (k_y n_x)² + (k_x n_y)² on the half grid: equal exactly where the length is."""
    ny, nx = shape
    ky = torch.arange(ny, device=device)
    ky = torch.minimum(ky, ny - ky)[:, None] * nx
    kx = torch.arange(nx // 2 + 1, device=device) * ny
    return ky**2 + kx**2


def collapse_rings(
    periodogram: Tensor,  # (y, x // 2 + 1)
    shape: tuple[int, int],
    n_crops: float = 1.0,
    *,
    limits: tuple[float, float] = (0.0, 1.0),
    keep: Tensor | None = None,
) -> RingSpectrum:
    """Average a periodogram over all frequencies of equal length; sufficient for a radial model.

    Parameters
    ----------
    periodogram : Tensor
        Mean over crops on the half grid; differentiable.
    shape : tuple of int
        ``(ny, nx)`` of the crops.
    n_crops : float
        Crops averaged, times `window_efficiency`.
    limits : tuple of float
        Lowest and highest frequency in cycles/pixel; DC is never used.
    keep : Tensor, optional
        False where a frequency is left out, on the half grid.

    Returns
    -------
    RingSpectrum
        One value for each length, float64.

    Raises
    ------
    ValueError
        If the limits leave fewer than 3 rings.
    """
    device = periodogram.device
    length = squared_radius(shape, device)
    frequency = torch.sqrt(length.double()) / (shape[0] * shape[1])
    inside = (length > 0) & (frequency >= limits[0]) & (frequency <= limits[1])
    if keep is not None:
        inside &= keep
    squares, ring = torch.unique(length[inside], return_inverse=True)
    if len(squares) < 3:
        raise ValueError(
            f"frequency limits {limits[0]:g} to {limits[1]:g} cycles/pixel leave {len(squares)} "
            f"rings of a {shape[0]} x {shape[1]} crop, 3 are needed"
        )
    weight = half_grid_ordinates(shape, device)[inside]
    zeros = torch.zeros(len(squares), dtype=torch.float64, device=device)
    ordinates = zeros.index_add(0, ring, weight)
    power = zeros.index_add(0, ring, weight * periodogram[inside].double()) / ordinates
    radius = torch.sqrt(squares.double()) / (shape[0] * shape[1])
    return RingSpectrum(radius, power, ordinates * n_crops)


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
    """
    width = float(spectrum.frequency[-1]) / n_bins
    return merge_rings(spectrum, (spectrum.frequency / width).ceil().long().clamp(1, n_bins) - 1)


def equal_bins(
    spectrum: RingSpectrum,
    n_bins: int,
) -> Tensor:  # (rings,) int64
    """Bin of each ring such that all bins hold about the same number of ordinates."""
    before = torch.cumsum(spectrum.ordinates, 0) - spectrum.ordinates / 2
    return (before / spectrum.ordinates.sum() * n_bins).long().clamp(max=n_bins - 1)


def merge_rings(
    spectrum: RingSpectrum,
    bins: Tensor,  # (rings,) int64
) -> RingSpectrum:
    """Merge rings into given bins, weighted by their ordinates; empty bins are left out."""
    _, index = torch.unique(bins, return_inverse=True)
    zeros = spectrum.power.new_zeros(int(index.max()) + 1)
    ordinates = zeros.index_add(0, index, spectrum.ordinates)
    frequency = zeros.index_add(0, index, spectrum.ordinates * spectrum.frequency) / ordinates
    power = zeros.index_add(0, index, spectrum.ordinates * spectrum.power) / ordinates
    return RingSpectrum(frequency, power, ordinates)


def _window(n: int, name: str, like: Tensor) -> Tensor:  # (n,)
    """One axis of a window."""
    if name not in WINDOWS:
        raise ValueError(f"window must be one of {', '.join(WINDOWS)}, got {name!r}")
    if name == "none":
        return torch.ones(n, dtype=torch.float64, device=like.device)
    position = (torch.arange(n, dtype=torch.float64, device=like.device) + 0.5) / n
    taper = 1.0 if name == "hann" else _TAPER
    edge = torch.clamp(torch.minimum(position, 1 - position) * 2 / taper, max=1.0)
    return torch.sin(0.5 * torch.pi * edge) ** 2
