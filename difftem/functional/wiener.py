"""Wiener's filter with the spectrum of the image itself."""

import torch
from torch import Tensor

from difftem.functional.grid import frequency_grid, radius
from difftem.functional.mtf import apply_transfer

_WIDTH = 0.04  # of the frequency: rings this near are smoothed together


def wiener_gain(
    values: Tensor,  # (..., y, x)
) -> Tensor:  # (..., y, x // 2 + 1)
    r"""Radial Wiener gain of images with white noise of variance 1.

    .. math:: G(q) = \max\left(1 - \frac{1}{P(q)}, 0\right)

    where P is the ring average of the periodogram, smoothed over neighbouring rings.

    Parameters
    ----------
    values : Tensor
        Whitened images, of any mean, shape ``(..., y, x)``.

    Returns
    -------
    Tensor
        Between 0 and 1; 0 at frequency 0.

    References
    ----------
    Wiener, Extrapolation, Interpolation, and Smoothing of Stationary Time Series (1949).
    """
    ny, nx = shape = values.shape[-2:]
    spectrum = torch.fft.rfft2(values)
    power = (spectrum.real.square() + spectrum.imag.square()) / (ny * nx)
    ring = radius(frequency_grid((ny, nx), 1.0, half=True, device=values.device)) * max(shape)
    n_rings = int(ring.max()) + 2
    weight = torch.full((ny, nx // 2 + 1), 2.0, device=values.device, dtype=values.dtype)
    weight[:, 0] = 1.0
    if nx % 2 == 0:
        weight[:, -1] = 1.0
    weight[0, 0] = 0.0
    index = ring.round().long().flatten()
    smooth = _neighbours(n_rings, values)
    zeros = values.new_zeros(*values.shape[:-2], n_rings)
    total = zeros.index_add(-1, index, (power * weight).flatten(-2)) @ smooth
    number = zeros.index_add(-1, index, weight.flatten().expand(*values.shape[:-2], -1)) @ smooth
    curve = (1 - number / total.clamp(min=1e-12)).clamp(min=0.0)
    curve[..., 0] = 0.0
    low = ring.floor().long()
    part = (ring - low).to(values.dtype)
    gain = torch.lerp(curve[..., low], curve[..., low + 1], part)
    gain[..., 0, 0] = 0.0
    return gain


def wiener_estimate(
    values: Tensor,  # (..., y, x)
) -> Tensor:  # (..., y, x)
    """Filter whitened images with their own radial Wiener gain.

    Parameters
    ----------
    values : Tensor
        White noise of variance 1 and a signal, mean 0, shape ``(..., y, x)``.

    Returns
    -------
    Tensor
        Estimate of the signal.
    """
    return apply_transfer(values, wiener_gain(values))


def _neighbours(n: int, like: Tensor) -> Tensor:  # (n, n)
    """Weights that smooth rings over a constant fraction of their frequency."""
    ring = torch.arange(n, device=like.device, dtype=like.dtype)
    width = (_WIDTH * ring).clamp(min=0.3)
    return torch.exp(-0.5 * ((ring[:, None] - ring) / width) ** 2)
