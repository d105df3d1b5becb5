"""Potential and absorption potential of a particle from its map files."""

import math
from dataclasses import dataclass, field

from torch import Tensor

from difftem.io.errors import InputError
from difftem.tem_simulator.files.maps import PotentialMap, read_map
from difftem.tem_simulator.files.rules import needed
from difftem.tem_simulator.files.specimen import ParticleInput
from difftem.units import nm_to_angstrom

_TOLERANCE = 0.01  # of voxel sizes


@dataclass(frozen=True, eq=False)
class ParticleMaps:
    """What a particle does to the wave.

    Attributes
    ----------
    potential, absorption : Tensor
        Electrostatic and absorption potential, V, float32, shape ``(z, y, x)``.
    voxel_size : float
        Å.
    notes : list of str
        What a user should know.
    """

    potential: Tensor
    absorption: Tensor
    voxel_size: float
    notes: list[str] = field(default_factory=list)


def read_particle_maps(particle: ParticleInput) -> ParticleMaps:
    r"""Read the maps of a particle whose source is ``map``.

    With ``use_imag_pot = no`` the one map M is split by the amplitude contrast a = ``famp`` into
    :math:`\sqrt{1 - a^2} M` and :math:`a M`.

    Parameters
    ----------
    particle : ParticleInput
        The component.

    Returns
    -------
    ParticleMaps
        As they are in the files: no solvent is subtracted.

    Raises
    ------
    InputError
        If a file is not a whole map, nothing says its voxel size, or the two maps differ in shape
        or voxel size.

    References
    ----------
    Rullgård, Öfverstedt, Masich, Daneholt & Öktem, J. Microsc. 243 (2011) 234.
    """
    real = _read(particle, "map_file_re_in")
    if not particle.use_imag_pot:
        fraction = needed(particle, "famp")
        potential, absorption = (
            math.sqrt(1 - fraction**2) * real.potential,
            fraction * real.potential,
        )
        return ParticleMaps(potential, absorption, real.voxel_size, real.notes)
    imaginary = _read(particle, "map_file_im_in")
    if imaginary.potential.shape != real.potential.shape:
        raise InputError(
            f"{particle.origin}: map_file_re_in and map_file_im_in must have the same (z, y, x), "
            f"got {tuple(real.potential.shape)} and {tuple(imaginary.potential.shape)}"
        )
    if abs(imaginary.voxel_size - real.voxel_size) > _TOLERANCE * real.voxel_size:
        raise InputError(
            f"{particle.origin}: map_file_re_in and map_file_im_in must have the same voxel size, "
            f"got {real.voxel_size:g} and {imaginary.voxel_size:g} Å"
        )
    notes = real.notes + imaginary.notes
    return ParticleMaps(real.potential, imaginary.potential, real.voxel_size, notes)


def _read(particle: ParticleInput, field_name: str) -> PotentialMap:
    """Map of one of a particle's files."""
    raw = particle.map_file_format == "raw"
    nm = particle.voxel_size_nm
    return read_map(
        needed(particle, field_name),
        file_format=particle.map_file_format,
        byte_order=particle.map_file_byte_order,
        axis_order=particle.map_axis_order,
        size=needed(particle, "nx", "ny", "nz") if raw else None,
        voxel_size=None if nm is None else nm_to_angstrom(nm),
    )
