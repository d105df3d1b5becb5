"""From the configuration to the atoms of the whole specimen."""

from dataclasses import replace
from pathlib import Path

import torch

from difftem.atoms import Atoms
from difftem.functional.pose import random_rotations, rotation_from_euler
from difftem.io.examples import example_structure
from difftem.io.structure import read_structure, read_transforms
from difftem.scene.placement import random_positions
from difftem.simulation.config import SimulateConfig
from difftem.units import deg_to_rad

# Free space between two particles, Å.
GAP = 5.0


def read_particle(config: SimulateConfig, folders: list[Path]) -> Atoms:
    """Read one particle, centred and turned as configured.

    Parameters
    ----------
    config : SimulateConfig
        Its `structure` and `specimen.rotation_deg` are used.
    folders : list of Path
        Where to look for a relative path.

    Returns
    -------
    Atoms
        float32, its bounding box centred at the origin.
    """
    wanted = config.structure
    path = example_structure() if wanted.file is None else locate(wanted.file, folders)
    atoms = read_structure(
        path,
        assembly=wanted.assembly,
        altlocs=wanted.altlocs,
        hydrogens=wanted.hydrogens,
        waters=wanted.waters,
        selection=wanted.selection,
        default_b_factor=wanted.default_b_factor,
    )
    if wanted.b_factor is not None:
        if not wanted.b_factor >= 0:
            raise ValueError(f"structure.b_factor must not be negative, got {wanted.b_factor} Å²")
        atoms = replace(atoms, b_factors=torch.full_like(atoms.b_factors, wanted.b_factor))
    angles = deg_to_rad(torch.tensor(config.specimen.rotation_deg, dtype=torch.float64))
    return atoms.rotated(rotation_from_euler(angles).to(atoms.positions)).centered()


def place_copies(
    particle: Atoms,
    config: SimulateConfig,
    folders: list[Path],
    generator: torch.Generator,
) -> Atoms:
    """Copy the particle to where the configuration, or chance, puts it.

    Parameters
    ----------
    particle : Atoms
        From `read_particle`.
    config : SimulateConfig
        Its `specimen` and `sampling` are used.
    folders : list of Path
        Where to look for a relative path.
    generator : torch.Generator
        Source of randomness.

    Returns
    -------
    Atoms
        All copies.
    """
    specimen, sampling = config.specimen, config.sampling
    if specimen.placements is not None:
        rotations, shifts = read_transforms(locate(specimen.placements, folders))
        return particle.copies(rotations.to(particle.positions), shifts.to(particle.positions))
    if specimen.copies < 1:
        raise ValueError(f"specimen.copies must be at least 1, got {specimen.copies}")
    n = specimen.copies
    shifts = torch.zeros(n, 3, dtype=torch.float64)
    if n > 1:
        diameter = 2 * float(particle.positions.norm(dim=-1).max())
        width, height = (s * sampling.pixel_size - diameter for s in sampling.size)
        shifts[:, :2] = random_positions(n, width, height, diameter + GAP, generator)
    rotations = torch.eye(3, dtype=torch.float64).repeat(n, 1, 1)
    if specimen.orientations == "random" and n > 1:
        rotations = random_rotations(n, generator)
    return particle.copies(rotations.to(particle.positions), shifts.to(particle.positions))


def locate(name: str, folders: list[Path]) -> Path:
    """First of the folders that has the file; the last one's path if none has."""
    path = Path(name).expanduser()
    candidates = [folder / path for folder in folders] or [path]
    return next((each for each in candidates if each.exists()), path)
