r"""The filter of weighted back-projection: a ramp with a cut-off, and a weight for each tilt."""

import math

import torch
from torch import Tensor

NYQUIST = 0.5


def ramp_filtered(
    images: Tensor,  # (n_tilts, ..., x)
    cutoff: float = NYQUIST,
    falloff: float = 0.0,
) -> Tensor:  # (n_tilts, ..., x)
    r"""Multiply images by |k| across the tilt axis, which is the y axis.

    .. math:: |k| \cdot \begin{cases} 1 & k \le k_c \\
        \exp\left(-(k - k_c)^2 / 2 w^2\right) & k > k_c \end{cases}

    The ramp is that of images sampled at pixels (the transform of 1/4, 0, -1/(πn)² ...), whose mean
    is not 0 as that of |k| would be. Rows go on at both ends with their last values until they
    are twice as long, so that the two ends do not see each other.

    Parameters
    ----------
    images : Tensor
        ``(..., x)``.
    cutoff : float
        k_c in cycles/pixel; 0.5 is Nyquist.
    falloff : float
        w in cycles/pixel; 0 cuts off sharply. IMOD's RADIAL has both.

    Returns
    -------
    Tensor
        As large.

    References
    ----------
    Kak & Slaney, Principles of Computerized Tomographic Imaging (1988), equation 3.61.
    """
    width = images.shape[-1]
    length = 1 << math.ceil(math.log2(2 * width))
    before = (length - width) // 2
    edges = [images[..., :1], images[..., -1:]]
    rows = torch.cat(
        [
            edges[0].expand(*images.shape[:-1], before),
            images,
            edges[1].expand(*images.shape[:-1], length - width - before),
        ],
        -1,
    )
    response = ramp(length, cutoff, falloff).to(images)
    spectrum = torch.fft.rfft(rows) * response
    return torch.fft.irfft(spectrum, n=length)[..., before : before + width]


def ramp(length: int, cutoff: float, falloff: float) -> Tensor:  # (length // 2 + 1,)
    """Response of the filter at the frequencies of `torch.fft.rfftfreq`.

    Parameters
    ----------
    length : int
        Of rows, even.
    cutoff, falloff : float
        In cycles/pixel.

    Returns
    -------
    Tensor
        In cycles/pixel, float64.

    Raises
    ------
    ValueError
        If they are no frequencies up to Nyquist.
    """
    if not 0 < cutoff <= NYQUIST:
        raise ValueError(f"cutoff must be above 0 and at most 0.5 cycles/pixel, got {cutoff}")
    if not 0 <= falloff <= NYQUIST:
        raise ValueError(f"falloff must be 0 to 0.5 cycles/pixel, got {falloff}")
    distance = torch.arange(length, dtype=torch.float64)
    distance = torch.minimum(distance, length - distance)
    kernel = torch.where(distance % 2 == 1, -1 / (math.pi * distance) ** 2, 0.0)
    kernel[0] = 0.25
    response = torch.fft.rfft(kernel).real
    frequency = torch.fft.rfftfreq(length, dtype=torch.float64)
    beyond = (frequency - cutoff).clamp_min(0)
    if falloff == 0:
        return torch.where(beyond > 0, 0.0, response)
    return response * torch.exp(-(beyond**2) / (2 * falloff**2))


def tilt_weights(
    tilts: Tensor,  # (n_tilts,) rad
) -> Tensor:  # (n_tilts,) rad
    """Angle that each tilt stands for: half of what lies between its neighbours.

    Parameters
    ----------
    tilts : Tensor
        In rad, in any order; equal ones share their angle.

    Returns
    -------
    Tensor
        In rad; the first and the last stand for as much outside as inside.
    """
    values, which, counts = torch.unique(tilts, return_inverse=True, return_counts=True)
    if len(values) == 1:
        return torch.full_like(tilts, math.pi / len(tilts))
    gaps = values.diff()
    each = (torch.cat([gaps[:1], gaps]) + torch.cat([gaps, gaps[-1:]])) / 2
    return (each / counts)[which]
