"""Random fields of a given spectrum: white noise, shaped in Fourier space."""

import torch
from torch import Tensor

from difftem.functional.grid import check_pixel_size


def white_noise(
    shape: tuple[int, ...],
    generator: torch.Generator | None = None,
    dtype: torch.dtype = torch.float32,
) -> Tensor:  # shape
    """Draw independent standard normal numbers, on the generator's device."""
    device = generator.device if generator is not None else None
    return torch.randn(*shape, generator=generator, dtype=dtype, device=device)


def random_field(
    noise: Tensor,  # (..., y, x)
    power: Tensor,  # (y, x // 2 + 1) unit² Å²
    pixel_size: float,  # Å
) -> Tensor:  # (..., y, x) unit
    r"""Give white noise a power spectrum.

    .. math:: v = F^{-1}\left[\sqrt{P(q)}\, F[w]\right] / p

    with the pixel size p, so that :math:`\langle v^2 \rangle = \int P(q)\, d^2 q` up to the
    highest frequency of the grid.

    Parameters
    ----------
    noise : Tensor
        w: standard normal numbers, shape ``(..., y, x)``.
    power : Tensor
        P on the half grid of a real transform, not negative; where a gradient is wanted, positive.
    pixel_size : float
        In Å.

    Returns
    -------
    Tensor
        Real, periodic field of mean 0, or of the variance P(0) / area with P(0) > 0.
    """
    check_pixel_size(pixel_size)
    spectrum = torch.fft.rfft2(noise) * torch.sqrt(power).to(noise)
    return torch.fft.irfft2(spectrum, s=noise.shape[-2:]) / pixel_size
