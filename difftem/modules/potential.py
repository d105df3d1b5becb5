"""Potential: from atoms to projected potential slices."""

from collections.abc import Collection, Iterator

import torch
from torch import Tensor, nn

from difftem.atoms import Atoms
from difftem.constants.displaced_volume import DISPLACED_VOLUME, OTHER_DISPLACED_VOLUME
from difftem.constants.scattering import TableName, scattering_table, suitable_table
from difftem.functional.atom_slices import AtomSlices
from difftem.functional.grid import check_pixel_size
from difftem.functional.potential import (
    SlicedAtoms,
    basis_filter,
    slice_atoms,
)
from difftem.functional.render import render_potential
from difftem.functional.solvent import (
    ICE_DENSITY_G_PER_CM3,
    ice_molecules_per_a3,
    ice_potential,
)
from difftem.functional.species import SpeciesBasis, species_basis
from difftem.functional.spread import kernel_width
from difftem.modules.beam import Beam
from difftem.modules.pose import Pose
from difftem.modules.quantity import Positive, check_learnable, register_quantity
from difftem.modules.specimen import View
from difftem.modules.stage import Stage
from difftem.ops.potential import atom_slices


class Potential(nn.Module):
    """Independent-atom potential of a structure, projected slice by slice.

    Parameters
    ----------
    atoms : Atoms
        The structure; the field's centre and the slab's middle are at its origin.
    shape : tuple of int
        ``(ny, nx)`` in pixels.
    pixel_size : float
        In Å.
    n_slices : int
        Number of slices along the beam; 1 is a plain projection.
    slice_thickness : float
        In Å, independent of the pixel size.
    table : {"peng", "lobato", "kirkland"}, optional
        Scattering factors. Default: `suitable_table` of the band limit, Peng's up to 4 1/Å.
    solvated : bool
        Subtract the ice that the atoms displace (Fraser's Gaussian spheres), for a structure
        embedded in vitreous ice; otherwise it stands in vacuum.
    ice_density_g_per_cm3 : float
        Of that ice, in g/cm³.
    interpolate_z : bool
        Share each atom between two slices, which gives z a gradient.
    periodic : bool
        Wrap atoms around the field; otherwise those outside are left out.
    band_limit : float
        Fraction of Nyquist, at most 0.95. Atoms at rest (B = 0) have more than 2/3 holds.
    pose : Pose, optional
        Turns and moves the structure in the specimen, before the stage does.
    learnable : collection of str
        Any of ``positions``, ``b_factors``, ``occupancies``.

    Raises
    ------
    ValueError
        For a non-positive sampling or an element that the table lacks.

    Examples
    --------
    >>> import torch
    >>> from difftem import Atoms
    >>> from difftem.modules import Potential
    >>> carbon = Atoms(torch.zeros(1, 3), torch.tensor([6]), torch.full((1,), 20.0), torch.ones(1))
    >>> potential = Potential(carbon, (32, 32), 0.5, 1, 10.0, learnable=["positions"])
    >>> image = potential()[0]  # projected, V Å
    >>> divmod(image.argmax().item(), 32)  # the origin is pixel n // 2
    (16, 16)
    >>> image.square().sum().backward()
    >>> tuple(potential.positions.grad.shape)
    (1, 3)
    """

    takes_series = True

    positions: Tensor
    b_factors: Tensor
    occupancies: Tensor
    atomic_numbers: Tensor
    displaced_volume: Tensor

    def __init__(
        self,
        atoms: Atoms,
        shape: tuple[int, int],
        pixel_size: float,
        n_slices: int,
        slice_thickness: float,
        *,
        table: TableName | None = None,
        solvated: bool = False,
        ice_density_g_per_cm3: float = ICE_DENSITY_G_PER_CM3,
        interpolate_z: bool = False,
        periodic: bool = True,
        band_limit: float = 2 / 3,
        taper: float = 0.01,
        pose: Pose | None = None,
        learnable: Collection[str] = (),
    ) -> None:
        super().__init__()
        check_pixel_size(pixel_size)
        kernel_width(band_limit)  # refuses a band that it cannot serve
        check_learnable(learnable, ("positions", "b_factors", "occupancies"))
        register_quantity(self, "positions", atoms.positions, learnable)
        register_quantity(self, "b_factors", atoms.b_factors, learnable, Positive())
        register_quantity(self, "occupancies", atoms.occupancies, learnable, Positive())
        self.register_buffer("atomic_numbers", atoms.atomic_numbers)
        volumes = _displaced_volumes(atoms.atomic_numbers) if solvated else torch.empty(0)
        self.register_buffer("displaced_volume", volumes, persistent=False)
        self.pose = pose
        self.shape = shape
        self.pixel_size = pixel_size
        self.n_slices = n_slices
        self.slice_thickness = slice_thickness
        self.table: TableName = table or suitable_table(band_limit / 2 / pixel_size)
        self.solvated = solvated
        self.ice_density_g_per_cm3 = ice_density_g_per_cm3
        self.interpolate_z = interpolate_z
        self.periodic = periodic
        self.band_limit = band_limit
        self.taper = taper

    @property
    def thickness(self) -> float:  # Å
        """Height of the whole slab in Å."""
        return self.n_slices * self.slice_thickness

    def view(
        self,
        stage: Stage,
        beam: Beam | None = None,
        tilt: int | None = None,
    ) -> View:
        """Slices at a position of the stage, or at all of a series along a batch axis.

        Parameters
        ----------
        stage : Stage
            Turns and shifts the structure about the middle of the field.
        beam : Beam, optional
            Plays no part: the potential of atoms does not depend on it.
        tilt : int, optional
            Index in a series. Default: all.

        Returns
        -------
        View
            Slices, made when they are needed, and the heights of their middles.
        """
        posed = self.positions if self.pose is None else self.pose(self.positions)
        return View(self.source(stage(posed, tilt)), self.heights())

    def heights(self) -> list[float]:  # n_slices, Å
        """Middles of the slices above that of the slab, in Å."""
        half = (self.n_slices - 1) / 2
        return [(i - half) * self.slice_thickness for i in range(self.n_slices)]

    def basis(
        self,
        pixel_size: float | None = None,  # Å
    ) -> SpeciesBasis:
        """Radial functions and coefficients of the atoms as they are now, for a sampling in Å."""
        pixel_size = self.pixel_size if pixel_size is None else pixel_size
        return species_basis(
            self.atomic_numbers,
            self.b_factors,
            self.occupancies,
            self.band_limit / 2 / pixel_size,
            scattering_table(self.table),
            self.displaced_volume if self.solvated else None,
            ice_potential(ice_molecules_per_a3(self.ice_density_g_per_cm3))
            if self.solvated
            else 0.0,
        )

    def source(
        self,
        positions: Tensor | None = None,  # (..., n_atoms, 3) Å
    ) -> AtomSlices:
        """Slices to be made whenever they are needed: none is held.

        Parameters
        ----------
        positions : Tensor, optional
            Posed coordinates with any leading batch shape. Default: the module's own.

        Returns
        -------
        AtomSlices
            For `difftem.modules.Multislice`, whose gradient makes the slices again where they are
            too many to be kept.
        """
        positions = self.positions if positions is None else positions
        basis = self.basis()
        filters = basis_filter(
            basis.radial,
            basis.frequency,
            self.shape,
            self.pixel_size,
            self.band_limit,
            self.taper,
            positions.dtype,
        )
        coefficients = basis.coefficients.to(positions)
        flat = positions.reshape(-1, *positions.shape[-2:])
        atoms = [self.sliced(each, coefficients) for each in flat]
        return atom_slices(atoms, filters, self.shape, self.band_limit, positions.shape[:-2])

    def slices(
        self,
        positions: Tensor | None = None,  # (..., n_atoms, 3) Å
    ) -> Iterator[Tensor]:  # n_slices x (..., ny, nx) V Å
        """Projected potential slice by slice in V Å, holding one; the first is hit first."""
        return iter(self.source(positions))

    def forward(
        self,
        positions: Tensor | None = None,  # (..., n_atoms, 3) Å
    ) -> Tensor:  # (..., n_slices, ny, nx) V Å
        """All slices of `slices`, stacked."""
        slices = self.slices(positions)
        if torch.is_grad_enabled():
            return torch.stack(list(slices), dim=-3)
        first = next(slices)
        stacked = first.new_empty(*first.shape[:-2], self.n_slices, *self.shape)
        stacked[..., 0, :, :] = first
        for i, slice_ in enumerate(slices, start=1):
            stacked[..., i, :, :] = slice_
        return stacked

    def render(
        self,
        shape: tuple[int, int, int],
        voxel_size: float,  # Å
    ) -> Tensor:  # (nz, ny, nx) V
        """Three-dimensional potential on voxels, at the module's band limit.

        Parameters
        ----------
        shape : tuple of int
            ``(nz, ny, nx)`` voxels.
        voxel_size : float
            In Å.

        Returns
        -------
        Tensor
            In V; the origin is at voxel ``n // 2``.
        """
        basis = self.basis(voxel_size)
        return render_potential(
            self.positions, basis, shape, voxel_size, self.band_limit, self.taper
        )

    def sliced(self, positions: Tensor, coefficients: Tensor) -> SlicedAtoms:
        """One set of coordinates, sorted into this module's slices."""
        return slice_atoms(
            positions,
            coefficients,
            self.shape,
            self.pixel_size,
            self.n_slices,
            self.slice_thickness,
            linear=self.interpolate_z,
            periodic=self.periodic,
        )


def _displaced_volumes(atomic_numbers: Tensor) -> Tensor:  # (n_elements,) Å³
    """Table by atomic number, up to the heaviest atom."""
    heaviest = int(atomic_numbers.max())
    table = [DISPLACED_VOLUME.get(z, OTHER_DISPLACED_VOLUME) for z in range(heaviest + 1)]
    return torch.tensor(table, dtype=torch.float64)
