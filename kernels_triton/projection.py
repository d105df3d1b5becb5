"""A Fourier volume interpolated at scattered points, and the gradient of that.

The volume is a table of rows: row (z, y, x) holds the ``width`` coefficients from x on, as real and
imaginary parts in turn.
"""

from collections.abc import Sequence

import torch
import triton
import triton.language as tl
from torch import Tensor

from kernels_triton.complex import floats
from kernels_triton.options import FUSED
from kernels_triton.spread import kernel_weight

POINTS = 128  # of one program


@triton.jit
def cell_of(coordinate, size, WIDTH: tl.constexpr):
    """First coefficient that a point needs, kept inside, and argument 2 t - 1."""
    floor = tl.floor(coordinate)
    cell = floor.to(tl.int64) - (WIDTH // 2 - 1)
    return tl.minimum(tl.maximum(cell, 0), size - WIDTH), 2 * (coordinate - floor) - 1


@triton.jit
def load_cells(coordinates, size_z, size_y, size_x, at, valid, WIDTH: tl.constexpr):
    """First row of the table that each point needs, and arguments along z, y, x."""
    cell_z, t_z = cell_of(tl.load(coordinates + at * 3 + 2, mask=valid, other=0.0), size_z, WIDTH)
    cell_y, t_y = cell_of(tl.load(coordinates + at * 3 + 1, mask=valid, other=0.0), size_y, WIDTH)
    cell_x, t_x = cell_of(tl.load(coordinates + at * 3, mask=valid, other=0.0), size_x, WIDTH)
    return (cell_z * size_y + cell_y) * size_x + cell_x, t_z, t_y, t_x


@triton.jit(do_not_specialize=["n"])
def interpolate_fwd_kernel(
    table, coordinates, polynomials, out, n, size_z, size_y, size_x,
    WIDTH: tl.constexpr, SPAN: tl.constexpr, POINTS: tl.constexpr,
):  # fmt: skip
    """Interpolate at some points."""
    at = tl.program_id(0).to(tl.int64) * POINTS + tl.arange(0, POINTS)
    valid = at < n
    row, t_z, t_y, t_x = load_cells(coordinates, size_z, size_y, size_x, at, valid, WIDTH)
    span = tl.arange(0, SPAN)
    covered = valid[:, None] & (span < WIDTH)[None, :]
    along_x, slope_x = kernel_weight(polynomials, span[None, :], t_x[:, None], WIDTH)
    real = tl.zeros((POINTS, SPAN), out.dtype.element_ty)
    imaginary = tl.zeros((POINTS, SPAN), out.dtype.element_ty)
    for plane in range(WIDTH):
        along_z, slope_z = kernel_weight(polynomials, at * 0 + plane, t_z, WIDTH)
        for line in range(WIDTH):
            along_y, slope_y = kernel_weight(polynomials, at * 0 + line, t_y, WIDTH)
            start = (row + (plane * size_y + line) * size_x) * (2 * WIDTH)
            here = table + start[:, None] + 2 * span[None, :]
            weight = (along_z * along_y)[:, None]
            real += weight * tl.load(here, mask=covered, other=0.0)
            imaginary += weight * tl.load(here + 1, mask=covered, other=0.0)
    tl.store(out + at * 2, tl.sum(real * along_x, 1), mask=valid)
    tl.store(out + at * 2 + 1, tl.sum(imaginary * along_x, 1), mask=valid)


@triton.jit(do_not_specialize=["n"])
def interpolate_bwd_kernel(
    grad, table, coordinates, polynomials, grad_coordinates, grad_table, n, size_z, size_y, size_x,
    BY_POINTS: tl.constexpr, BY_TABLE: tl.constexpr,
    WIDTH: tl.constexpr, SPAN: tl.constexpr, POINTS: tl.constexpr,
):  # fmt: skip
    """Gradients of some points, and of the table by atomic additions."""
    at = tl.program_id(0).to(tl.int64) * POINTS + tl.arange(0, POINTS)
    valid = at < n
    row, t_z, t_y, t_x = load_cells(coordinates, size_z, size_y, size_x, at, valid, WIDTH)
    g_real = tl.load(grad + at * 2, mask=valid, other=0.0)
    g_imaginary = tl.load(grad + at * 2 + 1, mask=valid, other=0.0)
    span = tl.arange(0, SPAN)
    covered = valid[:, None] & (span < WIDTH)[None, :]
    along_x, slope_x = kernel_weight(polynomials, span[None, :], t_x[:, None], WIDTH)
    by_x, by_y, by_z = g_real * 0, g_real * 0, g_real * 0
    for plane in range(WIDTH):
        along_z, slope_z = kernel_weight(polynomials, at * 0 + plane, t_z, WIDTH)
        for line in range(WIDTH):
            along_y, slope_y = kernel_weight(polynomials, at * 0 + line, t_y, WIDTH)
            start = (row + (plane * size_y + line) * size_x) * (2 * WIDTH)
            offsets = start[:, None] + 2 * span[None, :]
            if BY_POINTS:
                seen = g_real[:, None] * tl.load(table + offsets, mask=covered, other=0.0)
                seen += g_imaginary[:, None] * tl.load(table + offsets + 1, mask=covered, other=0.0)
                summed = tl.sum(seen * along_x, 1)
                by_x += along_z * along_y * tl.sum(seen * slope_x, 1)
                by_y += along_z * slope_y * summed
                by_z += slope_z * along_y * summed
            if BY_TABLE:
                weight = (along_z * along_y)[:, None] * along_x
                tl.atomic_add(grad_table + offsets, weight * g_real[:, None], mask=covered)
                tl.atomic_add(grad_table + offsets + 1, weight * g_imaginary[:, None], mask=covered)
    if BY_POINTS:  # the argument is 2 t - 1
        tl.store(grad_coordinates + at * 3, 2 * by_x, mask=valid)
        tl.store(grad_coordinates + at * 3 + 1, 2 * by_y, mask=valid)
        tl.store(grad_coordinates + at * 3 + 2, 2 * by_z, mask=valid)


def interpolate_fwd(
    table: Tensor,  # (mz * my * mx, 2 * width)
    coordinates: Tensor,  # (n, 3) steps of the table, as x, y, z
    polynomials: Tensor,  # (width + 2, width)
    size: Sequence[int],  # mz, my, mx
) -> Tensor:  # (n,) complex
    """Interpolate a table at points."""
    out = coordinates.new_empty(len(coordinates), 2)
    n, width = len(coordinates), polynomials.shape[1]
    interpolate_fwd_kernel[(triton.cdiv(n, POINTS),)](
        table.contiguous(), coordinates.contiguous(), polynomials.contiguous(), out, n, *size,
        width, triton.next_power_of_2(width), POINTS, num_warps=4, **FUSED,
    )  # fmt: skip
    return torch.view_as_complex(out)


def interpolate_bwd(
    grad: Tensor,  # (n,) complex
    table: Tensor,  # (mz * my * mx, 2 * width)
    coordinates: Tensor,  # (n, 3)
    polynomials: Tensor,  # (width + 2, width)
    size: Sequence[int],
    by_points: bool,
    by_table: bool,
) -> tuple[Tensor, Tensor]:  # (n, 3), like table; empty where not asked for
    """Gradients of coordinates and table."""
    form = torch.contiguous_format
    empty = coordinates.new_empty(0)
    by_coordinates = torch.empty_like(coordinates, memory_format=form) if by_points else empty
    grad_table = torch.zeros_like(table, memory_format=form) if by_table else table.new_empty(0)
    n, width = len(coordinates), polynomials.shape[1]
    interpolate_bwd_kernel[(triton.cdiv(n, POINTS),)](
        floats(grad), table.contiguous(), coordinates.contiguous(), polynomials.contiguous(),
        by_coordinates, grad_table, n, *size, by_points, by_table, width,
        triton.next_power_of_2(width), POINTS, num_warps=4, **FUSED,
    )  # fmt: skip
    return by_coordinates, grad_table
