"""Maps of the particles: from a structure, from files or at random."""

from collections.abc import Callable
from dataclasses import dataclass, field

import torch
from torch import Tensor

from difftem.functional.particle_map import (
    fill_with_ice,
    map_grid,
    with_amplitude_contrast,
    without_border_mean,
)
from difftem.functional.phantom import random_map
from difftem.functional.soft_potential import copied_positions, soft_potential
from difftem.io.errors import InputError
from difftem.io.structure import read_structure, read_transforms
from difftem.tem_simulator.files.particle_maps import read_particle_maps
from difftem.tem_simulator.files.rules import needed
from difftem.tem_simulator.files.specimen import MAX_SIDE, ParticleInput
from difftem.units import nm_to_angstrom

# Where TEM-simulator ends a Gaussian: 2e-4 of every atom is beyond.
CUT_EXPONENT = 10.0
BeforeMap = Callable[[str, tuple[int, int, int], float, bool], None]


@dataclass(frozen=True, eq=False)
class MapTemplate:
    """Maps of one particle.

    Attributes
    ----------
    written : Tensor
        As they go into files, V: absorption as imaginary part, solvent included.
    values : Tensor
        As they act on the wave, complex, relative to the mean of the border.
    voxel_size : float
        Å.
    notes : list of str
        What a user should know.
    """

    written: Tensor
    values: Tensor
    voxel_size: float
    notes: list[str] = field(default_factory=list)

    @property
    def sides(self) -> tuple[float, float, float]:
        """Lengths along x, y and z in Å."""
        nz, ny, nx = (n * self.voxel_size for n in self.values.shape)
        return nx, ny, nz


def make_template(
    particle: ParticleInput,
    energy: Tensor | None,  # () eV
    generator: torch.Generator,
    before: BeforeMap | None = None,
) -> MapTemplate:
    """Make the maps of a particle component.

    Parameters
    ----------
    particle : ParticleInput
        The component.
    energy : Tensor, optional
        Of the beam in eV; the absorption of a structure needs it.
    generator : torch.Generator
        Source of randomness.
    before : callable, optional
        Told source, shape, voxel size in Å and whether the map absorbs by itself before it is made;
        refuses what is too large.

    Returns
    -------
    MapTemplate
        In float32.

    Raises
    ------
    InputError
        If a file is not usable or the map would be too large.
    """
    if particle.source == "map":
        maps = read_particle_maps(particle)
        if before is not None:
            nz, ny, nx = maps.potential.shape
            before("map", (nz, ny, nx), maps.voxel_size, False)
        values = torch.complex(maps.potential, maps.absorption)
        return MapTemplate(values, without_border_mean(values), maps.voxel_size, maps.notes)
    voxel_size = nm_to_angstrom(needed(particle, "voxel_size_nm"))
    if particle.source == "pdb":
        written = _structure_map(particle, voxel_size, energy, before)
    else:
        if before is not None:
            before("random", needed(particle, "nz", "ny", "nx"), voxel_size, False)
        written = _random_map(particle, generator)
    values = without_border_mean(written)
    if not particle.use_imag_pot:
        values = with_amplitude_contrast(values, needed(particle, "famp"))
    return MapTemplate(written, values, voxel_size)


def _structure_map(
    particle: ParticleInput, voxel_size: float, energy: Tensor | None, before: BeforeMap | None
) -> Tensor:
    """Atoms of a PDB file, copied and filled up with ice; real without an own absorption."""
    atoms = read_structure(
        needed(particle, "pdb_file_in"),
        assembly="none",
        model="all",
        hydrogens="tem_simulator" if particle.add_hydrogen else "file",
    )
    transforms = particle.pdb_transf_file_in
    copies = None if transforms is None else read_transforms(transforms)
    positions = atoms.positions if copies is None else copied_positions(atoms.positions, copies)
    shape, center = map_grid(positions, voxel_size)
    given = (particle.nz, particle.ny, particle.nx)
    nz, ny, nx = (n if wanted is None else wanted for n, wanted in zip(shape, given, strict=True))
    if max(nz, ny, nx) > MAX_SIDE:
        raise InputError(
            f"{particle.origin}: the map would have {nx} x {ny} x {nz} voxels, at most {MAX_SIDE} "
            f"a side are allowed; take a larger voxel_size than {particle.voxel_size_nm:g} nm"
        )
    absorbing = energy if particle.use_imag_pot else None
    if before is not None:
        before("pdb", (nz, ny, nx), voxel_size, absorbing is not None)
    raw = soft_potential(atoms, voxel_size, (nz, ny, nx), center, absorbing, copies, CUT_EXPONENT)
    return fill_with_ice(raw, absorbing)


def _random_map(particle: ParticleInput, generator: torch.Generator) -> Tensor:
    """Smooth random potential, and absorption drawn by itself."""
    nz, ny, nx = needed(particle, "nz", "ny", "nx")
    parts = []
    for name in ("contrast_re", "contrast_im")[: 2 if particle.use_imag_pot else 1]:
        contrast, smoothness = needed(particle, name, "smoothness")
        try:
            part = random_map(
                (nz, ny, nx),
                contrast,
                smoothness,
                positive=particle.make_positive,
                generator=generator,
            )
        except ValueError as error:
            raise InputError(f"{particle.origin}: {error}") from None
        parts.append(part)
    return parts[0] if len(parts) == 1 else torch.complex(parts[0], parts[1])
