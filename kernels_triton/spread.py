"""Points spread onto a periodic grid with a narrow kernel, and gathered back from it.

No atomics: one program sums all that reaches its tile of the grid, point by point in the order of
the tile's list (`kernels_triton.tiles`), so every run gives the same bits. Nothing is kept per
point and pixel: the gradient evaluates the kernel again.
"""

import torch
import triton
import triton.language as tl
from torch import Tensor

from kernels_triton.options import FUSED
from kernels_triton.tiles import TILE, cut

LAYERS = 8  # of one program, at most
PROGRAM_PIXELS = 1024  # of the footprints that one program of the gradient reads


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
    first = (cell.to(tl.int32) - (WIDTH // 2 - 1)) % size
    first = tl.where(first < 0, first + size, first)
    return first, 2 * (coordinate - cell) - 1


# Views of one slice's atoms begin anywhere: without this, each alignment would be compiled anew.
SLICE_VIEWS = ["xy", "coefficients", "starts"]


@triton.jit(do_not_specialize_on_alignment=SLICE_VIEWS)
def spread_fwd_kernel(
    xy, coefficients, order, starts, table, out, ny, nx, rows, columns, n_layers,
    WIDTH: tl.constexpr, TILE: tl.constexpr, LAYERS: tl.constexpr,
):  # fmt: skip
    """Sum all points that reach one tile, for some layers."""
    tile = tl.program_id(0)
    row, column = tile // columns, tile % columns
    layer = tl.program_id(1) * LAYERS + tl.arange(0, LAYERS)
    top, left = row * ny // rows, column * nx // columns
    # Weights of both axes in turn: each lane evaluates one.
    axis = tl.arange(0, 2 * TILE) % 2
    place = tl.where(axis == 0, left, top) + tl.arange(0, 2 * TILE) // 2
    size = tl.where(axis == 0, nx, ny)
    total = tl.zeros((LAYERS, TILE, TILE), dtype=out.dtype.element_ty)
    for entry in range(tl.load(starts + tile), tl.load(starts + tile + 1)):
        point = tl.load(order + entry).to(tl.int64)
        first, t = footprint_start(tl.load(xy + point * 2 + axis), size, WIDTH)
        pixel = place - first
        weight, slope = kernel_weight(table, tl.where(pixel < 0, pixel + size, pixel), t, WIDTH)
        along_x, along_y = tl.split(tl.reshape(weight, (TILE, 2)))
        strength = tl.load(
            coefficients + point * n_layers + layer, mask=layer < n_layers, other=0.0
        )
        total += strength[:, None, None] * (along_y[:, None] * along_x[None, :])[None, :, :]
    y, x = top + tl.arange(0, TILE), left + tl.arange(0, TILE)
    image = layer.to(tl.int64)[:, None, None] * ny * nx
    pixels = y.to(tl.int64)[None, :, None] * nx + x[None, None, :]
    inside = (y < (row + 1) * ny // rows)[None, :, None]
    inside &= (x < (column + 1) * nx // columns)[None, None, :]
    tl.store(out + image + pixels, total, mask=inside & (layer < n_layers)[:, None, None])


@triton.jit(do_not_specialize=["n"], do_not_specialize_on_alignment=SLICE_VIEWS[:2])
def spread_bwd_kernel(
    grad, xy, coefficients, table, grad_xy, grad_coefficients, n, ny, nx, n_layers,
    WIDTH: tl.constexpr, SPAN: tl.constexpr, POINTS: tl.constexpr,
):  # fmt: skip
    """Read the footprints of some points in all layers; SPAN >= WIDTH is a power of two."""
    point = tl.program_id(0).to(tl.int64) * POINTS + tl.arange(0, POINTS)
    valid = point < n
    span = tl.arange(0, SPAN)
    first, t = footprint_start(tl.load(xy + point * 2, mask=valid, other=0.0), nx, WIDTH)
    x = first[:, None] + span[None, :]
    x = tl.where(x < nx, x, x - nx)
    along_x, slope_x = kernel_weight(table, span[None, :], t[:, None], WIDTH)
    first, t = footprint_start(tl.load(xy + point * 2 + 1, mask=valid, other=0.0), ny, WIDTH)
    y = first[:, None] + span[None, :]
    y = tl.where(y < ny, y, y - ny)
    along_y, slope_y = kernel_weight(table, span[None, :], t[:, None], WIDTH)
    pixels = y.to(tl.int64)[:, :, None] * nx + x[:, None, :]
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
        # The argument is 2 t - 1.
        strength = 2 * tl.load(coefficients + at, mask=valid, other=0.0)
        by_x += strength * tl.sum(slopes * along_y, 1)
        by_y += strength * tl.sum(rows * slope_y, 1)
    tl.store(grad_xy + point * 2, by_x, mask=valid)
    tl.store(grad_xy + point * 2 + 1, by_y, mask=valid)


def spread_fwd(
    xy: Tensor,  # (n, 2) pixels
    coefficients: Tensor,  # (n, n_layers)
    order: Tensor,  # points by tile, from `kernels_triton.tiles.tile_lists`
    starts: Tensor,  # (tiles + 1,): where each tile's points begin in it
    table: Tensor,  # (width + 2, width) coefficients of the polynomials
    ny: int,
    nx: int,
) -> Tensor:  # (n_layers, ny, nx)
    """Spread points onto layers."""
    n_layers = coefficients.shape[1]
    out = coefficients.new_empty(n_layers, ny, nx)
    tiles, layers = cut(ny, nx), min(LAYERS, triton.next_power_of_2(n_layers))
    spread_fwd_kernel[(tiles.number, triton.cdiv(n_layers, layers))](
        xy.contiguous(), coefficients.contiguous(), order, starts, table.contiguous(), out, ny, nx,
        tiles.rows, tiles.columns, n_layers, table.shape[1], TILE, layers, num_warps=1, **FUSED,
    )  # fmt: skip
    return out


def spread_bwd(
    grad: Tensor,  # (n_layers, ny, nx)
    xy: Tensor,  # (n, 2) pixels
    coefficients: Tensor,  # (n, n_layers)
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
        grad.contiguous(), xy.contiguous(), coefficients.contiguous(), table.contiguous(), grad_xy,
        grad_coefficients, n, ny, nx, n_layers, width, span, points, num_warps=4, **FUSED,
    )  # fmt: skip
    return grad_xy, grad_coefficients
