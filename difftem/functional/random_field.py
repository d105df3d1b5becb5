"""Random fields of a given spectrum: white noise, shaped in Fourier space."""

import hashlib
from collections.abc import Callable

import torch
from torch import Tensor

from difftem.functional.grid import check_pixel_size, frequency_grid, radius

RADII = 16384  # of a table of a radial function: enough for the fringes of 10 µm of defocus


def seeded(*numbers: int) -> torch.Generator:
    """Make a generator on the CPU whose random numbers depend on these and nothing else.

    Examples
    --------
    >>> import torch
    >>> from difftem.functional.random_field import seeded
    >>> same, other = (torch.rand(1, generator=seeded(*n)) for n in ((0, 7), (0, 8)))
    >>> torch.equal(same, torch.rand(1, generator=seeded(0, 7))), torch.equal(same, other)
    (True, False)
    """
    digest = hashlib.sha256(" ".join(map(str, numbers)).encode()).digest()
    return torch.Generator().manual_seed(int.from_bytes(digest[:8], "little") >> 1)


def white_noise(
    shape: tuple[int, ...],
    generator: torch.Generator | None = None,
    dtype: torch.dtype = torch.float32,
) -> Tensor:  # shape
    """Draw independent standard normal numbers, on the generator's device.

    Examples
    --------
    >>> import torch
    >>> from difftem.functional.random_field import white_noise
    >>> noise = white_noise((128, 128), torch.Generator().manual_seed(0))
    >>> round(noise.std().item(), 1)
    1.0
    """
    device = generator.device if generator is not None else None
    return torch.randn(*shape, generator=generator, dtype=dtype, device=device)


def on_half_grid(
    function: Callable[[Tensor], Tensor],
    shape: tuple[int, int],
    pixel_size: float,  # Å
    device: torch.device | None = None,
) -> Tensor:  # (..., y, x // 2 + 1)
    """Evaluate a function of the radius on the half grid of a real transform, through a table.

    Parameters
    ----------
    function : callable
        Of frequencies in 1/Å, float64 of shape ``(n,)``; gives ``(..., n)``.
    shape : tuple of int
        ``(ny, nx)`` in pixels.
    pixel_size : float
        In Å.
    device : torch.device, optional
        Of the grid.

    Returns
    -------
    Tensor
        Interpolated between `RADII` values from 0 to the grid's corner, differentiable in them.

    Examples
    --------
    >>> from difftem.functional.random_field import on_half_grid
    >>> power = on_half_grid(lambda q: 1 / (1 + q**2), (4, 4), pixel_size=0.5)
    >>> [round(value, 3) for value in power[0].tolist()]  # at q of 0, 0.5 and 1 1/Å
    [1.0, 0.8, 0.5]
    """
    q = radius(frequency_grid(shape, pixel_size, half=True, device=device))
    last = float(q.max())
    values = function(torch.linspace(0.0, last, RADII, dtype=torch.float64, device=device))
    place = q * ((RADII - 1) / last)
    left = place.long().clamp_(max=RADII - 2)
    return torch.lerp(values[..., left], values[..., left + 1], (place - left).to(values))


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
        Real and periodic.

    Examples
    --------
    >>> import torch
    >>> from difftem.functional.random_field import random_field, white_noise
    >>> noise = white_noise((128, 128), torch.Generator().manual_seed(0))
    >>> power = torch.full((128, 65), 36.0)  # V² Å²
    >>> round(random_field(noise, power, pixel_size=2.0).std().item(), 1)  # V: √(36 / 2²)
    3.0
    """
    check_pixel_size(pixel_size)
    spectrum = torch.fft.rfft2(noise) * torch.sqrt(power).to(noise)
    return torch.fft.irfft2(spectrum, s=noise.shape[-2:]) / pixel_size
