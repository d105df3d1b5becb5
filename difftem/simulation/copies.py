"""From the configuration to the atoms of the whole specimen."""

import dataclasses

import torch
from torch import Tensor

from difftem.atoms import Atoms
from difftem.functional.pose import rotation_from_euler
from difftem.io.examples import example_structure
from difftem.io.structure import read_structure
from difftem.io.text_matrix import read_transforms
from difftem.scene.files.coordinates import read_coordinates
from difftem.scene.orientations import Preference, orientations
from difftem.scene.packing import PackingRequest, pack
from difftem.scene.placement import random_positions
from difftem.scene.poses import ParticlePoses
from difftem.scene.regions import FilmRegion
from difftem.simulation.config import BUNDLED, StructureConfig
from difftem.simulation.limits import changed
from difftem.simulation.microscope import MIN_ICE_NM
from difftem.simulation.particle_fields import OF_COORDINATES
from difftem.simulation.preferred_config import check_preferred
from difftem.simulation.sampling import MARGIN
from difftem.simulation.simulate_config import SimulateConfig
from difftem.units import angstrom_to_nm, deg_to_rad, nm_to_angstrom


def read_particle(
    structure: StructureConfig, rotation_deg: tuple[float, float, float] = (0.0, 0.0, 0.0)
) -> Atoms:
    """Read one particle, turned and centred.

    Parameters
    ----------
    structure : StructureConfig
        What of which file.
    rotation_deg : tuple of float
        Euler angles phi, theta, psi in degrees.

    Returns
    -------
    Atoms
        float32, its bounding box centred at the origin.
    """
    return read_turned(structure, rotation_deg).centered()


def read_turned(
    structure: StructureConfig, rotation_deg: tuple[float, float, float] = (0.0, 0.0, 0.0)
) -> Atoms:
    """Read one particle, turned about the origin of its file.

    Parameters
    ----------
    structure : StructureConfig
        What of which file.
    rotation_deg : tuple of float
        Euler angles phi, theta, psi in degrees.

    Returns
    -------
    Atoms
        float32, where the file has it.
    """
    atoms = read_structure(
        example_structure() if structure.source == BUNDLED else structure.source,
        assembly=structure.assembly,
        model=structure.model,
        altlocs=structure.altlocs,
        hydrogens=structure.hydrogens,
        waters=structure.waters,
        selection=structure.selection,
        b_factor=structure.b_factor,
        default_b_factor=structure.default_b_factor,
        occupancy=structure.occupancy,
    )
    return atoms.rotated(_rotation(rotation_deg).to(atoms.positions))


def copy_poses(
    name: str, particle: Atoms | None, config: SimulateConfig, generator: torch.Generator
) -> ParticlePoses:
    """Put copies of the particle where the configuration, or chance, puts them.

    Parameters
    ----------
    name : str
        Of the particle.
    particle : Atoms or None
        From `read_particle`; None where there is none, and no copies.
    config : SimulateConfig
        Its `copies`, `ice` and `sampling` are used.
    generator : torch.Generator
        Source of randomness.

    Returns
    -------
    ParticlePoses
        All copies; rotations that a file has rounded are made orthogonal.

    Raises
    ------
    ValueError
        If they do not fit, or options contradict each other.
    """
    rotations, shifts = _transforms(particle, config, generator)
    if config.copies.transforms is not None:
        u, _, v = torch.linalg.svd(rotations)
        rotations = u @ v
    return ParticlePoses(name, shifts.double(), rotations.double())


def _transforms(
    particle: Atoms | None, config: SimulateConfig, generator: torch.Generator
) -> tuple[Tensor, Tensor]:  # (n, 3, 3), (n, 3) Å
    """Rotation and place of each copy."""
    copies, sampling = config.copies, config.sampling
    files = [name for name in ("coordinates", "transforms") if getattr(copies, name) is not None]
    if files:
        more = sorted((changed(copies) & {"count", "orientations", "preferred"}) | set(files[1:]))
        if more:
            raise ValueError(f"copies.{more[0]} does not apply with copies.{files[0]}")
    for name in OF_COORDINATES:
        if getattr(copies, name) is not None and copies.coordinates is None:
            raise ValueError(f"copies.{name} applies with copies.coordinates only")
    packing = changed(config.ice) & {"gap_nm", "cut_at_edges"}
    if packing and (files or copies.count <= 1):
        raise ValueError(f"ice.{min(packing)} applies to several copies at random places only")
    if copies.transforms is not None:
        return read_transforms(copies.transforms)
    if copies.coordinates is not None:
        nx, ny = sampling.size
        read = read_coordinates(
            copies.coordinates,
            particle="particle",
            pixel_size=sampling.pixel_size,
            shape=(ny, nx),
            image=copies.image,
            coordinates_pixel_size=copies.coordinates_pixel_size,
            tomogram_size=copies.tomogram_size,
        )
        return torch.cat([e.rotations for e in read]), torch.cat([e.positions for e in read])
    check_preferred("copies.", copies.orientations, copies.preferred)
    n = copies.count
    if n < 0:
        raise ValueError(f"copies.count must be at least 0, got {n}")
    shifts = torch.zeros(n, 3, dtype=torch.float64)
    if n > 1 and particle is not None:
        shifts = _places(n, particle, config, generator)
    kind = copies.orientations or ("random" if n > 1 else "fixed")
    preference = Preference(**dataclasses.asdict(copies.preferred))
    return orientations(n, kind, generator, preference=preference), shifts


def _places(
    n: int, particle: Atoms, config: SimulateConfig, generator: torch.Generator
) -> Tensor:  # (n, 3) Å
    """Random places: in the middle plane of even ice, or in the ice of a hole."""
    ice, sampling = config.ice, config.sampling
    radius = float(particle.positions.norm(dim=-1).max())
    gap = nm_to_angstrom(ice.gap_nm)
    if ice.hole_diameter_nm is not None:
        needed = max(angstrom_to_nm(2 * (radius + MARGIN)), MIN_ICE_NM)
        thickness = needed if ice.thickness_nm is None else ice.thickness_nm
        edge = thickness if ice.edge_thickness_nm is None else ice.edge_thickness_nm
        lengths = (nm_to_angstrom(each) for each in (ice.hole_diameter_nm, thickness, edge))
        (places,) = pack([PackingRequest(FilmRegion(*lengths), radius, n)], generator, gap)
        return places
    inside = 0.0 if ice.cut_at_edges else 2 * radius
    width, height = (side * sampling.pixel_size - inside for side in sampling.size)
    points = random_positions(n, width, height, 2 * radius + gap, generator)
    return torch.nn.functional.pad(points, (0, 1))


def _rotation(angles_deg: tuple[float, float, float]) -> Tensor:  # (3, 3)
    """Rotation of Euler angles in degrees."""
    return rotation_from_euler(deg_to_rad(torch.tensor(angles_deg, dtype=torch.float64)))
