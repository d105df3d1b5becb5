"""Small images summed into a large one."""

from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

Window = tuple[slice, slice]


def add_patches(
    field: Tensor,  # (y, x)
    patches: Tensor,  # (n, size_y, size_x)
    corners: Tensor,  # (n, 2) int64
) -> Tensor:  # (y, x)
    """Add patches to a field in place; what lies outside the field is dropped.

    Parameters
    ----------
    field : Tensor
        Shape ``(y, x)``; it is changed and returned.
    patches : Tensor
        Same dtype, shape ``(n, size_y, size_x)``.
    corners : Tensor
        Column and row (x, y) of each patch's first pixel in the field; may be negative.

    Returns
    -------
    Tensor
        The field, differentiable in the patches.

    Examples
    --------
    >>> import torch
    >>> from difftem.functional.patches import add_patches
    >>> corners = torch.tensor([[3, 1]])  # x and y: half of the patch lies outside
    >>> add_patches(torch.zeros(3, 4), torch.ones(1, 2, 2), corners)
    tensor([[0., 0., 0., 0.],
            [0., 0., 0., 1.],
            [0., 0., 0., 1.]])
    """
    summed: Tensor = _AddPatches.apply(field, patches, corners)
    return summed


class _AddPatches(torch.autograd.Function):
    """Scatter forward, gather backward: one pass over the patches instead of a graph of views."""

    @staticmethod
    def forward(ctx: Any, field: Tensor, patches: Tensor, corners: Tensor) -> Tensor:
        ctx.mark_dirty(field)
        ctx.save_for_backward(corners)
        ctx.patch_shape = patches.shape
        for i, (inside, within) in enumerate(_windows(field, patches.shape, corners)):
            field[inside] += patches[i][within]
        return field

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, Tensor, None]:
        (corners,) = ctx.saved_tensors
        gathered = grad.new_zeros(ctx.patch_shape)
        for i, (inside, within) in enumerate(_windows(grad, ctx.patch_shape, corners)):
            gathered[i][within] = grad[inside]
        return grad, gathered, None


def _windows(
    field: Tensor, patch_shape: torch.Size, corners: Tensor
) -> Iterator[tuple[Window, Window]]:
    """Where each patch lies in the field, and which part of it that is."""
    height, width = field.shape
    for left, top in corners.tolist():
        rows = slice(max(top, 0), max(min(top + patch_shape[1], height), 0))
        columns = slice(max(left, 0), max(min(left + patch_shape[2], width), 0))
        if rows.start >= rows.stop or columns.start >= columns.stop:
            yield (slice(0, 0), slice(0, 0)), (slice(0, 0), slice(0, 0))
            continue
        yield (
            (rows, columns),
            (
                slice(rows.start - top, rows.stop - top),
                slice(columns.start - left, columns.stop - left),
            ),
        )
