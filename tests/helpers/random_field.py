"""Random fields of a known spectrum, not periodic in what is seen of them."""

import torch

from difftem.functional.grid import frequency_grid, radius


def random_field(spectrum, shape, generator):
    """Crop a Gaussian field of power `spectrum` (a function of cycles/pixel) from a larger one."""
    ny, nx = (2 * n for n in shape)
    white = torch.randn(ny, nx, generator=generator, dtype=torch.float64)
    q = radius(frequency_grid((ny, nx), 1.0, half=True))
    field = torch.fft.irfft2(torch.fft.rfft2(white) * spectrum(q).sqrt(), s=(ny, nx))
    return field[: shape[0], : shape[1]].float()


def mean_over_frequencies(function, n=1024):
    """Average a function of the radial frequency over the square of all frequencies."""
    return function(radius(frequency_grid((n, n), 1.0))).mean().item()
