"""Images whose noise is white, of unit variance, and back."""

import torch
from torch import Tensor

from difftem.functional.grid import frequency_grid, radius
from difftem.functional.mtf import apply_transfer


def radial_transfer(
    frequency: Tensor,  # (n,) cycles/pixel
    values: Tensor,  # (n,)
    shape: tuple[int, int],
) -> Tensor:  # (y, x // 2 + 1)
    """Spread a radial curve over the half grid of a real FFT.

    Parameters
    ----------
    frequency : Tensor
        Increasing, in cycles/pixel.
    values : Tensor
        The curve there; straight lines between, constant beyond both ends.
    shape : tuple of int
        ``(ny, nx)`` of the image.

    Returns
    -------
    Tensor
        In the type and on the device of `values`.

    Examples
    --------
    >>> import torch
    >>> from difftem.functional.whitening import radial_transfer
    >>> frequency, curve = torch.tensor([0.0, 0.5]), torch.tensor([1.0, 0.4])
    >>> transfer = radial_transfer(frequency, curve, (4, 4))
    >>> [round(h, 3) for h in transfer[0].tolist()]  # at qx of 0, 0.25 and 0.5 cycles/pixel
    [1.0, 0.7, 0.4]
    """
    q = radius(frequency_grid(shape, 1.0, half=True, device=values.device)).to(values.dtype)
    knots = frequency.to(values)
    i = torch.searchsorted(knots, q.contiguous()).clamp(1, len(knots) - 1)
    t = ((q - knots[i - 1]) / (knots[i] - knots[i - 1])).clamp(0.0, 1.0)
    return torch.lerp(values[i - 1], values[i], t)


def whiten(
    image: Tensor,  # (..., y, x) grey values
    mean: float | Tensor,  # grey values
    noise: Tensor,  # (y, x // 2 + 1) grey values
) -> Tensor:  # (..., y, x)
    """Take the mean off and divide by the noise's amplitude in Fourier space.

    Parameters
    ----------
    image : Tensor
        Grey values.
    mean : float or Tensor
        What is taken off, in grey values.
    noise : Tensor
        Standard deviation of the noise at every frequency (square root of its power), positive.

    Returns
    -------
    Tensor
        Noise is white and has variance 1.

    Examples
    --------
    >>> import torch
    >>> from difftem.functional.whitening import whiten
    >>> image = 100 + 20 * torch.randn(64, 64, generator=torch.Generator().manual_seed(0))
    >>> values = whiten(image, mean=100.0, noise=torch.full((64, 33), 20.0))
    >>> round(values.std().item(), 1)
    1.0
    """
    return apply_transfer(image - mean, 1 / noise)


def colour(
    values: Tensor,  # (..., y, x)
    mean: float | Tensor,  # grey values
    noise: Tensor,  # (y, x // 2 + 1) grey values
) -> Tensor:  # (..., y, x) grey values
    """Undo `whiten`.

    Parameters
    ----------
    values : Tensor
        As `whiten` gives them.
    mean, noise
        As of `whiten`.

    Returns
    -------
    Tensor
        Grey values.

    Examples
    --------
    >>> import torch
    >>> from difftem.functional.whitening import colour, whiten
    >>> image = torch.tensor([[90.0, 110.0], [130.0, 70.0]])
    >>> noise = torch.tensor([[20.0, 10.0], [10.0, 5.0]])  # grey values, less at high frequency
    >>> torch.allclose(colour(whiten(image, 100.0, noise), 100.0, noise), image)
    True
    """
    return apply_transfer(values, noise) + mean
