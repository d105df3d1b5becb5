"""Central slices of a template's Fourier volume: PyTorch, or a Triton kernel."""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from difftem.functional import projection as plain
from difftem.functional.pose import rotate
from difftem.functional.projection import TemplateSpectrum
from difftem.functional.spread import kernel_coefficients
from difftem.ops.dispatch import use_triton
from difftem.ops.interpreter import launch


def extract_slices(
    spectrum: TemplateSpectrum,
    rotations: Tensor,  # (n, 3, 3)
    frequency: Tensor,  # (n_points, 3) or (n, n_points, 3) 1/Å
) -> Tensor:  # (n, n_points) complex, V Å³
    """`difftem.functional.projection.central_slices`, one pass on a GPU; differentiable once there.

    There the gradient of the template is summed by atomic additions, in an order that changes its
    last bits from run to run; under `torch.use_deterministic_algorithms` it is PyTorch's.
    """
    by_template = spectrum.table.requires_grad and torch.is_grad_enabled()
    reproducible = by_template and torch.are_deterministic_algorithms_enabled()
    if reproducible or not use_triton(spectrum.table, rotations, frequency):
        return plain.central_slices(spectrum, rotations, frequency)
    turned = rotate(frequency, rotations.mT)
    band, width = 1 / spectrum.interpolation.oversampling, spectrum.interpolation.width
    # To the device without waiting for what it is doing.
    polynomials = kernel_coefficients(band, width).to(turned, non_blocking=True)
    geometry = torch.tensor([spectrum.scale[::-1], spectrum.first[::-1]], dtype=torch.float64)
    scale, first = geometry.to(turned, non_blocking=True)
    # Not in the kernel: fused to one rounding, a point on a node may go to the cell before it.
    coordinates = (turned * scale - first).reshape(-1, 3)
    values = _interpolate(spectrum.table, coordinates, polynomials, spectrum.size)
    return values.reshape(turned.shape[:-1])


@torch.library.custom_op("difftem::interpolate_spectrum", mutates_args=())
def _interpolate(
    table: Tensor,
    coordinates: Tensor,
    polynomials: Tensor,
    size: Sequence[int],
) -> Tensor:
    from kernels_triton.projection import interpolate_fwd

    with launch(coordinates):
        return interpolate_fwd(table, coordinates, polynomials, size)


@torch.library.custom_op("difftem::interpolate_spectrum_backward", mutates_args=())
def _interpolate_backward(
    grad: Tensor,
    table: Tensor,
    coordinates: Tensor,
    polynomials: Tensor,
    size: Sequence[int],
    by_points: bool,
    by_table: bool,
) -> tuple[Tensor, Tensor]:
    """Gradients of coordinates and table, empty where they are not wanted."""
    from kernels_triton.projection import interpolate_bwd

    with launch(coordinates):
        return interpolate_bwd(grad, table, coordinates, polynomials, size, by_points, by_table)


@_interpolate.register_fake
def _(
    table: Tensor,
    coordinates: Tensor,
    polynomials: Tensor,
    size: Sequence[int],
) -> Tensor:
    return coordinates.new_empty(len(coordinates), dtype=coordinates.dtype.to_complex())


@_interpolate_backward.register_fake
def _(
    grad: Tensor,
    table: Tensor,
    coordinates: Tensor,
    polynomials: Tensor,
    size: Sequence[int],
    by_points: bool,
    by_table: bool,
) -> tuple[Tensor, Tensor]:
    form, empty = torch.contiguous_format, coordinates.new_empty(0)
    return (
        torch.empty_like(coordinates, memory_format=form) if by_points else empty,
        torch.empty_like(table, memory_format=form) if by_table else table.new_empty(0),
    )


def _keep(ctx: Any, inputs: tuple[Any, ...], output: Tensor) -> None:
    table, coordinates, polynomials, ctx.size = inputs
    ctx.save_for_backward(table, coordinates, polynomials)


def _gradient(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:
    by_table, by_points = ctx.needs_input_grad[:2]
    by_coordinates, grad_table = _interpolate_backward(
        grad, *ctx.saved_tensors, ctx.size, by_points, by_table
    )
    found = grad_table if by_table else None, by_coordinates if by_points else None
    return *found, None, None


_interpolate.register_autograd(_gradient, setup_context=_keep)
