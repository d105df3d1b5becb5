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
        from kernels_triton.spread import serves

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
        super().__init__(atoms, filters, field, band_limit, batch)
        self.table = kernel_coefficients(band_limit).to(filters).contiguous()
        self.lists = [tile_lists(each, field, band_limit) for each in atoms]

    def spread(self, member: int, index: int, xy: Tensor, coefficients: Tensor) -> Tensor:
        """Layers of one slice."""
        order, starts = self._list(member, index)
        return spread_deltas(xy, coefficients, order, starts, self.table, *self.field)

    def project(self, member: int, index: int, xy: Tensor, coefficients: Tensor) -> Tensor:
        """One slice of one member of the batch."""
        from kernels_triton.layers import sum_layers

        layers = self.spread(member, index, xy, coefficients)
        summed = sum_layers(torch.fft.rfft2(layers), self.filters)
        return torch.fft.irfft2(summed, s=self.field)

    def project_adjoint(
        self, member: int, index: int, grad: Tensor, xy: Tensor, coefficients: Tensor
    ) -> tuple[Tensor, Tensor]:
        """Gradients of one slice's atoms."""
        layers = torch.fft.irfft2(torch.fft.rfft2(grad) * self.filters, s=self.field)
        return self.gather(member, index, layers, xy, coefficients)

    def gather(
        self, member: int, index: int, layers: Tensor, xy: Tensor, coefficients: Tensor
    ) -> tuple[Tensor, Tensor]:
        """Gradients of atoms from those of the layers."""
        order, _ = self._list(member, index)
        return spread_deltas_backward(layers, xy, coefficients, order, self.table)

    def _list(self, member: int, index: int) -> tuple[Tensor, Tensor]:
        """Order of one slice's atoms, and where each tile's begin."""
        order, starts = self.lists[member]
        begin, end = self.starts[member][index : index + 2]
        return order[begin:end], starts[index]


@torch.no_grad()
def tile_lists(
    atoms: SlicedAtoms,
    field: tuple[int, int],
    band_limit: float,
) -> tuple[Tensor, Tensor]:  # (n_entries,) int32, (n_slices, n_tiles + 1) int32
    """Sort the atoms of each slice by the tile in which their footprints begin.

    Parameters
    ----------
    atoms : SlicedAtoms
        Sorted by slice.
    field : tuple of int
        ``(ny, nx)`` in pixels.
    band_limit : float
        Which sets the footprint.

    Returns
    -------
    tuple of Tensor
        Numbers of the atoms within their slice, in the order of the tiles, and where each tile's
        list begins in its slice.
    """
    from kernels_triton.spread import cut, tile_of

    tiles = cut(*field)
    device, n_slices = atoms.xy.device, len(atoms.counts)
    counts = torch.tensor(atoms.counts, device=device)
    first = torch.cumsum(counts, 0) - counts
    slice_ = torch.repeat_interleave(counts)
    key = slice_ * tiles.number + tile_of(atoms.xy, tiles, kernel_width(band_limit))
    order = torch.argsort(key, stable=True) - first[slice_]
    per_tile = torch.bincount(key, minlength=n_slices * tiles.number).view(n_slices, -1)
    starts = torch.nn.functional.pad(torch.cumsum(per_tile, 1), (1, 0))
    return order.int(), starts.int()


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
    order: Tensor,
    table: Tensor,
) -> tuple[Tensor, Tensor]:
    """Gather the gradients of one slice's atoms: `kernels_triton.spread.spread_bwd`."""
    from kernels_triton.spread import spread_bwd

    return spread_bwd(grad, xy, coefficients, order, table)


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
def _(
    grad: Tensor, xy: Tensor, coefficients: Tensor, order: Tensor, table: Tensor
) -> tuple[Tensor, Tensor]:
    form = torch.contiguous_format
    return (
        torch.empty_like(xy, memory_format=form),
        torch.empty_like(coefficients, memory_format=form),
    )


def _keep_atoms(ctx: Any, inputs: tuple[Any, ...], output: Tensor) -> None:
    xy, coefficients, order, _, table, _, _ = inputs
    ctx.save_for_backward(xy, coefficients, order, table)


def _gradient(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:
    found = spread_deltas_backward(grad, *ctx.saved_tensors)
    return *found, None, None, None, None, None


spread_deltas.register_autograd(_gradient, setup_context=_keep_atoms)
