"""Vacuum beside a specimen of atomic columns: where it is, and how many electrons it has."""

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.functional import avg_pool2d

_CELL = 4  # pixels a side that are looked at as one
_AWAY = 4.0  # Å from every column: rings and delocalisation have ended
_LEAST = 0.01  # of the image


@dataclass(frozen=True)
class Vacuum:
    """What lies far from all columns.

    Attributes
    ----------
    level : float
        Mean of the counts there, electrons per pixel.
    share : float
        Of the image.
    deepest : tuple of int
        (y, x) of the pixel that is furthest from columns and border.
    """

    level: float
    share: float
    deepest: tuple[int, int]


def find_vacuum(
    counts: Tensor,  # (y, x)
    positions: Tensor,  # (n, 2) px
    pixel_size: float,  # Å
) -> Vacuum | None:
    """Take what is further than 4 Å from every column for vacuum.

    Parameters
    ----------
    counts : Tensor
        Electrons, shape ``(y, x)``.
    positions : Tensor
        x and y of columns in pixels, shape ``(n, 2)``.
    pixel_size : float
        Å.

    Returns
    -------
    Vacuum or None
        None where it is less than a hundredth of the image.
    """
    cells = avg_pool2d(counts.double()[None, None], _CELL)[0, 0]
    middle = [_CELL * torch.arange(n, dtype=torch.float64) + (_CELL - 1) / 2 for n in cells.shape]
    places = torch.cartesian_prod(middle[1], middle[0]).reshape(*cells.T.shape, 2).transpose(0, 1)
    if len(positions):
        away = torch.cdist(places.reshape(-1, 2), positions.double()).amin(1).reshape(cells.shape)
    else:
        away = torch.full_like(cells, torch.inf)
    far = away > _AWAY / pixel_size
    if float(far.double().mean()) < _LEAST:
        return None
    ny, nx = counts.shape
    border = torch.minimum(
        torch.minimum(places[..., 0], nx - 1 - places[..., 0]),
        torch.minimum(places[..., 1], ny - 1 - places[..., 1]),
    )
    depth = torch.minimum(away, border)
    x, y = places.reshape(-1, 2)[int(depth.argmax())].tolist()
    return Vacuum(float(cells[far].mean()), float(far.double().mean()), (int(y), int(x)))
