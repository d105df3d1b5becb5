"""Wiener's filter with the spectrum of the image itself."""

import torch
from torch import Tensor

from difftem.functional.cosine import (
    cosine_radius,
    cosine_transform,
    inverse_cosine_transform,
)

_WIDTH = 0.04  # of the frequency: rings this near are smoothed together
_LEAST = 0.6  # of a ring
_PIECE = 1_000_000  # ordinates that are looked at at once
_STEP = 0.02  # of the frequency: knots at which the curve is estimated


def ring_sums(
    spectrum: Tensor,  # (..., y, x)
) -> tuple[Tensor, Tensor]:  # (..., r), (r,)
    """Sum the power of a cosine transform over rings of 1 / (2 max(y, x)) cycles/pixel.

    Parameters
    ----------
    spectrum : Tensor
        As `difftem.functional.cosine.cosine_transform` gives it, shape ``(..., y, x)``.

    Returns
    -------
    power : Tensor
        Sum of the squares in every ring, the mean of the image left out, shape ``(..., r)``.
    number : Tensor
        Of ordinates in every ring, shape ``(r,)``; 0 in ring 0.

    Examples
    --------
    >>> import torch
    >>> from difftem.functional.cosine import cosine_transform
    >>> from difftem.functional.wiener import ring_sums
    >>> noise = torch.randn(64, 64, generator=torch.Generator().manual_seed(0))
    >>> power, number = ring_sums(cosine_transform(noise))
    >>> int(number.sum()), round((power.sum() / number.sum()).item(), 1)  # 64² less one; variance 1
    (4095, 1.0)
    """
    n = int(_ring(spectrum, slice(-1, None))[0, -1].round()) + 2
    power = spectrum.new_zeros(*spectrum.shape[:-2], n)
    number = torch.zeros(n, dtype=torch.long, device=spectrum.device)
    for rows in _pieces(spectrum):
        index = _ring(spectrum, rows).round_().int().flatten()
        power = power.index_add(-1, index, spectrum[..., rows, :].square().flatten(-2))
        number += torch.bincount(index, minlength=n)
    power = power - torch.nn.functional.pad(spectrum[..., 0, :1].square(), (0, n - 1))
    number = number.to(spectrum)
    number[0] -= 1
    return power, number


def wiener_gain(
    spectrum: Tensor,  # (..., y, x)
) -> Tensor:  # (..., y, x)
    r"""Radial Wiener gain of images with white noise of variance 1.

    .. math:: G(q) = \frac{P - 1}{P} \, \frac{(P - 1)^2}{(P - 1)^2 + 2 / n}, \quad P > 1

    where P is the power averaged over n ordinates of neighbouring rings, and 2 / n the variance
    that it has in noise alone: the second factor (0.5 at one standard error, 0.9 at three) keeps
    noise out of rings that have few ordinates and is 1 elsewhere.

    Parameters
    ----------
    spectrum : Tensor
        Cosine transform of whitened images, shape ``(..., y, x)``.

    Returns
    -------
    Tensor
        Between 0 and 1; 1 at frequency 0: the mean of an image stays.

    References
    ----------
    Wiener, Extrapolation, Interpolation, and Smoothing of Stationary Time Series (1949).

    Examples
    --------
    >>> import torch
    >>> from difftem.functional.cosine import cosine_transform
    >>> from difftem.functional.wiener import wiener_gain
    >>> noise = torch.randn(64, 64, generator=torch.Generator().manual_seed(0))
    >>> gain = [wiener_gain(cosine_transform(level * noise)).mean().item() for level in (1, 10)]
    >>> [round(each, 1) for each in gain]  # noise alone; 99 parts of signal in 100
    [0.0, 1.0]
    """
    total, number = ring_sums(spectrum)
    n = total.shape[-1]
    knots = _knots(n, spectrum)
    rings = torch.arange(n, device=spectrum.device, dtype=spectrum.dtype)
    width = (_WIDTH * knots).clamp(min=_LEAST)
    weight = torch.exp(-0.5 * ((rings - knots[:, None]) / width[:, None]) ** 2)
    ordinates = (weight @ number).clamp(min=1e-12)
    signal = (total @ weight.mT / ordinates - 1).clamp(min=0.0)
    variance = 2 * (weight.square() @ number) / ordinates**2
    curve = signal / (1 + signal) * (signal.square() / (signal.square() + variance))
    curve = _interpolate(curve, knots, rings)
    pieces = []
    for rows in _pieces(spectrum):
        ring = _ring(spectrum, rows)
        low = ring.int()
        pieces.append(torch.lerp(curve[..., low], curve[..., low + 1], (ring - low).to(curve)))
    gain = torch.cat(pieces, -2)
    gain[..., 0, 0] = 1.0
    return gain


def wiener_estimate(
    values: Tensor,  # (..., y, x)
) -> Tensor:  # (..., y, x)
    """Filter whitened images with their own radial Wiener gain.

    Parameters
    ----------
    values : Tensor
        White noise of variance 1 and a signal, shape ``(..., y, x)``.

    Returns
    -------
    Tensor
        Estimate of the signal.

    Examples
    --------
    >>> import torch
    >>> from difftem.functional.wiener import wiener_estimate
    >>> x = torch.linspace(-3.0, 3.0, 64)
    >>> signal = 5 * torch.exp(-(x[:, None] ** 2) - x**2)
    >>> noisy = signal + torch.randn(64, 64, generator=torch.Generator().manual_seed(0))
    >>> images = noisy, wiener_estimate(noisy)
    >>> [round((image - signal).square().mean().item(), 2) for image in images]
    [0.99, 0.01]
    """
    spectrum = cosine_transform(values)
    return inverse_cosine_transform(spectrum * wiener_gain(spectrum))


def _ring(spectrum: Tensor, rows: slice) -> Tensor:  # (rows, x)
    """Distance of the ordinates from frequency 0, in rings."""
    ny, nx = spectrum.shape[-2:]
    return cosine_radius((ny, nx), spectrum.device, rows) * (2 * max(ny, nx))


def _pieces(spectrum: Tensor) -> list[slice]:
    """Cut the rows: what is made of a piece stays small beside an image of any size."""
    ny, nx = spectrum.shape[-2:]
    step = max(1, _PIECE // nx)
    return [slice(top, top + step) for top in range(0, ny, step)]


def _knots(n: int, like: Tensor) -> Tensor:
    """Each ring first, then steps that are a constant fraction of the frequency."""
    knots = [0.0]
    while knots[-1] < n - 1:
        knots.append(max(knots[-1] + 1, (1 + _STEP) * knots[-1]))
    return torch.tensor(knots, device=like.device, dtype=like.dtype)


def _interpolate(
    curve: Tensor,  # (..., k)
    knots: Tensor,  # (k,)
    at: Tensor,
) -> Tensor:  # (..., *at.shape)
    """Straight lines between the knots."""
    i = torch.searchsorted(knots, at.contiguous(), right=True).clamp(1, len(knots) - 1)
    part = ((at - knots[i - 1]) / (knots[i] - knots[i - 1])).to(curve.dtype)
    return torch.lerp(curve[..., i - 1], curve[..., i], part)
