"""Transmission and propagation of a wave: PyTorch, or one fused Triton kernel each."""

from typing import Any

import torch
from torch import Tensor

from difftem.functional import multislice as plain
from difftem.functional.wave_buffers import interaction_constants
from difftem.ops.dispatch import use_triton


def transmit(
    wave: Tensor,  # (..., y, x) complex
    projected_potential: Tensor,  # (..., y, x) V Å
    sigma: Tensor,  # () rad / (V Å)
    amplitude_contrast: Tensor | None = None,  # (...)
    mask: Tensor | None = None,  # (y, x)
) -> Tensor:  # (..., y, x) complex
    """`difftem.functional.multislice.transmit`, fused on a GPU; differentiable once there.

    A band limit of the transmission function, and an amplitude contrast that differs between the
    waves of a batch, stay with PyTorch.
    """
    if mask is not None or not fits(wave, projected_potential, sigma, amplitude_contrast):
        return plain.transmit(wave, projected_potential, sigma, amplitude_contrast, mask)
    elastic, absorbing = interaction_constants(sigma.to(wave.real), amplitude_contrast)
    wave, projected_potential = _same_batch(wave, projected_potential, elastic.shape)
    return _transmit(wave, projected_potential, elastic, absorbing)


def propagate(
    wave: Tensor,  # (..., y, x) complex
    propagator: Tensor,  # (..., y, x) complex
) -> Tensor:  # (..., y, x) complex
    """`difftem.functional.multislice.propagate`, fused on a GPU; differentiable once there."""
    if not use_triton(wave, propagator):
        return plain.propagate(wave, propagator)
    return _propagate(*_same_batch(wave, propagator))


def fits(
    wave: Tensor,
    projected_potential: Tensor,
    elastic: Tensor,
    absorbing: Tensor | None,
) -> bool:
    """Whether the kernels serve a slice: one constant for all waves, tensors that they take."""
    constants = [elastic] if absorbing is None else [elastic, absorbing]
    if any(constant.numel() != 1 for constant in constants):
        return False
    return use_triton(wave, projected_potential)


def _same_batch(
    wave: Tensor, other: Tensor, constant: tuple[int, ...] = ()
) -> tuple[Tensor, Tensor]:
    """Waves in their full batch shape, and what they are multiplied with: one image, or as many."""
    shape = torch.broadcast_shapes(wave.shape, other.shape, constant)
    shared = other.numel() == shape[-1] * shape[-2]
    return wave.expand(shape), other.reshape(other.shape[-2:]) if shared else other.expand(shape)


@torch.library.custom_op("difftem::transmit", mutates_args=())
def _transmit(
    wave: Tensor, projected_potential: Tensor, elastic: Tensor, absorbing: Tensor | None
) -> Tensor:
    from kernels_triton.multislice import transmit_fwd

    return transmit_fwd(wave, projected_potential, elastic, absorbing)


@torch.library.custom_op("difftem::transmit_backward", mutates_args=())
def _transmit_backward(
    grad: Tensor,
    wave: Tensor,
    projected_potential: Tensor,
    elastic: Tensor,
    absorbing: Tensor | None,
    constants: bool,
) -> tuple[Tensor, Tensor, Tensor]:
    from kernels_triton.multislice import transmit_bwd

    return transmit_bwd(grad, wave, projected_potential, elastic, absorbing, constants=constants)


@_transmit.register_fake
def _(
    wave: Tensor, projected_potential: Tensor, elastic: Tensor, absorbing: Tensor | None
) -> Tensor:
    return torch.empty_like(wave, memory_format=torch.contiguous_format)


@_transmit_backward.register_fake
def _(
    grad: Tensor,
    wave: Tensor,
    projected_potential: Tensor,
    elastic: Tensor,
    absorbing: Tensor | None,
    constants: bool,
) -> tuple[Tensor, Tensor, Tensor]:
    form = torch.contiguous_format
    return (
        torch.empty_like(grad, memory_format=form),
        torch.empty_like(projected_potential, memory_format=form),
        elastic.new_empty(2),
    )


def _keep_slice(ctx: Any, inputs: tuple[Any, ...], output: Tensor) -> None:
    wave, projected_potential, elastic, absorbing = inputs
    ctx.save_for_backward(wave, projected_potential, elastic, absorbing)


def _transmit_gradient(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:
    _, _, elastic, absorbing = ctx.saved_tensors
    wanted = any(ctx.needs_input_grad[2:])
    by_wave, by_slice, sums = _transmit_backward(grad, *ctx.saved_tensors, wanted)
    by_absorbing = None if absorbing is None else sums[1].reshape(absorbing.shape)
    return by_wave, by_slice, sums[0].reshape(elastic.shape), by_absorbing


_transmit.register_autograd(_transmit_gradient, setup_context=_keep_slice)


@torch.library.custom_op("difftem::propagate", mutates_args=())
def _propagate(wave: Tensor, propagator: Tensor) -> Tensor:
    from kernels_triton.multislice import propagate_fwd

    return propagate_fwd(wave, propagator)


@torch.library.custom_op("difftem::propagate_backward", mutates_args=())
def _propagate_backward(
    grad: Tensor, wave: Tensor, propagator: Tensor, wanted: bool
) -> tuple[Tensor, Tensor]:
    """Gradients of wave and propagator; the latter is empty unless it is wanted."""
    from kernels_triton.multislice import propagate_fwd, propagator_bwd

    by_wave = propagate_fwd(grad, propagator, conjugate=True)
    if not wanted:
        return by_wave, propagator.new_empty(0)
    return by_wave, propagator_bwd(grad, wave, propagator)


@_propagate.register_fake
def _(wave: Tensor, propagator: Tensor) -> Tensor:
    return torch.empty_like(wave, memory_format=torch.contiguous_format)


@_propagate_backward.register_fake
def _(grad: Tensor, wave: Tensor, propagator: Tensor, wanted: bool) -> tuple[Tensor, Tensor]:
    form = torch.contiguous_format
    by_propagator = torch.empty_like(propagator, memory_format=form)
    return (
        torch.empty_like(grad, memory_format=form),
        by_propagator if wanted else propagator.new_empty(0),
    )


def _keep_wave(ctx: Any, inputs: tuple[Any, ...], output: Tensor) -> None:
    ctx.save_for_backward(*inputs)


def _propagate_gradient(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:
    wanted = ctx.needs_input_grad[1]
    by_wave, by_propagator = _propagate_backward(grad, *ctx.saved_tensors, wanted)
    return by_wave, by_propagator if wanted else None


_propagate.register_autograd(_propagate_gradient, setup_context=_keep_wave)
