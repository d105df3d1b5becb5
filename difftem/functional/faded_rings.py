"""Fourier ring correlation of whitened images that are not periodic."""

import torch
from torch import Tensor

from difftem.functional.fourier_ring import ring_correlation, ring_products
from difftem.functional.hann import fade_to_edges
from difftem.functional.whiteness import ring_power

_NOTHING = 1e-6  # of the power of the noise: what windows, filters and rounding leave


def faded_products(
    first: Tensor,  # (..., y, x)
    second: Tensor,  # (..., y, x)
    n_rings: int,
) -> Tensor:  # (..., 4, n_rings)
    """Sum the spectra of two images that fade to their edges over rings.

    Sums of several images may be added before `faded_correlation` divides them.

    Parameters
    ----------
    first, second : Tensor
        Whitened values, noise of variance 1 or an estimate without it, shape ``(..., y, x)``.
    n_rings : int
        From 0 to Nyquist.

    Returns
    -------
    Tensor
        As `difftem.functional.fourier_ring.ring_products`, and the power that noise of variance 1
        has in each ring.

    Examples
    --------
    >>> import torch
    >>> from difftem.functional.faded_rings import faded_correlation, faded_products
    >>> images = torch.randn(3, 32, 32, generator=torch.Generator().manual_seed(0))
    >>> products = faded_products(images, images, n_rings=8)
    >>> tuple(products.shape)  # images, sums, rings
    (3, 4, 8)
    >>> round(faded_correlation(products.sum(0)).mean().item(), 6)  # of all images together
    1.0
    """
    products = ring_products(fade_to_edges(first), fade_to_edges(second), n_rings)
    ny, nx = first.shape[-2:]
    ordinates = ring_power(first.new_zeros(ny, nx), n_rings)[1, :-1]
    noise = (ordinates / (ny * nx)).expand_as(products[..., :1, :])
    return torch.cat([products, noise], -2)


def faded_correlation(
    products: Tensor,  # (..., 4, n_rings)
) -> Tensor:  # (..., n_rings)
    """Divide sums of `faded_products` into a correlation.

    Parameters
    ----------
    products : Tensor
        Shape ``(..., 4, n_rings)``.

    Returns
    -------
    Tensor
        Between -1 and 1; 0 in rings where one image has less than a millionth of the noise's power.

    Examples
    --------
    >>> import torch
    >>> from difftem.functional.faded_rings import faded_correlation, faded_products
    >>> signal, *noise = torch.randn(3, 128, 128, generator=torch.Generator().manual_seed(0))
    >>> first, second = (signal + each for each in noise)  # as much signal as noise
    >>> round(faded_correlation(faded_products(first, second, 8)).mean().item(), 1)
    0.5
    """
    there = products[..., 1:3, :] > _NOTHING * products[..., 3:, :]
    return ring_correlation(products[..., :3, :]) * there.all(-2)
