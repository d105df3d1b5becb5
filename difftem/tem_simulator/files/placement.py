"""Where the copies of a particle are in the sample: from a file, at random or on a grid."""

import math

import torch
from torch import Tensor

from difftem.functional.pose import random_rotations, rotation_from_euler
from difftem.io.errors import InputError
from difftem.tem_simulator.files.rows import read_rows
from difftem.tem_simulator.files.rules import needed
from difftem.tem_simulator.files.specimen import ParticleSet, Sample
from difftem.units import angstrom_to_nm, deg_to_rad, nm_to_angstrom

_NM3_PER_UM3 = 1e9
_NM2_PER_UM2 = 1e6


def place(
    particleset: ParticleSet,
    sample: Sample,
    map_size: tuple[float, float, float],  # Å
    generator: torch.Generator | None = None,
) -> tuple[Tensor, Tensor]:  # (n, 3) Å, (n, 3, 3)
    r"""Positions and orientations of a particle set in the sample.

    Random places treat the particle as a sphere whose radius r is half the mean side of its map.
    x and y are uniform in the disc of radius diameter/2 − r, and

    .. math:: z_s = 2 (t_e - t_c) (x^2 + y^2) / \text{diameter}^2 + t_c / 2 - r

    is how far from the middle of the ice a particle can be; z is uniform from −z_s to z_s
    (``volume``), ±z_s (``surface``), −z_s (``top``, where the beam enters) or +z_s (``bottom``).
    Where the ice is thinner than the particle, z_s is 0. Copies may overlap. Random and grid
    orientations are uniform over all rotations.

    Parameters
    ----------
    particleset : ParticleSet
        The component.
    sample : Sample
        Ice that random particles are placed in.
    map_size : tuple of float
        Sides x, y, z of the particle's map (voxels times voxel size), Å.
    generator : torch.Generator, optional
        Source of randomness.

    Returns
    -------
    positions : Tensor
        Of the middle of the map in the sample, Å, float64, shape ``(n, 3)``.
    rotations : Tensor
        Of the particle in the sample, float64, shape ``(n, 3, 3)``.

    Raises
    ------
    InputError
        If the coordinate file is not usable or the particle is wider than the hole.

    References
    ----------
    Rullgård, Öfverstedt, Masich, Daneholt & Öktem, J. Microsc. 243 (2011) 234.
    """
    if particleset.particle_coords == "file":
        path = needed(particleset, "coord_file_in")
        if particleset.num_particles == 0:
            return torch.zeros(0, 3, dtype=torch.float64), torch.zeros(0, 3, 3, dtype=torch.float64)
        rows = read_rows(path, 6, particleset.num_particles)
        return nm_to_angstrom(rows[:, :3]), rotation_from_euler(deg_to_rad(rows[:, 3:]))
    if particleset.particle_coords == "grid":
        positions = _grid(particleset)
    else:
        positions = _random(particleset, sample, angstrom_to_nm(sum(map_size) / 6), generator)
    return nm_to_angstrom(positions), random_rotations(len(positions), generator)


def _grid(particleset: ParticleSet) -> Tensor:  # (n, 3) nm
    """Points of a grid about its centre, x fastest."""
    nx, ny, nz, distance = needed(particleset, "nx", "ny", "nz", "particle_dist_nm")
    z, y, x = (
        (torch.arange(n, dtype=torch.float64) - (n - 1) / 2) * distance for n in (nz, ny, nx)
    )
    z, y, x = torch.meshgrid(z, y, x, indexing="ij")
    centre = (particleset.offset_x_nm, particleset.offset_y_nm, particleset.offset_z_nm)
    points = torch.stack([x.flatten(), y.flatten(), z.flatten()], -1)
    return points + torch.tensor(centre, dtype=torch.float64)


def _random(
    particleset: ParticleSet,
    sample: Sample,
    radius: float,  # nm
    generator: torch.Generator | None,
) -> Tensor:  # (n, 3) nm
    """Points in the ice of a sample, as far inside as a sphere must be."""
    room = sample.diameter_nm / 2 - radius
    if room < 0:
        raise InputError(
            f"{particleset.origin or 'particleset'}: a particle of mean diameter "
            f"{2 * radius:g} nm does not fit into the hole of {sample.diameter_nm:g} nm"
        )
    n = _count(particleset, sample, radius)
    turn, distance, depth = torch.rand(3, n, generator=generator, dtype=torch.float64)
    rho, azimuth = room * distance.sqrt(), 2 * math.pi * turn
    growth = sample.thickness_edge_nm - sample.thickness_center_nm
    limit = 2 * growth * (rho / sample.diameter_nm) ** 2 + sample.thickness_center_nm / 2 - radius
    limit = limit.clamp(min=0)
    side = {
        "volume": 2 * depth - 1,
        "surface": torch.where(depth < 0.5, -1.0, 1.0).to(depth),
        "top": -torch.ones_like(depth),
        "bottom": torch.ones_like(depth),
    }[particleset.where]
    x = rho * torch.cos(azimuth) + sample.offset_x_nm
    y = rho * torch.sin(azimuth) + sample.offset_y_nm
    return torch.stack([x, y, side * limit], -1)


def _count(particleset: ParticleSet, sample: Sample, radius: float) -> int:
    """Tell how many particles are placed: as given, by concentration or by occupancy."""
    if particleset.num_particles is not None:
        return particleset.num_particles
    if particleset.where == "volume":
        thickness = sample.thickness_center_nm + sample.thickness_edge_nm
        room = math.pi * sample.diameter_nm**2 * thickness / 8  # nm³
        unit, own = _NM3_PER_UM3, 4 / 3 * math.pi * radius**3
    else:
        room = math.pi * sample.diameter_nm**2 / 4  # nm²
        room *= 2 if particleset.where == "surface" else 1
        unit, own = _NM2_PER_UM2, math.pi * radius**2
    if particleset.particle_conc is not None:
        return round(particleset.particle_conc * room / unit)
    return round(needed(particleset, "occupancy") * room / own)
