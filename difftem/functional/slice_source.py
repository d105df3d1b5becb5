"""Where the slices of a potential come from: a stack, a list, a stream, or what makes them anew."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import chain
from typing import Protocol, runtime_checkable

import torch
from torch import Tensor


@runtime_checkable
class Slices(Protocol):
    """Slices in the order in which they are hit, and what they are like.

    Examples
    --------
    >>> import torch
    >>> from difftem.functional.slice_source import Slices, as_slices
    >>> stream = as_slices(torch.zeros(8, 8) for _ in range(3))
    >>> isinstance(stream, Slices), tuple(stream.shape), len(list(stream))
    (True, (8, 8), 3)
    """

    @property
    def shape(self) -> torch.Size:
        """Of one slice, ``(..., y, x)``."""

    @property
    def dtype(self) -> torch.dtype:
        """Of the slices."""

    @property
    def device(self) -> torch.device:
        """Of the slices."""

    def __iter__(self) -> Iterator[Tensor]:
        """Slices, differentiable by autograd."""


@runtime_checkable
class SliceSource(Slices, Protocol):
    """Slices that can be asked for by number, as often as needed, and differentiated.

    `value` and `vjp` run without autograd. They are given the source's `tensors`, or what
    autograd kept of them.

    Examples
    --------
    >>> import torch
    >>> from difftem.functional.slice_source import SliceSource, as_slices
    >>> stack = torch.zeros(3, 8, 8)
    >>> [isinstance(as_slices(each), SliceSource) for each in (stack, iter(stack))]  # and a stream
    [True, False]
    """

    tensors: tuple[Tensor, ...]  # what the slices depend on
    is_made: bool  # whether a slice costs time and memory

    def __len__(self) -> int:
        """Return the number of slices."""

    def value(
        self,
        tensors: Sequence[Tensor],
        index: int,
    ) -> Tensor:  # (..., y, x) V Å
        """One slice."""

    def empty_gradients(
        self,
        tensors: Sequence[Tensor],
    ) -> list[Tensor]:
        """Memory for the gradients of the tensors; `vjp` of every slice fills it."""

    def vjp(
        self,
        tensors: Sequence[Tensor],
        index: int,
        grad: Tensor,  # (..., y, x)
        gradients: list[Tensor],
    ) -> None:
        """Write what one slice's gradient gives to those of the tensors."""


class _StackedSlices:
    """Slices of one tensor ``(..., n_slices, y, x)`` in V Å."""

    is_made = False

    def __init__(self, stack: Tensor) -> None:
        if stack.shape[-3] == 0:
            raise ValueError("multislice needs at least one slice")
        self.tensors: tuple[Tensor, ...] = (stack,)
        self.shape = torch.Size((*stack.shape[:-3], *stack.shape[-2:]))
        self.dtype, self.device = stack.dtype, stack.device

    def __len__(self) -> int:
        return self.tensors[0].shape[-3]

    def __iter__(self) -> Iterator[Tensor]:
        return iter(self.tensors[0].unbind(-3))

    def value(self, tensors: Sequence[Tensor], index: int) -> Tensor:
        """View of one slice."""
        return tensors[0].select(-3, index)

    def empty_gradients(self, tensors: Sequence[Tensor]) -> list[Tensor]:
        """One stack."""
        return [torch.empty_like(tensors[0])]

    def vjp(
        self, tensors: Sequence[Tensor], index: int, grad: Tensor, gradients: list[Tensor]
    ) -> None:
        """Copy into the stack."""
        gradients[0].select(-3, index).copy_(grad)


class ListedSlices:
    """Slices ``(..., y, x)`` in V Å that exist one by one, each with a graph of its own.

    Examples
    --------
    >>> import torch
    >>> from difftem.functional.slice_source import ListedSlices
    >>> listed = ListedSlices([torch.zeros(8, 8), torch.ones(8, 8)])
    >>> len(listed), listed.value(listed.tensors, 1).mean().item()  # V Å
    (2, 1.0)
    """

    is_made = False

    def __init__(self, slices: Sequence[Tensor]) -> None:
        self.tensors: tuple[Tensor, ...] = tuple(slices)
        first = self.tensors[0]
        self.shape, self.dtype, self.device = first.shape, first.dtype, first.device

    def __len__(self) -> int:
        return len(self.tensors)

    def __iter__(self) -> Iterator[Tensor]:
        return iter(self.tensors)

    def value(self, tensors: Sequence[Tensor], index: int) -> Tensor:
        """One of them."""
        return tensors[index]

    def empty_gradients(self, tensors: Sequence[Tensor]) -> list[Tensor]:
        """Nothing yet: the gradients of the slices are taken as they come."""
        return [tensor.new_empty(0) for tensor in tensors]

    def vjp(
        self, tensors: Sequence[Tensor], index: int, grad: Tensor, gradients: list[Tensor]
    ) -> None:
        """Take the gradient as it is."""
        gradients[index] = grad


class _SliceStream:
    """Slices ``(..., y, x)`` in V Å that come once, one after the other."""

    def __init__(self, slices: Iterable[Tensor]) -> None:
        stream = iter(slices)
        first = next(stream, None)
        if first is None:
            raise ValueError("multislice needs at least one slice")
        self.shape, self.dtype, self.device = first.shape, first.dtype, first.device
        self._stream = chain([first], stream)

    def __iter__(self) -> Iterator[Tensor]:
        return self._stream


def as_slices(
    given: Tensor | Iterable[Tensor],  # (..., n_slices, y, x) V Å
) -> Slices:
    """Slices of a stack, of a stream, or as they are.

    Examples
    --------
    >>> import torch
    >>> from difftem.functional.slice_source import as_slices
    >>> slices = as_slices(torch.zeros(3, 8, 8))  # a stack can be gone through again and again
    >>> len(slices), len(list(slices)), len(list(slices))
    (3, 3, 3)
    """
    if isinstance(given, Tensor):
        return _StackedSlices(given)
    return given if isinstance(given, Slices) else _SliceStream(given)
