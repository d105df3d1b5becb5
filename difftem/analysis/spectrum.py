"""Power spectra and their rotational averages."""

import torch
from torch import Tensor

from difftem.functional.grid import frequency_grid, radius


def power_spectrum(
    image: Tensor,  # (..., y, x)
    *,
    half: bool = True,
) -> Tensor:  # (..., y, x // 2 + 1), or (..., y, x)
    """Periodogram of an image without its mean; white noise of variance v gives v on average.

    Parameters
    ----------
    image : Tensor
        Real, shape ``(..., y, x)``.
    half : bool
        Only the half grid of a real transform, or all frequencies.

    Returns
    -------
    Tensor
        Squared Fourier amplitudes over the number of pixels, DC at ``[0, 0]``.
    """
    centered = image - image.mean((-2, -1), keepdim=True)
    spectrum = torch.fft.rfft2(centered) if half else torch.fft.fft2(centered)
    return (spectrum.real**2 + spectrum.imag**2) / (image.shape[-2] * image.shape[-1])


def radial_average(
    values: Tensor,  # (..., y, x // 2 + 1)
    shape: tuple[int, int],
    n_bins: int,
) -> tuple[Tensor, Tensor]:  # (n_bins,), (..., n_bins)
    """Mean over rings of equal width from 0 to Nyquist, each frequency counted once.

    Parameters
    ----------
    values : Tensor
        On the half grid of `shape`.
    shape : tuple of int
        ``(ny, nx)`` of the image.
    n_bins : int
        Number of rings.

    Returns
    -------
    tuple of Tensor
        Ring centres in cycles/pixel and means; an empty ring gives NaN.
    """
    grid = frequency_grid(shape, 1.0, half=True, device=values.device, dtype=values.dtype)
    ring = (radius(grid) * 2 * n_bins).long().flatten()
    # The half grid holds every column once but its first (and last, if nx is even) twice over.
    weight = torch.full_like(grid[1], 2.0)
    weight[:, 0] = 1.0
    if shape[1] % 2 == 0:
        weight[:, -1] = 1.0
    weight = weight.expand(values.shape[-2:]).flatten()
    inside = ring < n_bins
    total = values.new_zeros(*values.shape[:-2], n_bins).index_add(
        -1, ring[inside], (values.flatten(-2) * weight)[..., inside]
    )
    count = values.new_zeros(n_bins).index_add(0, ring[inside], weight[inside])
    center = (torch.arange(n_bins, device=values.device, dtype=values.dtype) + 0.5) / (2 * n_bins)
    return center, total / count
