"""Small images summed into a large one: PyTorch, or one Triton kernel for all of them."""

from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from difftem.functional import patches as plain
from difftem.ops.dispatch import use_triton
from difftem.ops.interpreter import launch


def add_patches(
    field: Tensor,  # (y, x)
    patches: Tensor,  # (n, size_y, size_x)
    corners: Tensor,  # (n, 2) int64
) -> Tensor:  # (y, x)
    """`difftem.functional.patches.add_patches`, one launch on a GPU; differentiable once there.

    There the corners must be on the same device: the host does not read them. The kernel adds each
    pixel's patches in their order, so that every run gives the same bits.
    """
    in_memory_order = field.is_contiguous() and not (field.is_conj() or field.is_neg())
    fits = in_memory_order and field.dtype == patches.dtype
    if not fits or not use_triton(field, patches):
        return plain.add_patches(field, patches, corners)
    summed: Tensor = _AddPatchesByKernel.apply(field, patches, corners)
    return summed


class _AddPatchesByKernel(torch.autograd.Function):
    """The field changes in place, which the autograd of custom ops does not know."""

    @staticmethod
    def forward(ctx: Any, field: Tensor, patches: Tensor, corners: Tensor) -> Tensor:
        ctx.mark_dirty(field)
        ctx.save_for_backward(corners)
        ctx.size = patches.shape[1:]
        _add_patches(field, patches, corners)
        return field

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, Tensor | None, None]:
        (corners,) = ctx.saved_tensors
        wanted = ctx.needs_input_grad[1]
        return grad, _gather_patches(grad, corners, *ctx.size) if wanted else None, None


@torch.library.custom_op("difftem::add_patches", mutates_args={"field"})
def _add_patches(field: Tensor, patches: Tensor, corners: Tensor) -> None:
    from kernels_triton.patches import add_patches_fwd

    with launch(field):
        add_patches_fwd(field, patches, corners)


@torch.library.custom_op("difftem::gather_patches", mutates_args=())
def _gather_patches(grad: Tensor, corners: Tensor, size_y: int, size_x: int) -> Tensor:
    from kernels_triton.patches import add_patches_bwd

    with launch(grad):
        return add_patches_bwd(grad, corners, size_y, size_x)


@_add_patches.register_fake
def _(field: Tensor, patches: Tensor, corners: Tensor) -> None:
    return None


@_gather_patches.register_fake
def _(grad: Tensor, corners: Tensor, size_y: int, size_x: int) -> Tensor:
    return grad.new_empty(len(corners), size_y, size_x)
