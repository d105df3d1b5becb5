"""Displaced ice: how much room the atoms of a structure take in every slice."""

from torch import nn

from difftem.functional.displaced_ice import displaced_basis
from difftem.functional.potential import basis_filter
from difftem.modules.beam import Beam
from difftem.modules.potential import Potential
from difftem.modules.specimen import View
from difftem.modules.stage import Stage
from difftem.ops.potential import atom_slices


class DisplacedIce(nn.Module):
    """Lengths along the beam, slice by slice, from which the atoms of a structure displace ice.

    Parameters
    ----------
    potential : Potential
        Of the solvated structure.

    Raises
    ------
    ValueError
        If the structure is not solvated.
    """

    takes_series = True

    def __init__(self, potential: Potential) -> None:
        super().__init__()
        if not potential.solvated:
            raise ValueError("a structure must be solvated to displace ice")
        self.potential = potential
        self.shape = potential.shape
        self.pixel_size = potential.pixel_size
        self.slice_thickness = potential.slice_thickness

    def view(
        self,
        stage: Stage,
        beam: Beam | None = None,
        tilt: int | None = None,
    ) -> View:
        """Lengths in Å, in the slices of the potential; arguments as of `Potential.view`."""
        atoms = self.potential
        posed = atoms.positions if atoms.pose is None else atoms.pose(atoms.positions)
        moved = stage(posed, tilt)
        basis = displaced_basis(
            atoms.atomic_numbers,
            atoms.occupancies,
            atoms.band_limit / 2 / atoms.pixel_size,
            atoms.displaced_volume,
        )
        filters = basis_filter(
            basis.radial,
            basis.frequency,
            atoms.shape,
            atoms.pixel_size,
            atoms.band_limit,
            atoms.taper,
            moved.dtype,
        )
        flat = moved.reshape(-1, *moved.shape[-2:])
        sliced = [atoms.sliced(each, basis.coefficients.to(moved)) for each in flat]
        source = atom_slices(sliced, filters, atoms.shape, atoms.band_limit, moved.shape[:-2])
        return View(source, atoms.heights())
