"""Projected potential of atoms: PyTorch, or Triton kernels over tiles of the slice."""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from difftem.functional.atom_slices import AtomSlices
from difftem.functional.potential import SlicedAtoms
from difftem.functional.spread import kernel_coefficients, kernel_width
from difftem.ops.dispatch import use_triton


def atom_slices(
    atoms: Sequence[SlicedAtoms],
    filters: Tensor,  # (n_basis, ny, nx // 2 + 1)
    field: tuple[int, int],
    band_limit: float,
    batch: tuple[int, ...] = (),
) -> AtomSlices:
    """Slices that are made from atoms when they are asked for, on the device where these are.

    Parameters
    ----------
    atoms, filters, field, band_limit, batch
        As in `difftem.functional.atom_slices.AtomSlices`.

    Returns
    -------
    AtomSlices
        With kernels, or plain.
    """
    tensors = [t for each in atoms for t in each[:2]]
    if use_triton(filters, *tensors):
        from kernels_triton.tiles import serves

        if serves(*field, kernel_width(band_limit)):
            return TiledAtomSlices(atoms, filters, field, band_limit, batch)
    return AtomSlices(atoms, filters, field, band_limit, batch)


class TiledAtomSlices(AtomSlices):
    """Atoms in lists by slice and tile: sorted once, on the device, for both passes."""

    def __init__(
        self,
        atoms: Sequence[SlicedAtoms],
        filters: Tensor,
        field: tuple[int, int],
        band_limit: float,
        batch: tuple[int, ...] = (),
    ) -> None:
        from kernels_triton.tiles import cut, tile_lists

        super().__init__(atoms, filters, field, band_limit, batch)
        # The inverse FFT's 1/n would be a pass of its own.
        self.scaled = filters / (field[0] * field[1])
        table = kernel_coefficients(band_limit)
        self.table = table.to(filters, non_blocking=True).contiguous()
        self.n_tiles = cut(*field).number
        with torch.no_grad():
            self.lists = [
                tile_lists(each.xy, each.counts, cut(*field), table.shape[1]) for each in atoms
            ]

    def spread(self, member: int, index: int, xy: Tensor, coefficients: Tensor) -> Tensor:
        """Layers of one slice."""
        order, starts = self.lists[member]
        here = starts[index * self.n_tiles : (index + 1) * self.n_tiles + 1]
        return spread_deltas(xy, coefficients, order, here, self.table, *self.field)

    def project(self, member: int, index: int, xy: Tensor, coefficients: Tensor) -> Tensor:
        """One slice of one member of the batch."""
        from kernels_triton.layers import sum_layers

        layers = self.spread(member, index, xy, coefficients)
        summed = sum_layers(torch.fft.rfft2(layers), self.scaled)
        # With an axis in front: of two axes alone cuFFT is asked for one after the other.
        return torch.fft.irfft2(summed[None], s=self.field, norm="forward")[0]

    def project_adjoint(
        self, member: int, index: int, grad: Tensor, xy: Tensor, coefficients: Tensor
    ) -> tuple[Tensor, Tensor]:
        """Gradients of one slice's atoms."""
        spectra = torch.fft.rfft2(grad[None]) * self.scaled
        layers = torch.fft.irfft2(spectra, s=self.field, norm="forward")
        return self.gather(member, index, layers, xy, coefficients)

    def gather(
        self, member: int, index: int, layers: Tensor, xy: Tensor, coefficients: Tensor
    ) -> tuple[Tensor, Tensor]:
        """Gradients of atoms from those of the layers."""
        return spread_deltas_backward(layers, xy, coefficients, self.table)


@torch.library.custom_op("difftem::spread_deltas", mutates_args=())
def spread_deltas(
    xy: Tensor,
    coefficients: Tensor,
    order: Tensor,
    starts: Tensor,
    table: Tensor,
    ny: int,
    nx: int,
) -> Tensor:
    """Spread one slice's atoms onto layers: `kernels_triton.spread.spread_fwd`."""
    from kernels_triton.spread import spread_fwd

    return spread_fwd(xy, coefficients, order, starts, table, ny, nx)


@torch.library.custom_op("difftem::spread_deltas_backward", mutates_args=())
def spread_deltas_backward(
    grad: Tensor,
    xy: Tensor,
    coefficients: Tensor,
    table: Tensor,
) -> tuple[Tensor, Tensor]:
    """Gather the gradients of one slice's atoms: `kernels_triton.spread.spread_bwd`."""
    from kernels_triton.spread import spread_bwd

    return spread_bwd(grad, xy, coefficients, table)


@spread_deltas.register_fake
def _(
    xy: Tensor,
    coefficients: Tensor,
    order: Tensor,
    starts: Tensor,
    table: Tensor,
    ny: int,
    nx: int,
) -> Tensor:
    return coefficients.new_empty(coefficients.shape[1], ny, nx)


@spread_deltas_backward.register_fake
def _(grad: Tensor, xy: Tensor, coefficients: Tensor, table: Tensor) -> tuple[Tensor, Tensor]:
    form = torch.contiguous_format
    return (
        torch.empty_like(xy, memory_format=form),
        torch.empty_like(coefficients, memory_format=form),
    )


def _keep_atoms(ctx: Any, inputs: tuple[Any, ...], output: Tensor) -> None:
    xy, coefficients, _, _, table, _, _ = inputs
    ctx.save_for_backward(xy, coefficients, table)


def _gradient(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:
    found = spread_deltas_backward(grad, *ctx.saved_tensors)
    return *found, None, None, None, None, None


spread_deltas.register_autograd(_gradient, setup_context=_keep_atoms)
