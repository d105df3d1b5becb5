"""Atomic columns of an image: bright or dark spots, found to a part of a pixel."""

import math
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor
from torch.nn.functional import max_pool2d

from difftem.functional.cosine import (
    cosine_radius,
    cosine_transform,
    inverse_cosine_transform,
)

Contrast = Literal["white", "black"]

_WIDE = 2.5  # of the narrow filter: what is wider than a column is taken off
_TYPICAL = 0.9  # quantile of heights that the least height is a share of
_GAP_DEG = (
    100.0  # without a neighbour: lattices of Pt and CeO2 have 71, and 109 or more beside a gap
)


@dataclass(frozen=True, eq=False)
class FoundColumns:
    """Columns in projection.

    Attributes
    ----------
    positions : Tensor
        x and y of each in pixels, pixel centres being whole numbers, shape ``(n, 2)``.
    heights : Tensor
        Of the spots over what is around them, in the units of the image, shape ``(n,)``.

    Examples
    --------
    >>> import torch
    >>> from difftem.analysis.atomic_columns import FoundColumns
    >>> found = FoundColumns(torch.tensor([[10.25, 20.0], [30.0, 20.0]]), torch.tensor([1.0, 0.4]))
    >>> found.positions[found.heights > 0.5].tolist()
    [[10.25, 20.0]]
    """

    positions: Tensor
    heights: Tensor


def find_columns(
    image: Tensor,  # (y, x)
    pixel_size: float,  # Å
    *,
    contrast: Contrast = "white",
    width: float = 0.4,  # Å
    distance: float = 1.3,  # Å
    least: float = 0.25,
) -> FoundColumns:
    """Find the columns of an image without noise, by a difference of Gaussians.

    Parameters
    ----------
    image : Tensor
        Denoised, or without noise, shape ``(y, x)``.
    pixel_size : float
        Å.
    contrast : {"white", "black"}
        Whether columns are brighter than what is around them.
    width : float
        Standard deviation of a column in Å; half of it is the finer filter's.
    distance : float
        Å, that columns are apart at least.
    least : float
        Of the height that a tenth of the spots exceed: lower ones are left out.

    Returns
    -------
    FoundColumns
        Row by row; none in a constant image. Spots nearer to the border than `width` are left out.

    Raises
    ------
    ValueError
        For a length that is not positive.

    Examples
    --------
    >>> import torch
    >>> from difftem.analysis.atomic_columns import find_columns
    >>> y, x = torch.meshgrid(torch.arange(64.0), torch.arange(64.0), indexing="ij")
    >>> places = [(20.0, 32.0), (40.0, 33.0)]  # x and y in pixels
    >>> image = sum(torch.exp(-((x - a) ** 2 + (y - b) ** 2) / 32) for a, b in places)
    >>> found = find_columns(image, pixel_size=0.1)
    >>> [[round(each) for each in place] for place in found.positions.tolist()]
    [[20, 32], [40, 33]]
    """
    for name, value in (("pixel_size", pixel_size), ("width", width), ("distance", distance)):
        if not (math.isfinite(value) and value > 0):
            raise ValueError(f"{name} must be positive, got {value:g} Å")
    if not 0 < least < 1:
        raise ValueError(f"least must be between 0 and 1, got {least:g}")
    spots = _spots(image.double() if contrast == "white" else -image.double(), width / pixel_size)
    size = 2 * max(1, round(distance / pixel_size / math.sqrt(2))) + 1
    peak = max_pool2d(spots[None, None], size, 1, size // 2)[0, 0]
    margin = max(1, round(width / pixel_size))
    inside = torch.zeros_like(peak, dtype=torch.bool)
    inside[margin:-margin, margin:-margin] = True
    y, x = ((spots == peak) & inside & (spots > 0)).nonzero().T
    heights = spots[y, x]
    if not len(heights) or float(heights.max()) <= 1e-9 * float(image.abs().max()):
        return FoundColumns(spots.new_zeros(0, 2), spots.new_zeros(0))
    high = heights > least * heights.quantile(_TYPICAL)
    y, x = y[high], x[high]
    return FoundColumns(torch.stack([x, y], 1) + _offsets(spots, y, x), heights[high].to(spots))


def at_surface(
    positions: Tensor,  # (n, 2) px
    reach: float,  # px
    shape: tuple[int, int],
) -> Tensor:  # (n,) bool
    """Tell columns that have an angle of 100 degrees without a neighbour.

    Parameters
    ----------
    positions : Tensor
        x and y in pixels, shape ``(n, 2)``.
    reach : float
        Pixels to the furthest neighbour: about 1.5 times the distance of columns.
    shape : tuple of int
        ``(y, x)`` of the image: what is missing where it has ended tells nothing.

    Returns
    -------
    Tensor
        True at a surface, shape ``(n,)``.

    Examples
    --------
    >>> import torch
    >>> from difftem.analysis.atomic_columns import at_surface
    >>> lattice = torch.cartesian_prod(torch.arange(3.0), torch.arange(3.0)) * 10 + 40
    >>> at_surface(lattice, reach=15.0, shape=(100, 100)).reshape(3, 3).tolist()
    [[True, True, True], [True, False, True], [True, True, True]]
    """
    end = torch.tensor([shape[1] - 1, shape[0] - 1]).to(positions)
    found = torch.zeros(len(positions), dtype=torch.bool)
    for i, each in enumerate(positions):
        away = positions - each
        apart = away.norm(dim=1)
        near = away[(apart > 0) & (apart < reach)]
        if not len(near):
            found[i] = True
            continue
        angles = torch.atan2(near[:, 1], near[:, 0]).sort().values
        gaps = torch.cat([angles.diff(), angles[:1] + 2 * math.pi - angles[-1:]])
        middle = (angles + gaps / 2)[gaps >= math.radians(_GAP_DEG)]
        beyond = each + reach * torch.stack([middle.cos(), middle.sin()], 1)
        found[i] = bool(((beyond >= 0) & (beyond <= end)).all(1).any())
    return found


def border_distance(
    positions: Tensor,  # (n, 2) px
    shape: tuple[int, int],
) -> Tensor:  # (n,) px
    """Distance of places to the nearest side of an image, in pixels.

    Examples
    --------
    >>> import torch
    >>> from difftem.analysis.atomic_columns import border_distance
    >>> border_distance(torch.tensor([[3.0, 50.0], [50.0, 50.0]]), (100, 100)).tolist()
    [3.0, 49.0]
    """
    far = torch.tensor([shape[1] - 1, shape[0] - 1]).to(positions) - positions
    return torch.minimum(positions, far).amin(1)


def _spots(image: Tensor, sigma: float) -> Tensor:  # (y, x)
    """Filter out noise that is finer than a column, and what is wider."""
    q = cosine_radius((image.shape[0], image.shape[1])).to(image)
    narrow = (math.pi * sigma * q) ** 2 / 2  # of half of the width
    gain = torch.exp(-narrow) - torch.exp(-4 * _WIDE**2 * narrow)
    return inverse_cosine_transform(cosine_transform(image) * gain)


def _offsets(spots: Tensor, y: Tensor, x: Tensor) -> Tensor:  # (n, 2) x, y
    """Newton's step to the maximum of a parabola through nine pixels, half a pixel at most."""

    def at(dy: int, dx: int) -> Tensor:
        return spots[y + dy, x + dx]

    slope = torch.stack([at(0, 1) - at(0, -1), at(1, 0) - at(-1, 0)], 1) / 2
    xx = at(0, 1) + at(0, -1) - 2 * at(0, 0)
    yy = at(1, 0) + at(-1, 0) - 2 * at(0, 0)
    xy = (at(1, 1) + at(-1, -1) - at(1, -1) - at(-1, 1)) / 4
    determinant = xx * yy - xy**2
    round_top = determinant > 1e-12 * (xx.abs() + yy.abs()) ** 2
    safe = torch.where(round_top, determinant, torch.ones_like(determinant))
    step_x = (xy * slope[:, 1] - yy * slope[:, 0]) / safe
    step_y = (xy * slope[:, 0] - xx * slope[:, 1]) / safe
    step = torch.stack([step_x, step_y], 1).clamp(-0.5, 0.5)
    return torch.where(round_top[:, None], step, torch.zeros_like(step))
