"""Pixels that do not see electrons: NaN, infinite, hot and dead ones."""

import math

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn.functional import interpolate

_TILE = 64  # pixels; the local median follows the specimen on this scale
_DECADES_UP = 9.0  # an exponential tail passes the limit once in 10^9 pixels
_DECADES_DOWN = 6.5  # the lower tail of counted electrons falls faster than a Gaussian's
_CHUNK = 4_000_000  # neighbours that are looked at at once
_RADII = (2, 8, 32)  # neighbourhoods that may supply a local mean


def find_bad_pixels(
    image: Tensor,  # (y, x)
) -> Tensor:  # (y, x) bool
    r"""Mark pixels that are not finite, or hot or dead beyond what the image's noise can do.

    The residual from the local median is compared with its own tails: with the quantiles
    :math:`Q`, a pixel is hot above

    .. math:: Q_{0.999} + 6 \max\left(Q_{0.999} - Q_{0.99}, \tfrac14 (Q_{0.999} - Q_{0.5})\right),

    which an exponential tail passes once in 10⁹ pixels, Gaussian and Poisson noise less often. It
    needs neither gain nor noise level, and holds for single electrons. The same with the
    quantiles 0.99 and 0.95 is wider for noise, and holds where more than a thousandth of the
    pixels is bad: the lower of the two counts. Dead: the mirror image, to one in 10⁶·⁵.

    Parameters
    ----------
    image : Tensor
        Grey values.

    Returns
    -------
    Tensor
        True where the pixel is bad.
    """
    finite = torch.isfinite(image)
    good = image[finite]
    filled = torch.where(finite, image, good.median())
    residual = filled - local_median(filled)
    low, high = tail_limits(residual)
    return ~finite | (residual > high) | (residual < low)


def tail_limits(
    residual: Tensor,  # (...)
) -> tuple[float, float]:
    """Lowest and highest residual that noise can leave, from its own quantiles.

    Parameters
    ----------
    residual : Tensor
        Grey values less what is expected; finite.

    Returns
    -------
    tuple of float
        See `find_bad_pixels`.
    """
    # Up to 1 % of bad pixels spoil the outer pair of quantiles, but not the inner one.
    values = np.quantile(residual.numpy(), [0.001, 0.01, 0.05, 0.5, 0.95, 0.99, 0.999])
    return -_reach(-values[3::-1], _DECADES_DOWN), _reach(values[3:], _DECADES_UP)


def replace_bad_pixels(
    image: Tensor,  # (y, x)
    bad: Tensor,  # (y, x) bool
) -> Tensor:  # (y, x)
    """Put the mean of the good neighbours in the place of bad pixels.

    Parameters
    ----------
    image : Tensor
        Grey values.
    bad : Tensor
        True where a pixel is bad.

    Returns
    -------
    Tensor
        Finite; good pixels are untouched.
    """
    if not bool(bad.any()):
        return image
    good = image[~bad]
    filled = torch.where(bad, good.mean() if good.numel() else image.new_zeros(()), image)
    where = torch.nonzero(bad)
    for radius in _RADII:
        offset = torch.arange(-radius, radius + 1)
        left = []
        for some in where.split(_CHUNK // len(offset) ** 2):
            y, x = (some[:, axis, None, None] for axis in (0, 1))
            y, x = y + offset[:, None], x + offset
            inside = (y >= 0) & (y < image.shape[0]) & (x >= 0) & (x < image.shape[1])
            y, x = y.clamp(0, image.shape[0] - 1), x.clamp(0, image.shape[1] - 1)
            weight = (inside & ~bad[y, x]).to(image.dtype)
            count = weight.sum((-2, -1))
            total = (filled[y, x] * weight).sum((-2, -1))
            found = count > 0
            filled[tuple(some[found].T)] = total[found] / count[found]
            left.append(some[~found])
        where = torch.cat(left)
        if len(where) == 0:
            break
    return filled


def _reach(quantiles: NDArray[np.float64], decades: float) -> float:
    """Continue a tail from its quantiles 0.5, 0.95, 0.99 and 0.999 to one in 10^decades."""
    middle, q95, q99, q999 = quantiles.tolist()
    slopes = (
        (q999, 3.0, max(q999 - q99, (q999 - middle) / 4)),
        (q99, 2.0, max((q99 - q95) / math.log10(5), (q99 - middle) / 2)),
    )
    return min(
        (start + (decades - at) * slope for start, at, slope in slopes if slope > 0),
        default=math.inf,
    )


def local_median(
    image: Tensor,  # (y, x)
) -> Tensor:  # (y, x)
    """Median of tiles, interpolated; one number where the image is smaller than a tile."""
    ny, nx = (n // _TILE for n in image.shape)
    if ny == 0 or nx == 0:
        return image.median().expand_as(image)
    tiles = image[: ny * _TILE, : nx * _TILE].reshape(ny, _TILE, nx, _TILE)
    medians = tiles.transpose(1, 2).reshape(ny, nx, -1).median(-1).values
    return interpolate(medians[None, None], image.shape, mode="bilinear")[0, 0]
