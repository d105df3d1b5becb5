"""Multislice whose gradient keeps few waves: the wave is made again, or led back, slice by slice.

With autograd every slice keeps three waves. Here the forward pass keeps one in `sqrt(n)` slices
and the backward pass makes those in between again, one segment at a time; where nothing is lost
on the way, the exit wave is propagated back instead and nothing is kept.
"""

import math
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from difftem.functional.slice_source import SliceSource
from difftem.functional.wave_buffers import Interaction, WaveBuffers

# Slices that have to be made are kept up to this size; above it they are made again.
KEPT_BYTES = 1_000_000_000


class Plan(NamedTuple):
    """How the gradient of a multislice is found.

    Examples
    --------
    >>> import torch
    >>> from difftem.functional.multislice_gradient import Plan
    >>> from difftem.functional.slice_source import as_slices
    >>> plan = Plan(as_slices(torch.zeros(3, 8, 8)), mask=None, unitary=True)  # two waves are held
    >>> len(plan.source)
    3
    """

    source: SliceSource
    mask: Tensor | None  # (y, x) of the transmission functions
    unitary: bool  # propagate the exit wave back
    make_buffers: Callable[[Tensor, WaveBuffers | None], WaveBuffers] = WaveBuffers
    kept_bytes: int = KEPT_BYTES


def multislice_with_gradient(
    plan: Plan,
    wave: Tensor,  # (..., y, x) complex
    elastic: Tensor,  # () or (..., 1, 1) rad / (V Å)
    absorbing: Tensor | None,  # likewise
    propagator: Tensor,  # (..., y, x) complex
) -> Tensor:  # (..., y, x) complex
    r"""Exit wave whose backward pass holds about :math:`2 \sqrt n` waves for n slices, or two.

    Two where the plan is `unitary`: exact for real potentials that absorb nothing and a propagator
    of modulus 1 everywhere, without band limit. The incident wave has its full batch shape and no
    gradient; the result is differentiable once in `elastic`, `absorbing`, `propagator` and the
    source's tensors.

    Examples
    --------
    >>> import torch
    >>> from difftem.functional.multislice import fresnel_propagator, multislice
    >>> from difftem.functional.multislice_gradient import Plan, multislice_with_gradient
    >>> from difftem.functional.slice_source import as_slices
    >>> slices = torch.rand(3, 8, 8, generator=torch.Generator().manual_seed(0)).double()
    >>> slices = (100 * slices).requires_grad_()
    >>> sigma = torch.tensor(6.53e-4, dtype=torch.float64)
    >>> propagator = fresnel_propagator((8, 8), 1.0, 5.0, torch.tensor(0.0197), band_limit=None)
    >>> plan = Plan(as_slices(slices), mask=None, unitary=True)
    >>> wave = torch.ones(8, 8, dtype=torch.complex128)
    >>> frugal = multislice_with_gradient(plan, wave, sigma, None, propagator)
    >>> plain = multislice(slices, sigma, propagator)
    >>> a, b = (torch.autograd.grad(each.real.sum(), slices)[0] for each in (frugal, plain))
    >>> torch.allclose(a, b)
    True
    """
    tensors = plan.source.tensors
    exit_wave: Tensor = _Multislice.apply(plan, wave, elastic, absorbing, propagator, *tensors)
    return exit_wave


def _segment_length(n_slices: int) -> int:
    """Slices of one segment; a wave is kept at the beginning of each."""
    return math.ceil(math.sqrt(n_slices))


class _Multislice(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any,
        plan: Plan,
        wave: Tensor,
        elastic: Tensor,
        absorbing: Tensor | None,
        propagator: Tensor,
        *tensors: Tensor,
    ) -> Tensor:
        interaction = Interaction(elastic, absorbing, plan.mask)
        buffers = plan.make_buffers(wave, None)
        n = len(plan.source)
        slices = _Slices(plan, tensors)
        starts: list[Tensor] = []
        for index, slice_ in enumerate(slices.make_all()):
            if not plan.unitary and index % _segment_length(n) == 0:
                starts.append(buffers.wave.clone())
            buffers.transmit(slice_, interaction)
            buffers.propagate(propagator)
        if plan.unitary:
            starts.append(buffers.wave)
        ctx.plan, ctx.n_starts = plan, len(starts)
        ctx.save_for_backward(elastic, absorbing, propagator, slices.kept, *starts, *tensors)
        return buffers.wave

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:
        elastic, absorbing, propagator, kept, *others = ctx.saved_tensors
        starts, tensors = others[: ctx.n_starts], others[ctx.n_starts :]
        del others
        plan: Plan = ctx.plan
        slices = _Slices(plan, tensors, kept)
        walk = _Backward(plan, slices, Interaction(elastic, absorbing, plan.mask), propagator, grad)
        _, _, *wanted = ctx.needs_input_grad[:5]
        walk.wants_constants, walk.wants_propagator = any(wanted[:2]), wanted[2]
        if any(ctx.needs_input_grad[5:]):
            walk.gradients = plan.source.empty_gradients(tensors)
        if plan.unitary:
            walk.lead_back(starts.pop())
        else:
            walk.segments(starts)
        by_tensors: Sequence[Tensor | None] = walk.gradients or [None] * len(tensors)
        by_constants = walk.elastic, walk.absorbing, walk.propagator_gradient
        return None, None, *by_constants, *by_tensors


class _Slices:
    """Slices of a source; those that have to be made are kept if there is room for all."""

    def __init__(self, plan: Plan, tensors: Sequence[Tensor], kept: Tensor | None = None) -> None:
        self.source, self.tensors, self.kept = plan.source, tensors, kept
        self.limit = plan.kept_bytes

    def make_all(self) -> Iterator[Tensor]:
        """Slices one after the other, kept for a second walk."""
        for index in range(len(self.source)):
            made = self.source.value(self.tensors, index)
            size = made.nbytes * len(self.source)
            if index == 0 and self.source.is_made and size <= self.limit:
                # In one piece: arrays one by one between temporary ones double the memory.
                self.kept = made.new_empty(len(self.source), *made.shape)
            if self.kept is not None:
                self.kept[index] = made
            yield made

    def get(self, index: int) -> Tensor:
        """One slice, kept or made."""
        if self.kept is not None:
            return self.kept[index]
        return self.source.value(self.tensors, index)


class _Backward:
    """One walk from the last slice to the first, adding up gradients."""

    wants_constants = wants_propagator = False

    def __init__(
        self,
        plan: Plan,
        slices: _Slices,
        interaction: Interaction,
        propagator: Tensor,
        grad: Tensor,
    ) -> None:
        self.slices, self.interaction, self.propagator = slices, interaction, propagator
        self.source = plan.source
        self.grad = plan.make_buffers(grad, None)
        self.wave = plan.make_buffers(grad, self.grad)
        self.gradients: list[Tensor] | None = None  # of the slices, where they are wanted
        self.elastic = torch.zeros_like(interaction.elastic)
        absorbing = interaction.absorbing
        self.absorbing = None if absorbing is None else torch.zeros_like(absorbing)
        self.propagator_gradient: Tensor | None = None

    def segments(self, starts: list[Tensor]) -> None:
        """From kept waves: make the waves of a segment again, then walk back through it."""
        n = len(self.source)
        length = _segment_length(n)
        while starts:
            first = (len(starts) - 1) * length
            indices = range(first, min(first + length, n))
            made = [self.slices.get(index) for index in indices]
            waves = [starts.pop()]
            self.wave.wave.copy_(waves[0])
            for slice_ in made[:-1]:
                self.wave.transmit(slice_, self.interaction)
                self.wave.propagate(self.propagator)
                waves.append(self.wave.wave.clone())
            for index in reversed(indices):
                incident, slice_ = waves.pop(), made.pop()
                if self.wants_propagator:
                    self.wave.wave.copy_(incident)
                    self._propagator(self.wave.transmit(slice_, self.interaction))
                self.grad.propagate(self.propagator, conjugate=True)
                self._slice(index, incident, slice_)

    def lead_back(self, exit_wave: Tensor) -> None:
        """From the exit wave: nothing was lost, so every slice can be undone."""
        self.wave.wave.copy_(exit_wave)
        for index in reversed(range(len(self.source))):
            slice_ = self.slices.get(index)
            self.wave.propagate(self.propagator, conjugate=True)
            if self.wants_propagator:
                self._propagator(self.wave.wave)
            self.grad.propagate(self.propagator, conjugate=True)
            self.wave.transmit(slice_, self.interaction, conjugate=True)
            self._slice(index, self.wave.wave, slice_)

    def _propagator(self, transmitted: Tensor) -> None:
        gradient = self.grad.propagator_gradient(transmitted).sum_to_size(self.propagator.shape)
        before = self.propagator_gradient
        self.propagator_gradient = gradient if before is None else before.add_(gradient)

    def _slice(self, index: int, incident: Tensor, slice_: Tensor) -> None:
        grad_slice, elastic, absorbing = self.grad.transmit_adjoint(
            incident, slice_, self.interaction, constants=self.wants_constants
        )
        if elastic is not None:
            self.elastic += elastic
        if absorbing is not None and self.absorbing is not None:
            self.absorbing += absorbing
        if self.gradients is not None:
            self.source.vjp(self.slices.tensors, index, grad_slice, self.gradients)
