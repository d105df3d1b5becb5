"""Resampling of an image by averages over the new pixels."""

import torch
from torch import Tensor

from difftem.functional.grid import check_pixel_size


def box_average(
    image: Tensor,  # (..., y, x)
    pixel_size: float,  # Å
    shape: tuple[int, int],
    new_pixel_size: float,  # Å
) -> Tensor:  # (..., *shape)
    """Average an image of square pixels over the squares of another grid with the same centre.

    Parameters
    ----------
    image : Tensor
        Constant within each pixel, 0 outside, shape ``(..., y, x)``.
    pixel_size : float
        In Å.
    shape : tuple of int
        ``(ny, nx)`` of the result.
    new_pixel_size : float
        Of the result, in Å.

    Returns
    -------
    Tensor
        Dtype of `image`; the same numbers where the grids are the same.

    References
    ----------
    Rullgård et al., J. Microscopy 243 (2011) 234.

    Examples
    --------
    >>> import torch
    >>> from difftem.functional.box_average import box_average
    >>> image = torch.arange(16.0).view(4, 4)
    >>> box_average(image, pixel_size=1.0, shape=(2, 2), new_pixel_size=2.0)
    tensor([[ 2.5000,  4.5000],
            [10.5000, 12.5000]])
    """
    check_pixel_size(pixel_size)
    check_pixel_size(new_pixel_size)
    ratio = new_pixel_size / pixel_size
    for axis, n in zip((-2, -1), shape, strict=True):
        if not (image.shape[axis] == n and abs(ratio - 1) < 1e-9):
            image = _average(image.movedim(axis, -1), n, ratio).movedim(-1, axis)
    return image


def _average(values: Tensor, n: int, ratio: float) -> Tensor:
    """Average along the last axis by differences of its running integral."""
    old = values.shape[-1]
    # In double precision: differences of sums over the whole field.
    integral = torch.nn.functional.pad(values.double().cumsum(-1), (1, 0))
    edges = torch.arange(n + 1, dtype=torch.float64, device=values.device)
    edges = ((edges - n / 2) * ratio + old / 2).clamp(0, old)
    cell = edges.long().clamp(max=old - 1)
    below, above = integral[..., cell], integral[..., cell + 1]
    at_edges = torch.lerp(below, above, edges - cell)
    return (at_edges.diff(dim=-1) / ratio).to(values.dtype)
