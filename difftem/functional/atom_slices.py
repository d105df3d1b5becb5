"""Slices of projected potential that are made from atoms whenever they are asked for."""

from collections.abc import Iterator, Sequence
from itertools import accumulate, pairwise
from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from difftem.functional.potential import SlicedAtoms, project_slice, project_slice_adjoint
from difftem.functional.spread import gather_deltas, spread_deltas


class AtomSlices:
    """A `difftem.functional.slice_source.SliceSource` of atoms; it holds no slice.

    Parameters
    ----------
    atoms : sequence of SlicedAtoms
        From `difftem.functional.potential.slice_atoms`, one for each member of the batch.
    filters : Tensor
        From `difftem.functional.potential.basis_filter`, shape ``(n_basis, ny, nx // 2 + 1)``.
    field : tuple of int
        ``(ny, nx)`` in pixels.
    band_limit : float
        As in `basis_filter`.
    batch : tuple of int
        Leading shape of the slices; their number is that of `atoms`.

    Examples
    --------
    >>> import torch
    >>> from difftem.constants import scattering_table
    >>> from difftem.functional.atom_slices import AtomSlices
    >>> from difftem.functional.potential import basis_filter, slice_atoms
    >>> from difftem.functional.species import species_basis
    >>> gold, b, one = torch.tensor([79]), torch.tensor([1.0]), torch.ones(1)
    >>> basis = species_basis(gold, b, one, 1.5, scattering_table("peng"))
    >>> grid = {"shape": (16, 16), "pixel_size": 0.5, "band_limit": 2 / 3, "taper": 0.01}
    >>> filters = basis_filter(basis.radial, basis.frequency, **grid, dtype=torch.float32)
    >>> atoms = slice_atoms(torch.zeros(1, 3), basis.coefficients, (16, 16), 0.5, 2, 2.0)
    >>> slices = AtomSlices([atoms], filters, (16, 16), 2 / 3)
    >>> [round(each.sum().item() * 0.5**2) for each in slices]  # V Å³: the atom is in the second
    [0, 506]
    """

    is_made = True

    def __init__(
        self,
        atoms: Sequence[SlicedAtoms],
        filters: Tensor,
        field: tuple[int, int],
        band_limit: float,
        batch: tuple[int, ...] = (),
    ) -> None:
        self.tensors: tuple[Tensor, ...] = tuple(t for each in atoms for t in each[:2])
        self.starts = [[0, *accumulate(each.counts)] for each in atoms]
        self.filters, self.field, self.band_limit, self.batch = filters, field, band_limit, batch
        self.shape = torch.Size((*batch, *field))
        self.dtype, self.device = filters.dtype, filters.device
        self._layers: Tensor | None = None

    def __len__(self) -> int:
        return len(self.starts[0]) - 1

    def __iter__(self) -> Iterator[Tensor]:
        """Slices in V Å, differentiable by autograd, the one hit first coming first."""
        parts = []
        for member, starts in enumerate(self.starts):
            counts = [stop - start for start, stop in pairwise(starts)]
            xy, coefficients = self.tensors[2 * member : 2 * member + 2]
            # One split for all: each slice's gradient would fill a whole tensor otherwise.
            parts.append(list(zip(xy.split(counts), coefficients.split(counts), strict=True)))
        for index in range(len(self)):
            slices = [
                _OneSlice.apply(self, member, index, *part[index])
                if len(part[index][0])
                else self.filters.new_zeros(self.field)
                for member, part in enumerate(parts)
            ]
            yield torch.stack(slices).reshape(self.shape) if self.batch else slices[0]

    def value(self, tensors: Sequence[Tensor], index: int) -> Tensor:  # (..., y, x) V Å
        """One slice."""
        slices = []
        for member, starts in enumerate(self.starts):
            xy, coefficients = self._atoms(tensors, member, index)
            if starts[index] == starts[index + 1]:
                slices.append(self.filters.new_zeros(self.field))
            else:
                slices.append(self.project(member, index, xy, coefficients))
        return torch.stack(slices).reshape(self.shape) if self.batch else slices[0]

    def empty_gradients(self, tensors: Sequence[Tensor]) -> list[Tensor]:
        """Of coordinates and coefficients."""
        return [torch.empty_like(tensor) for tensor in tensors]

    def vjp(
        self, tensors: Sequence[Tensor], index: int, grad: Tensor, gradients: list[Tensor]
    ) -> None:
        """Write the gradients of one slice's atoms."""
        for member, each in enumerate(grad.reshape(-1, *self.field)):
            xy, coefficients = self._atoms(tensors, member, index)
            if len(xy):
                by_xy, by_coefficients = self._atoms(gradients, member, index)
                found = self.project_adjoint(member, index, each, xy, coefficients)
                by_xy.copy_(found[0])
                by_coefficients.copy_(found[1])

    def project(self, member: int, index: int, xy: Tensor, coefficients: Tensor) -> Tensor:
        """One slice of one member of the batch."""
        layers = self.spread(member, index, xy, coefficients)
        return project_slice(layers, self.filters)

    def project_adjoint(
        self, member: int, index: int, grad: Tensor, xy: Tensor, coefficients: Tensor
    ) -> tuple[Tensor, Tensor]:
        """Gradients of one slice's atoms."""
        layers = project_slice_adjoint(grad, self.filters, self._buffer())
        return self.gather(member, index, layers, xy, coefficients)

    def spread(self, member: int, index: int, xy: Tensor, coefficients: Tensor) -> Tensor:
        """Layers of one slice."""
        return spread_deltas(xy, coefficients, self.field, self.band_limit, self._buffer())

    def gather(
        self, member: int, index: int, layers: Tensor, xy: Tensor, coefficients: Tensor
    ) -> tuple[Tensor, Tensor]:
        """Gradients of atoms from those of the layers."""
        return gather_deltas(layers, xy, coefficients, self.band_limit)

    def _buffer(self) -> Tensor:
        """One buffer for the layers of all slices: fresh ones cost page faults."""
        if self._layers is None:
            self._layers = self.filters.new_empty(len(self.filters), *self.field)
        return self._layers

    def _atoms(self, tensors: Sequence[Tensor], member: int, index: int) -> tuple[Tensor, Tensor]:
        """Coordinates and coefficients of one slice of one member, as views."""
        start, stop = self.starts[member][index : index + 2]
        return tensors[2 * member][start:stop], tensors[2 * member + 1][start:stop]


class _OneSlice(torch.autograd.Function):
    """Plain autograd would keep every grid and every footprint; this keeps the atoms."""

    @staticmethod
    def forward(
        ctx: Any, source: AtomSlices, member: int, index: int, xy: Tensor, coefficients: Tensor
    ) -> Tensor:
        ctx.save_for_backward(xy, coefficients)
        ctx.source, ctx.member, ctx.index = source, member, index
        return source.project(member, index, xy, coefficients)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:
        found = ctx.source.project_adjoint(ctx.member, ctx.index, grad, *ctx.saved_tensors)
        return None, None, None, *found
