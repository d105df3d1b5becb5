"""Small images summed into a large one, and the gradient of that.

A complex image is read as one of floats with twice the columns: nothing is multiplied here.
"""

import torch
import triton
import triton.language as tl
from torch import Tensor

from kernels_triton.complex import floats
from kernels_triton.options import FUSED

TILE_Y, TILE_X = 32, 64  # floats of the field: few registers, many programs that wait for corners
BLOCK = 1024  # floats of a patch that one program of the backward pass reads


@triton.jit(do_not_specialize=["n"])
def add_patches_fwd_kernel(
    field, patches, corners, n, rows, columns, size_y, size_x,
    PARTS: tl.constexpr, TILE_Y: tl.constexpr, TILE_X: tl.constexpr,
):  # fmt: skip
    """Add to one tile of the field what each patch has there, in the order of the patches."""
    top = tl.program_id(1) * TILE_Y
    left = tl.program_id(0) * TILE_X
    y = tl.arange(0, TILE_Y)[:, None]
    x = tl.arange(0, TILE_X)[None, :]
    here = field + (top + y).to(tl.int64) * columns + (left + x)
    valid = (top + y < rows) & (left + x < columns)
    total = tl.load(here, mask=valid, other=0.0)
    reached = tl.full((), 0, tl.int32)
    patch = tl.full((), 0, tl.int64)
    for i in range(n):
        # Where the tile begins in the patch.
        start_x = left - tl.load(corners + 2 * i) * PARTS
        start_y = top - tl.load(corners + 2 * i + 1)
        overlaps = (start_x > -TILE_X) & (start_x < size_x)
        overlaps &= (start_y > -TILE_Y) & (start_y < size_y)
        if overlaps:
            column = start_x.to(tl.int32) + x
            row = start_y.to(tl.int32) + y
            inside = (row >= 0) & (row < size_y) & (column >= 0) & (column < size_x)
            total += tl.load(patches + patch + (row * size_x + column), mask=inside, other=0.0)
            reached += 1
        patch += size_y * size_x
    if reached > 0:
        tl.store(here, total, mask=valid)


@triton.jit
def add_patches_bwd_kernel(
    grad, corners, out, rows, columns, size_y, size_x, PARTS: tl.constexpr, BLOCK: tl.constexpr
):
    """Read the field's gradient where a part of one patch lies, 0 outside the field."""
    patch = tl.program_id(0).to(tl.int64)
    at = tl.program_id(1) * BLOCK + tl.arange(0, BLOCK)
    x = tl.load(corners + 2 * patch) * PARTS + at % size_x
    y = tl.load(corners + 2 * patch + 1) + at // size_x
    inside = (y >= 0) & (y < rows) & (x >= 0) & (x < columns)
    n = size_y * size_x
    found = tl.load(grad + y * columns + x, mask=inside & (at < n), other=0.0)
    tl.store(out + patch * n + at, found, mask=at < n)


def add_patches_fwd(
    field: Tensor,  # (y, x), contiguous
    patches: Tensor,  # (n, size_y, size_x), same dtype
    corners: Tensor,  # (n, 2) int64, as x, y
) -> None:
    """Add patches to a field in place."""
    parts = 2 if field.is_complex() else 1
    rows, columns = field.shape[0], field.shape[1] * parts
    add_patches_fwd_kernel[(triton.cdiv(columns, TILE_X), triton.cdiv(rows, TILE_Y))](
        torch.view_as_real(field) if field.is_complex() else field, floats(patches),
        corners.contiguous(), len(patches), rows, columns, patches.shape[1],
        patches.shape[2] * parts, parts, TILE_Y, TILE_X, num_warps=4, **FUSED,
    )  # fmt: skip


def add_patches_bwd(
    grad: Tensor,  # (y, x)
    corners: Tensor,  # (n, 2) int64, as x, y
    size_y: int,
    size_x: int,
) -> Tensor:  # (n, size_y, size_x)
    """Gather the gradient of patches from that of the field."""
    parts = 2 if grad.is_complex() else 1
    out = grad.new_empty(len(corners), size_y, size_x)
    blocks = triton.cdiv(size_y * size_x * parts, BLOCK)
    add_patches_bwd_kernel[(len(corners), blocks)](
        floats(grad), corners.contiguous(), torch.view_as_real(out) if out.is_complex() else out,
        grad.shape[0], grad.shape[1] * parts, size_y, size_x * parts, parts, BLOCK,
        num_warps=4, **FUSED,
    )  # fmt: skip
    return out
