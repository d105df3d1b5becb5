"""Images of a tilt series, seen as if the sample were flat: turned, and stretched by 1/cos."""

import math

import torch
from torch import Tensor
from torch.nn.functional import grid_sample

_EDGE = 0.2  # of the radius, in which the mask falls to 0


def flat_view(
    images: Tensor,  # (n_tilts, y, x)
    tilts: Tensor,  # (n_tilts,) rad
    axis: float,  # rad
    shifts: Tensor,  # (n_tilts, 2) pixels
) -> Tensor:  # (n_tilts, n, n)
    r"""Turn images until the axis is y, and stretch them across it by 1/cos θ.

    Of a flat sample, all of them show the same disc, the largest that the least tilted image
    holds; outside of it there is 0. With tilts of 0 they are only turned.

    Parameters
    ----------
    images : Tensor
        As taken, 0 where there is nothing.
    tilts : Tensor
        θ in rad.
    axis : float
        Direction of the tilt axis in the images in rad, counter-clockwise from x.
    shifts : Tensor
        How far the contents of the images are off, x and y in pixels.

    Returns
    -------
    Tensor
        Squares of the shorter side of the images, each of mean 0 within the disc.
    """
    rows, columns = images.shape[1:]
    side = min(rows, columns)
    y, x = (torch.arange(side).to(images) - side // 2 for _ in range(2))
    across, along = x * tilts.cos().to(images)[:, None, None], y[:, None]
    c, s = math.cos(axis - math.pi / 2), math.sin(axis - math.pi / 2)
    middle = torch.tensor([columns // 2, rows // 2]).to(images)
    at = torch.stack([c * across - s * along, s * across + c * along], -1)
    at = at + (shifts.to(images) + middle)[:, None, None, :]
    grid = (2 * at + 1) / torch.tensor([columns, rows]).to(images) - 1
    views = grid_sample(images[:, None], grid, "bicubic", "border", align_corners=False)[:, 0]
    within = disc(side).to(images)
    mean = (views * within).sum((1, 2), keepdim=True) / within.sum()
    return (views - mean) * within


def disc(side: int) -> Tensor:  # (side, side)
    """1 within a disc, falling to 0 at the borders of the square.

    Parameters
    ----------
    side : int
        Pixels.

    Returns
    -------
    Tensor
        About pixel n // 2.
    """
    axis = (torch.arange(side) - side // 2) / (side / 2)
    radius = (axis.square() + axis[:, None].square()).sqrt()
    return 0.5 + 0.5 * torch.cos(math.pi * ((radius - 1 + _EDGE) / _EDGE).clamp(0, 1))


def without_noise(
    images: Tensor,  # (..., y, x)
    width: float,
) -> Tensor:  # (..., y, x)
    r"""Take high frequencies off, which interpolation would treat by the angle it turns by.

    .. math:: \exp\left(-k^2 / 2 w^2\right)

    Parameters
    ----------
    images : Tensor
        ``(..., y, x)``.
    width : float
        w in cycles/pixel.

    Returns
    -------
    Tensor
        As large.
    """
    rows, columns = images.shape[-2:]
    square = torch.fft.fftfreq(rows)[:, None].square() + torch.fft.rfftfreq(columns).square()
    response = torch.exp(-square / (2 * width**2)).to(images)
    return torch.fft.irfft2(torch.fft.rfft2(images) * response, s=(rows, columns))
