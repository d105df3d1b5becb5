"""Exit waves of nanoparticles: the project's own potential and multislice."""

import math
from typing import NamedTuple

import torch
from torch import Tensor

from difftem.atoms import Atoms
from difftem.constants.scattering import TableName
from difftem.modules.beam import Beam
from difftem.modules.multislice import Multislice
from difftem.modules.potential import Potential
from difftem.simulation.nanoparticles.imaging import NanoparticleImaging

# What Pt scatters beyond 2/3 of Nyquist, that of 0.12 Å, is 1 % of an image; beyond these, 0.1 %.
POTENTIAL_BAND, WAVE_BAND = 0.95, 0.9
TABLE: TableName = "lobato"  # at any pixel size; Peng's ends at 4 1/Å


class ExitWaves(NamedTuple):
    """What leaves a specimen, of one configuration of its atoms or of several."""

    waves: Tensor  # (k, y, x) complex, the simulated field
    height: float  # Å, of their plane in the atoms' coordinates


def exit_waves(
    atoms: Atoms,
    imaging: NanoparticleImaging,
    generator: torch.Generator | None = None,
) -> ExitWaves:
    """Send the beam through a specimen.

    Parameters
    ----------
    atoms : Atoms
        Tilted; x and y about the middle of the field, the beam runs along z. Those outside the
        field are left out.
    imaging : NanoparticleImaging
        Sampling, voltage, and whether atoms are displaced.
    generator : torch.Generator, optional
        Of the displacements.

    Returns
    -------
    ExitWaves
        For an incident beam of intensity 1, without a gradient.

    Raises
    ------
    ValueError
        If no atom is in the field.
    """
    half, step = imaging.width / 2, imaging.slice_thickness
    inside = (atoms.positions[:, :2].abs() <= half).all(1)
    if not bool(inside.any()):
        raise ValueError(f"no atom is in the field of {imaging.width:g} Å")
    atoms = atoms.select(inside).to(dtype=torch.float32)
    low, high = (float(each[2]) for each in atoms.bounds())
    frozen = imaging.frozen_phonons > 0
    # Displaced atoms must stay inside the slices.
    reach = 5 * math.sqrt(float(atoms.b_factors.max()) / (8 * math.pi**2)) if frozen else 0.0
    middle, n_slices = (low + high) / 2, math.ceil((high - low + 2 * reach) / step) + 1
    atoms = atoms.translated(torch.tensor([0.0, 0.0, -middle]))
    shape, pixel_size = (imaging.field, imaging.field), imaging.pixel_size
    # Atoms at rest have more at high frequencies than a slice's phase may fold back.
    multislice = Multislice(pixel_size, step, band_limit=WAVE_BAND, limit_transmission=frozen)
    beam, waves = Beam(imaging.voltage_kv), []
    for _ in range(max(1, imaging.frozen_phonons)):
        moved = displaced(atoms, generator) if frozen else atoms
        potential = Potential(
            moved,
            shape,
            pixel_size,
            n_slices,
            step,
            table=TABLE,
            periodic=False,
            band_limit=POTENTIAL_BAND,
        )
        with torch.no_grad():
            waves.append(multislice(potential.source(), beam))
    return ExitWaves(torch.stack(waves), middle + multislice.wave_height(potential.heights()))


def displaced(atoms: Atoms, generator: torch.Generator | None = None) -> Atoms:
    r"""Draw an instant of the thermal motion: independent atoms (Einstein), at rest where they are.

    .. math:: \langle u_x^2 \rangle = B / 8 \pi^2

    Parameters
    ----------
    atoms : Atoms
        With their B-factors.
    generator : torch.Generator, optional
        Of the displacements.

    Returns
    -------
    Atoms
        Displaced, with B-factors of 0.

    References
    ----------
    Loane, Xu & Silcox, Acta Cryst. A 47 (1991) 267.
    """
    deviation = torch.sqrt(atoms.b_factors / (8 * math.pi**2))[:, None]
    noise = torch.randn(atoms.positions.shape, generator=generator, dtype=torch.float64)
    positions = atoms.positions + noise.to(atoms.positions) * deviation
    return Atoms(
        positions, atoms.atomic_numbers, torch.zeros_like(atoms.b_factors), atoms.occupancies
    )
