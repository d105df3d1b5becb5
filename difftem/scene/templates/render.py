"""Templates rendered from atoms."""

import math
from typing import Literal

import torch
from torch import Tensor

from difftem.atoms import Atoms
from difftem.constants.scattering import TableName
from difftem.functional.particle_map import particle_map, without_border_mean
from difftem.functional.render import SPREAD_BAND, basis_groups
from difftem.functional.sampling import good_fft_size
from difftem.functional.solvent import ICE_DENSITY_G_PER_CM3, ice_molecules_per_a3
from difftem.modules.potential import Potential
from difftem.scene.templates.template import Template

# Measured: of a point of the grids on which a group of radial functions is spread, and of a voxel.
POINT_BYTES, VOXEL_BYTES = 18, 26
Solvent = Literal["displaced", "floor", "none"]
# Around the outermost atom: its own width, and voxels for the tails of the band limit.
MARGIN = 5.0  # Å
MARGIN_VOXELS = 8
# Flat up to 0.6 of Nyquist, and soft, so that the box holds the map: a field of pixels as large as
# the voxels keeps less (tests/scene/templates/test_render.py compares with the atoms' projection).
BAND_LIMIT, TAPER = 0.8, 0.1
# Flat up to 2/3 of Nyquist: that of pixels which are 3/2 as large.
STEEP = 1 / 15


def render_template(
    atoms: Atoms,
    voxel_size: float,  # Å
    *,
    solvent: Solvent = "displaced",
    amplitude_contrast: float = 0.0,
    table: TableName | None = None,
    energy: Tensor | None = None,  # () eV
    taper: float = TAPER,
    ice_density_g_per_cm3: float = ICE_DENSITY_G_PER_CM3,
) -> Template:
    """Render the template of a structure, its origin where the atoms have theirs.

    Parameters
    ----------
    atoms : Atoms
        The particle.
    voxel_size : float
        In Å; with "displaced" and "none" the map ends at 0.8 of Nyquist, see `taper`.
    solvent : {"displaced", "floor", "none"}
        "displaced": each atom takes the place of some ice (Fraser). "floor": TEM-simulator's
        model, where ice fills every voxel up to its own potential and absorption comes from cross
        sections. "none": in vacuum.
    amplitude_contrast : float
        Fraction of the potential that absorbs, in [0, 1); not with "floor".
    table : {"peng", "lobato", "kirkland"}, optional
        Scattering factors; "floor" knows Peng's alone. Default: as of `Potential`.
    energy : Tensor, optional
        Of the beam in eV, for "floor".
    taper : float
        Cycles/voxel over which the map fades out before 0.8 of Nyquist: 0.1 leaves it as it is up
        to 0.6, and `STEEP` up to 2/3.
    ice_density_g_per_cm3 : float
        Of the solvent, in g/cm³.

    Returns
    -------
    Template
        Potential beyond that of the solvent.

    Raises
    ------
    ValueError
        For an option that does not fit the model.
    """
    radius = _radius(atoms)
    if solvent == "floor":
        if energy is None or amplitude_contrast or table not in (None, "peng"):
            raise ValueError(
                'solvent "floor" needs the beam energy, takes absorption from cross sections and '
                "knows the table peng only"
            )
        made = particle_map(
            atoms, voxel_size, energy, molecules_per_a3=ice_molecules_per_a3(ice_density_g_per_cm3)
        )
        # The map's voxels lie about the middle of the atoms' box.
        grid = reversed(made.values.shape)
        center = tuple(
            ((n - 1) / 2 - n // 2) * voxel_size - float(c)
            for n, c in zip(grid, made.center, strict=True)
        )
        values = without_border_mean(made.values).to(torch.complex64)
        return Template(values, voxel_size, radius, (center[0], center[1], center[2]))
    if not 0 <= amplitude_contrast < 1:
        raise ValueError(f"amplitude_contrast must be in [0, 1), got {amplitude_contrast}")
    n = _side(radius, voxel_size)
    potential = Potential(
        atoms,
        (n, n),
        voxel_size,
        1,
        n * voxel_size,
        table=table,
        solvated=solvent == "displaced",
        ice_density_g_per_cm3=ice_density_g_per_cm3,
        band_limit=BAND_LIMIT,
        taper=taper,
    )
    with torch.no_grad():
        values = potential.render((n, n, n), voxel_size)
    return Template(absorbing(values, amplitude_contrast), voxel_size, radius)


def rendering_bytes(atoms: Atoms, voxel_size: float) -> float:
    """Memory in bytes that `render_template` takes at most, voxel size in Å."""
    n = _side(_radius(atoms), voxel_size)
    fine = good_fft_size(math.ceil(n * BAND_LIMIT / SPREAD_BAND)) ** 3
    basis = Potential(atoms, (n, n), voxel_size, 1, 1.0, solvated=True, band_limit=BAND_LIMIT).basis
    n_basis = len(basis().radial)
    group = max(len(range(n_basis)[each]) for each in basis_groups(n_basis, fine))
    return POINT_BYTES * group * fine + VOXEL_BYTES * n**3


def _radius(atoms: Atoms) -> float:  # Å
    """Of the sphere about the origin that holds a particle."""
    return float(atoms.positions.norm(dim=-1).max()) + MARGIN


def _side(radius: float, voxel_size: float) -> int:
    """Voxels along a side of the box."""
    return good_fft_size(2 * (math.ceil(radius / voxel_size) + MARGIN_VOXELS))


def absorbing(
    values: Tensor,  # V
    amplitude_contrast: float,
) -> Tensor:  # V, complex unless the contrast is 0
    r"""Let a fraction of a potential absorb: V (√(1 − a²) + i a)."""
    if amplitude_contrast == 0:
        return values
    real = math.sqrt(1 - amplitude_contrast**2)
    return torch.complex(values * real, values * amplitude_contrast)
