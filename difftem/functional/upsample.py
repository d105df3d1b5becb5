"""Finer samples of a cut-out image."""

import math

import torch
from torch import Tensor

_PAD = 16  # pixels in which an image fades: what has a period and no corner does not ring


def fourier_upsample(
    image: Tensor,  # (..., y, x)
    factor: int = 2,
) -> Tensor:  # (..., factor y, factor x)
    """Sample a band-limited image that goes on beyond its edges at more points.

    By zeros beyond Nyquist in Fourier space. As the image has no period, it is first continued
    smoothly: turned by 180° about each edge, and faded to its mean. Beyond the last pixels, in the
    last rows and columns of the result, that is all that is known.

    Parameters
    ----------
    image : Tensor
        Real, even sides of at least 18 pixels.
    factor : int
        Points of the result for each of the image: point ``factor * i`` is point i.

    Returns
    -------
    Tensor
        Values at the points that are there stay to rounding.

    Raises
    ------
    ValueError
        For odd or short sides, or a factor below 1.

    Examples
    --------
    >>> import torch
    >>> from difftem.functional.upsample import fourier_upsample
    >>> wave = torch.cos(torch.pi / 2 * torch.arange(32)).expand(32, 32)  # of 4 pixels
    >>> fine = fourier_upsample(wave)
    >>> tuple(fine.shape), [round(value, 2) for value in fine[32, 32:34].tolist()]  # cos 0, cos 45°
    ((64, 64), [1.0, 0.71])
    """
    ny, nx = image.shape[-2:]
    if factor < 1:
        raise ValueError(f"factor must be at least 1, got {factor}")
    if ny % 2 or nx % 2 or min(ny, nx) < _PAD + 2:
        raise ValueError(f"sides must be even and at least {_PAD + 2} pixels, got {ny} x {nx}")
    if factor == 1:
        return image
    mean = image.mean((-2, -1), keepdim=True)
    padded = _continued(_continued(image - mean).mT).mT
    my, mx = ny + 2 * _PAD, nx + 2 * _PAD
    spectrum = torch.fft.rfft2(padded, norm="forward")
    fine = spectrum.new_zeros(*spectrum.shape[:-2], factor * my, factor * mx // 2 + 1)
    rows, columns = my // 2, mx // 2 + 1
    # Half of what is at Nyquist belongs to the negative frequency.
    spectrum[..., -1] /= 2
    spectrum[..., rows, :] /= 2
    fine[..., : rows + 1, :columns] = spectrum[..., : rows + 1, :]
    fine[..., -rows:, :columns] = spectrum[..., rows:, :]
    result = torch.fft.irfft2(fine, s=(factor * my, factor * mx), norm="forward")
    edge = factor * _PAD
    return mean + result[..., edge : edge + factor * ny, edge : edge + factor * nx]


def _continued(values: Tensor) -> Tensor:  # (..., n + 2 _PAD)
    """Continue values along the last axis."""
    fade = torch.cos(torch.linspace(0, math.pi / 2, _PAD + 2)[1:-1]).to(values).square()
    first, last = values[..., :1], values[..., -1:]
    before = (2 * first - values[..., 1 : _PAD + 1].flip(-1)) * fade.flip(0)
    after = (2 * last - values[..., -_PAD - 1 : -1].flip(-1)) * fade
    return torch.cat([before, values, after], -1)
