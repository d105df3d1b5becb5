"""A grid cut into tiles, and the points that reach each of them."""

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor

TILE = 16  # pixels per side, at most


class Tiles(NamedTuple):
    """How a grid is cut: tile t of n covers pixels ``t * size // n`` to ``(t + 1) * size // n``."""

    ny: int
    nx: int
    rows: int
    columns: int

    @property
    def number(self) -> int:
        """Number of tiles."""
        return self.rows * self.columns


def cut(
    ny: int,
    nx: int,
) -> Tiles:
    """Tiles of a grid, none larger than `TILE` and all but equal."""
    return Tiles(ny, nx, -(-ny // TILE), -(-nx // TILE))


def serves(
    ny: int,
    nx: int,
    width: int,
) -> bool:
    """Whether a grid is large enough that no footprint meets itself and no tile is met twice."""
    tiles = cut(ny, nx)
    return (
        min(ny, nx) >= width
        and _reach(ny, tiles.rows, width) < tiles.rows
        and _reach(nx, tiles.columns, width) < tiles.columns
    )


def tile_lists(
    xy: Tensor,  # (n, 2) pixels
    counts: Sequence[int],  # of each slice
    tiles: Tiles,
    width: int,
) -> tuple[Tensor, Tensor]:  # (n_entries,) int32, (n_slices * n_tiles + 1,) int64
    """List the points whose footprint reaches a tile, slice by slice and tile by tile.

    Parameters
    ----------
    xy : Tensor
        Points of all slices in turn, in pixels, shape ``(n, 2)``.
    counts : sequence of int
        How many of them are in each slice.
    tiles : Tiles
        How a slice is cut.
    width : int
        Pixels per axis of a footprint.

    Returns
    -------
    tuple of Tensor
        Numbers of the points within their slice, and where the list of each tile begins.
    """
    n_slices = len(counts)
    per_slice = torch.tensor(counts).to(xy.device, non_blocking=True)
    slice_ = torch.repeat_interleave(per_slice, output_size=len(xy))
    number = torch.arange(len(xy), device=xy.device) - (per_slice.cumsum(0) - per_slice)[slice_]
    columns, in_columns = _reached(xy[:, 0], tiles.nx, tiles.columns, width)
    rows, in_rows = _reached(xy[:, 1], tiles.ny, tiles.rows, width)
    keys = (rows[:, None] * tiles.columns + columns + slice_ * tiles.number).flatten()
    reached = (in_rows[:, None] & in_columns).flatten().nonzero()[:, 0]
    keys, numbers = keys[reached], number[reached % max(1, len(xy))]
    order = torch.argsort(keys, stable=True)
    starts = torch.bincount(keys, minlength=n_slices * tiles.number).cumsum(0)
    return numbers[order].int(), torch.nn.functional.pad(starts, (1, 0))


def _reached(
    coordinate: Tensor, size: int, n_tiles: int, width: int
) -> tuple[Tensor, Tensor]:  # 2 x (1 + reach, n)
    """Tiles along one axis that a footprint could reach, and whether it does."""
    first = torch.remainder(torch.floor(coordinate).long() - (width // 2 - 1), size)
    own = ((first + 1) * n_tiles - 1) // size
    steps = torch.arange(_reach(size, n_tiles, width) + 1, device=coordinate.device)
    tile = own + steps[:, None]
    begin = tile * size // n_tiles  # beyond the last one the grid begins anew
    return tile % n_tiles, begin < first + width


def _reach(size: int, n_tiles: int, width: int) -> int:
    """Tiles beyond its own that a footprint can reach along one axis."""
    return -(-(width - 1) // (size // n_tiles))
