"""Rows of a tensor in another order."""

from typing import Any

import torch
from torch import Tensor


def reorder(
    rows: Tensor,  # (n, ...)
    order: Tensor,  # (n,) int64, a permutation
) -> Tensor:  # (n, ...)
    """Rows in the order of a permutation.

    As ``rows[order]``, whose gradient has to add up rows that might be the same: on a GPU it sorts
    all of them for that.

    Examples
    --------
    >>> import torch
    >>> from difftem.functional.reorder import reorder
    >>> reorder(torch.tensor([[10.0], [20.0], [30.0]]), torch.tensor([2, 0, 1])).flatten().tolist()
    [30.0, 10.0, 20.0]
    """
    reordered: Tensor = _Reorder.apply(rows, order)
    return reordered


class _Reorder(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, rows: Tensor, order: Tensor) -> Tensor:
        ctx.save_for_backward(order)
        return rows.index_select(0, order)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, None]:
        (order,) = ctx.saved_tensors
        return torch.empty_like(grad).index_copy_(0, order, grad), None
