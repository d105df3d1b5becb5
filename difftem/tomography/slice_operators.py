"""Projection and back-projection of planes across the tilt axis, with all their gradients."""

from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from difftem.tomography.slice_weights import SliceWeights


class _Project(torch.autograd.Function):
    """Columns to images."""

    @staticmethod
    def forward(
        ctx: Any, columns: Tensor, tilts: Tensor, offsets: Tensor, weights: SliceWeights
    ) -> Tensor:
        """Project."""
        ctx.save_for_backward(columns, tilts, offsets)
        ctx.weights = weights
        return weights.project(columns)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        """Back-project, and differentiate the weights."""
        columns, tilts, offsets = ctx.saved_tensors
        by_columns = ctx.weights.back_project(gradient) if ctx.needs_input_grad[0] else None
        by_tilts, by_offsets = _geometry(ctx, columns, gradient, tilts, offsets)
        return by_columns, by_tilts, by_offsets, None


class _BackProject(torch.autograd.Function):
    """Images to columns."""

    @staticmethod
    def forward(
        ctx: Any, images: Tensor, tilts: Tensor, offsets: Tensor, weights: SliceWeights
    ) -> Tensor:
        """Back-project."""
        ctx.save_for_backward(images, tilts, offsets)
        ctx.weights = weights
        return weights.back_project(images)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        """Project, and differentiate the weights."""
        images, tilts, offsets = ctx.saved_tensors
        by_images = ctx.weights.project(gradient) if ctx.needs_input_grad[0] else None
        by_tilts, by_offsets = _geometry(ctx, gradient, images, tilts, offsets)
        return by_images, by_tilts, by_offsets, None


def _geometry(
    ctx: Any, columns: Tensor, images: Tensor, tilts: Tensor, offsets: Tensor
) -> tuple[Tensor | None, Tensor | None]:
    """Gradients by tilts and offsets, where they are wanted."""
    if not any(ctx.needs_input_grad[1:3]):
        return None, None
    by_tilts, by_offsets = ctx.weights.derivatives(columns, images)
    return by_tilts.to(tilts), by_offsets.to(offsets)


def project_slices(
    columns: Tensor,  # (nz nx, y)
    tilts: Tensor,  # (n_tilts,) rad
    offsets: Tensor,  # (n_tilts,) pixels
    weights: SliceWeights,
) -> Tensor:  # (n_tilts nu, y)
    """Project planes across the axis; with gradients by the volume, tilts and offsets.

    Parameters
    ----------
    columns : Tensor
        Volume, ``(nz nx, y)``.
    tilts, offsets : Tensor
        Of which the weights were made; gradients go to them.
    weights : SliceWeights
        Of them.

    Returns
    -------
    Tensor
        Images, ``(n_tilts nu, y)``: sums of densities along the beam, in voxels.
    """
    projected: Tensor = _Project.apply(columns, tilts, offsets, weights)
    return projected


def back_project_slices(
    images: Tensor,  # (n_tilts nu, y)
    tilts: Tensor,  # (n_tilts,) rad
    offsets: Tensor,  # (n_tilts,) pixels
    weights: SliceWeights,
) -> Tensor:  # (nz nx, y)
    """Transpose of `project_slices`, to rounding; with gradients by the same things.

    Parameters
    ----------
    images : Tensor
        ``(n_tilts nu, y)``.
    tilts, offsets : Tensor
        Of which the weights were made; gradients go to them.
    weights : SliceWeights
        Of them.

    Returns
    -------
    Tensor
        Volume, ``(nz nx, y)``.
    """
    summed: Tensor = _BackProject.apply(images, tilts, offsets, weights)
    return summed
