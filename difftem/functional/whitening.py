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
    """
    return apply_transfer(values, noise) + mean
