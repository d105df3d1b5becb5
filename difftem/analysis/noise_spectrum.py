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

    Examples
    --------
    >>> import torch
    >>> from difftem.analysis.noise_spectrum import RingSpectrum
    >>> frequency, ordinates = torch.tensor([0.1, 0.3, 0.5]), torch.tensor([10.0, 30.0, 50.0])
    >>> spectrum = RingSpectrum(frequency, torch.tensor([2.0, 1.5, 1.0]), ordinates)
    >>> (spectrum.power / spectrum.power[0]).tolist()
    [1.0, 0.75, 0.5]
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

    Examples
    --------
    >>> import torch
    >>> from difftem.analysis.noise_spectrum import mean_periodogram
    >>> crops = 3 * torch.randn(20, 64, 64, generator=torch.Generator().manual_seed(0))
    >>> round(mean_periodogram(crops).mean().item())  # the variance
    9
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
        1 without a window, about 0.76 for ``tukey``, 0.26 for ``hann``.

    References
    ----------
    Percival & Walden, Spectral Analysis for Physical Applications (1993), equation 248a.

    Examples
    --------
    >>> from difftem.analysis.noise_spectrum import window_efficiency
    >>> [round(window_efficiency((256, 256), name), 2) for name in ("none", "tukey", "hann")]
    [1.0, 0.76, 0.26]
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
    """Ordinates that each frequency of the half grid stands for: 1, or 1/2 in doubled columns.

    Examples
    --------
    >>> from difftem.analysis.noise_spectrum import half_grid_ordinates
    >>> half_grid_ordinates((8, 8)).sum().item()  # half of 64
    32.0
    """
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
    """Integers (k_y n_x)² + (k_x n_y)² on the half grid: equal exactly where the length is.

    Examples
    --------
    >>> from difftem.analysis.noise_spectrum import squared_radius
    >>> (squared_radius((4, 4)) / 16).tolist()  # in steps of 1/4 cycles/pixel, squared
    [[0.0, 1.0, 4.0], [1.0, 2.0, 5.0], [4.0, 5.0, 8.0], [1.0, 2.0, 5.0]]
    """
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

    Examples
    --------
    >>> import torch
    >>> from difftem.analysis.noise_spectrum import collapse_rings, mean_periodogram
    >>> crops = torch.randn(20, 32, 32, generator=torch.Generator().manual_seed(0))
    >>> spectrum = collapse_rings(mean_periodogram(crops), (32, 32), n_crops=20)
    >>> round(spectrum.frequency[0].item(), 4), round(spectrum.ordinates.sum().item())  # 1/32
    (0.0312, 10230)
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
