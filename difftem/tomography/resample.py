"""Images, turned and shifted: cubic for alignment, linear and with a transpose in a projector."""

import torch
from torch import Tensor
from torch.nn.functional import grid_sample


def places(
    matrix: Tensor,  # (2, 2)
    shift: Tensor,  # (2,) pixels
    shape: tuple[int, int],
    source: tuple[int, int],
) -> Tensor:  # (y, x, 2) pixels
    """Where M r + s lies in a source image, for all pixels r of an image.

    Parameters
    ----------
    matrix, shift : Tensor
        M and s; r and the result of both count from pixel n // 2.
    shape, source : tuple of int
        Rows and columns of the image and of the source.

    Returns
    -------
    Tensor
        X and y in pixels from the centre of the source's first pixel.
    """
    y, x = (torch.arange(n, device=matrix.device) - n // 2 for n in shape)
    grid = torch.stack(torch.meshgrid(x, y, indexing="xy"), -1).to(matrix)
    middle = torch.tensor([n // 2 for n in reversed(source)]).to(matrix)
    return grid @ matrix.mT + shift + middle


def align_image(
    image: Tensor,  # (y, x)
    matrix: Tensor,  # (2, 2)
    shift: Tensor,  # (2,) pixels
    shape: tuple[int, int],
) -> Tensor:  # (y, x)
    """Take an aligned image out of one that was taken, with cubic splines of Keys.

    Parameters
    ----------
    image : Tensor
        As it was taken.
    matrix, shift : Tensor
        Of `difftem.tomography.geometry.SingleAxis`.
    shape : tuple of int
        Rows and columns of the result.

    Returns
    -------
    Tensor
        What lies outside of the image repeats its edge.
    """
    ny, nx = image.shape
    at = places(matrix, shift, shape, (ny, nx))
    sides = torch.tensor([nx, ny], dtype=at.dtype, device=at.device)
    grid = ((2 * at + 1) / sides - 1).to(image)
    return grid_sample(image[None, None], grid[None], "bicubic", "border", align_corners=False)[
        0, 0
    ]


def sample(
    image: Tensor,  # (y, x)
    at: Tensor,  # (..., 2) pixels
) -> Tensor:  # (...)
    """Read an image linearly between its pixels; 0 outside."""
    ny, nx = image.shape
    total = torch.zeros(at.shape[:-1], dtype=image.dtype, device=image.device)
    for index, weight in _taps(at, (ny, nx)):
        total = total + weight.to(image) * image.flatten()[index]
    return total


def spread(
    values: Tensor,  # (...)
    at: Tensor,  # (..., 2) pixels
    shape: tuple[int, int],
) -> Tensor:  # (y, x)
    """Add values to an image linearly between its pixels: the transpose of `sample`."""
    ny, nx = shape
    image = torch.zeros(ny * nx, dtype=values.dtype, device=values.device)
    for index, weight in _taps(at, shape):
        image = image.index_add(0, index.flatten(), (weight.to(values) * values).flatten())
    return image.reshape(shape)


def _taps(at: Tensor, shape: tuple[int, int]) -> list[tuple[Tensor, Tensor]]:
    """Four neighbours of each place: index, and weight, which is 0 outside."""
    low = at.detach().floor()
    part = at - low
    taps = []
    for dx, dy in ((0, 0), (1, 0), (0, 1), (1, 1)):
        x, y = (low[..., 0] + dx).long(), (low[..., 1] + dy).long()
        weight = (part[..., 0] if dx else 1 - part[..., 0]) * (
            part[..., 1] if dy else 1 - part[..., 1]
        )
        inside = (x >= 0) & (x < shape[1]) & (y >= 0) & (y < shape[0])
        index = y.clamp(0, shape[0] - 1) * shape[1] + x.clamp(0, shape[1] - 1)
        taps.append((index, torch.where(inside, weight, 0.0)))
    return taps
