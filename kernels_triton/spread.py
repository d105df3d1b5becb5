"""Points spread onto a periodic grid with a narrow kernel, and gathered back from it.

No atomics: the grid is cut into tiles, points are sorted by the tile of their footprint's first
pixel, and one program sums all that reaches its tile; so every run gives the same bits. Nothing is
kept per point and pixel: the gradient evaluates the kernel again.
"""

from typing import NamedTuple

import torch
import triton
import triton.language as tl
from torch import Tensor

TILE = 16  # pixels per side, at most
LAYERS = 8  # of one program
POINTS = 16  # taken at a time: the shortest side of a matrix product
PROGRAM_PIXELS = 1024  # of the footprints that one program of the gradient reads


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
    return Tiles(ny, nx, triton.cdiv(ny, TILE), triton.cdiv(nx, TILE))


def tile_of(
    xy: Tensor,  # (n, 2) pixels
    tiles: Tiles,
    width: int,
) -> Tensor:  # (n,) int64
    """Tile that holds the first pixel of each point's footprint."""
    first = torch.floor(xy).long() - (width // 2 - 1)
    x, y = torch.remainder(first[:, 0], tiles.nx), torch.remainder(first[:, 1], tiles.ny)
    row = ((y + 1) * tiles.rows - 1) // tiles.ny
    return row * tiles.columns + ((x + 1) * tiles.columns - 1) // tiles.nx


@triton.jit
def kernel_weight(table, pixel, t, WIDTH: tl.constexpr):
    """Piecewise polynomial of the covered pixel at t, and its derivative by t; Horner's scheme."""
    inside = (pixel >= 0) & (pixel < WIDTH)
    at = tl.where(inside, pixel, 0)
    value = tl.load(table + (WIDTH + 1) * WIDTH + at) + t * 0
    slope = value * 0
    for k in tl.static_range(WIDTH, -1, -1):
        slope = slope * t + value
        value = value * t + tl.load(table + k * WIDTH + at)
    return tl.where(inside, value, 0.0), tl.where(inside, slope, 0.0)


@triton.jit
def footprint_start(coordinate, size, WIDTH: tl.constexpr):
    """First covered pixel, wrapped into the grid, and argument 2 t - 1 of the polynomials."""
    cell = tl.floor(coordinate)
    first = (cell.to(tl.int64) - (WIDTH // 2 - 1)) % size
    first = tl.where(first < 0, first + size, first)
    return first, 2 * (coordinate - cell) - 1


@triton.jit
def spread_fwd_kernel(
    xy, coefficients, order, starts, table, out, ny, nx, rows, columns, n_layers,
    WIDTH: tl.constexpr, BACK_Y: tl.constexpr, BACK_X: tl.constexpr,
    TILE: tl.constexpr, LAYERS: tl.constexpr, POINTS: tl.constexpr,
):  # fmt: skip
    """Sum all points that reach one tile, for some layers."""
    row = tl.program_id(0) // columns
    column = tl.program_id(0) % columns
    layer = tl.program_id(1) * LAYERS + tl.arange(0, LAYERS)
    top = row * ny // rows
    left = column * nx // columns
    y = top + tl.arange(0, TILE)
    x = left + tl.arange(0, TILE)
    total = tl.zeros((LAYERS * TILE, TILE), dtype=out.dtype.element_ty)
    for back in range((BACK_Y + 1) * (BACK_X + 1)):  # not unrolled: that compiles for minutes
        home_row = (row + rows - back // (BACK_X + 1)) % rows
        home = home_row * columns + (column + columns - back % (BACK_X + 1)) % columns
        begin = tl.load(starts + home)
        end = tl.load(starts + home + 1)
        for some in range(begin, end, POINTS):
            entry = some + tl.arange(0, POINTS)
            valid = entry < end
            point = tl.load(order + entry, mask=valid, other=0).to(tl.int64)
            at_x = tl.load(xy + point * 2, mask=valid, other=0.0)
            at_y = tl.load(xy + point * 2 + 1, mask=valid, other=0.0)
            first, t = footprint_start(at_x, nx, WIDTH)
            pixel = x[None, :] - first[:, None]
            pixel = tl.where(pixel < 0, pixel + nx, pixel)
            along_x, slope_x = kernel_weight(table, pixel, t[:, None], WIDTH)
            first, t = footprint_start(at_y, ny, WIDTH)
            pixel = y[None, :] - first[:, None]
            pixel = tl.where(pixel < 0, pixel + ny, pixel)
            along_y, slope_y = kernel_weight(table, pixel, t[:, None], WIDTH)
            strength = tl.load(
                coefficients + point[:, None] * n_layers + layer[None, :],
                mask=valid[:, None] & (layer < n_layers)[None, :],
                other=0.0,
            )
            left_side = strength[:, :, None] * along_y[:, None, :]
            left_side = tl.trans(tl.reshape(left_side, (POINTS, LAYERS * TILE)))
            total += tl.dot(left_side, along_x, input_precision="ieee", out_dtype=total.dtype)
    bottom = (row + 1) * ny // rows
    right = (column + 1) * nx // columns
    total = tl.reshape(total, (LAYERS, TILE, TILE))
    image = layer.to(tl.int64)[:, None, None] * ny * nx
    pixels = y.to(tl.int64)[None, :, None] * nx + x[None, None, :]
    inside = (y < bottom)[None, :, None] & (x < right)[None, None, :]
    tl.store(out + image + pixels, total, mask=inside & (layer < n_layers)[:, None, None])


@triton.jit
def spread_bwd_kernel(
    grad, xy, coefficients, order, table, grad_xy, grad_coefficients, n, ny, nx, n_layers,
    WIDTH: tl.constexpr, SPAN: tl.constexpr, POINTS: tl.constexpr,
):  # fmt: skip
    """Read the footprints of some points in all layers; SPAN >= WIDTH is a power of two."""
    entry = tl.program_id(0).to(tl.int64) * POINTS + tl.arange(0, POINTS)
    valid = entry < n
    point = tl.load(order + entry, mask=valid, other=0).to(tl.int64)
    span = tl.arange(0, SPAN)
    first, t = footprint_start(tl.load(xy + point * 2), nx, WIDTH)
    x = (first[:, None] + span[None, :]) % nx
    along_x, slope_x = kernel_weight(table, span[None, :], t[:, None], WIDTH)
    first, t = footprint_start(tl.load(xy + point * 2 + 1), ny, WIDTH)
    y = (first[:, None] + span[None, :]) % ny
    along_y, slope_y = kernel_weight(table, span[None, :], t[:, None], WIDTH)
    pixels = y[:, :, None] * nx + x[:, None, :]
    covered = (span < WIDTH)[None, :, None] & (span < WIDTH)[None, None, :] & valid[:, None, None]
    by_x = tl.zeros((POINTS,), dtype=grad_xy.dtype.element_ty)
    by_y = tl.zeros((POINTS,), dtype=grad_xy.dtype.element_ty)
    for layer in range(n_layers):
        image = grad + tl.full((), layer, tl.int64) * ny * nx
        seen = tl.load(image + pixels, mask=covered, other=0.0)
        rows = tl.sum(seen * along_x[:, None, :], 2)
        slopes = tl.sum(seen * slope_x[:, None, :], 2)
        at = point * n_layers + layer
        tl.store(grad_coefficients + at, tl.sum(rows * along_y, 1), mask=valid)
        strength = 2 * tl.load(coefficients + at)  # the argument is 2 t - 1
        by_x += strength * tl.sum(slopes * along_y, 1)
        by_y += strength * tl.sum(rows * slope_y, 1)
    tl.store(grad_xy + point * 2, by_x, mask=valid)
    tl.store(grad_xy + point * 2 + 1, by_y, mask=valid)


def reach(
    size: int,
    tiles: int,
    width: int,
) -> int:
    """Tiles before its own from which a footprint can reach a tile, along one axis."""
    return -(-(width - 1) // (size // tiles))


def serves(
    ny: int,
    nx: int,
    width: int,
) -> bool:
    """Whether a grid is large enough that no footprint meets itself and no tile is met twice."""
    tiles = cut(ny, nx)
    return (
        min(ny, nx) >= width
        and reach(ny, tiles.rows, width) < tiles.rows
        and reach(nx, tiles.columns, width) < tiles.columns
    )


def spread_fwd(
    xy: Tensor,  # (n, 2) pixels
    coefficients: Tensor,  # (n, n_layers)
    order: Tensor,  # (n,) int32: points by tile
    starts: Tensor,  # (tiles + 1,) int32: where each tile's points begin
    table: Tensor,  # (width + 2, width) coefficients of the polynomials
    ny: int,
    nx: int,
    out: Tensor | None = None,  # (n_layers, ny, nx), contiguous
) -> Tensor:  # (n_layers, ny, nx)
    """Spread points onto layers."""
    n_layers = coefficients.shape[1]
    out = coefficients.new_empty(n_layers, ny, nx) if out is None else out
    tiles, width = cut(ny, nx), table.shape[1]
    grid = (tiles.number, triton.cdiv(n_layers, LAYERS))
    spread_fwd_kernel[grid](
        xy.contiguous(), coefficients.contiguous(), order, starts, table.contiguous(), out, ny, nx,
        tiles.rows, tiles.columns, n_layers, width, reach(ny, tiles.rows, width),
        reach(nx, tiles.columns, width), TILE, LAYERS, POINTS, num_warps=4,
    )  # fmt: skip
    return out


def spread_bwd(
    grad: Tensor,  # (n_layers, ny, nx)
    xy: Tensor,  # (n, 2) pixels
    coefficients: Tensor,  # (n, n_layers)
    order: Tensor,  # (n,) int32
    table: Tensor,  # (width + 2, width)
) -> tuple[Tensor, Tensor]:  # (n, 2), (n, n_layers)
    """Gradients of points and coefficients from that of the layers."""
    n, n_layers = coefficients.shape
    _, ny, nx = grad.shape
    form = torch.contiguous_format
    grad_xy = torch.empty_like(xy, memory_format=form)
    grad_coefficients = torch.empty_like(coefficients, memory_format=form)
    width = table.shape[1]
    span = triton.next_power_of_2(width)
    points = max(1, PROGRAM_PIXELS // span**2)
    spread_bwd_kernel[(triton.cdiv(n, points),)](
        grad.contiguous(), xy.contiguous(), coefficients.contiguous(), order, table.contiguous(),
        grad_xy, grad_coefficients, n, ny, nx, n_layers, width, span, points, num_warps=4,
    )  # fmt: skip
    return grad_xy, grad_coefficients
