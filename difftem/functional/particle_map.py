"""Complex potential map of a particle in solvent, with a resolution set by its voxels.

The model of TEM-simulator (Rullgård et al., J. Microscopy 243 (2011) 234): every Gaussian of an
atom is at least so wide that the voxels resolve it, absorption removes all scattered electrons,
and the solvent fills what the atoms leave.
"""

from typing import NamedTuple

import torch
from torch import Tensor

from difftem.atoms import Atoms
from difftem.functional.grid import check_pixel_size
from difftem.functional.soft_potential import copied_positions, soft_potential
from difftem.functional.solvent import (
    ICE_MOLECULES_PER_A3,
    ice_absorption_potential,
    ice_potential,
)

BOX_MARGIN = 5.0  # Å between the outermost atoms and the box


class ParticleMap(NamedTuple):
    """Potential of one particle on voxels and where the atoms' origin lies.

    Examples
    --------
    >>> import torch
    >>> from difftem.functional.particle_map import ParticleMap
    >>> values = torch.zeros(4, 4, 8, dtype=torch.complex64)  # V, z before y before x
    >>> particle = ParticleMap(values, center=torch.zeros(3), voxel_size=2.0)
    >>> [n * particle.voxel_size for n in reversed(particle.values.shape)]  # Å along x, y, z
    [16.0, 8.0, 8.0]
    """

    values: Tensor  # (nz, ny, nx) complex, V
    center: Tensor  # (3,) x, y, z of the grid's centre in the atoms' coordinates, Å
    voxel_size: float  # Å


def map_grid(
    positions: Tensor,  # (n_atoms, 3) Å
    voxel_size: float,  # Å
    shape: tuple[int, int, int] | None = None,
    margin: float = BOX_MARGIN,  # Å
) -> tuple[tuple[int, int, int], Tensor]:  # (nz, ny, nx), (3,) Å
    """Shape of the voxels that hold the atoms and a margin, and the centre of their bounding box.

    Voxel i of an axis of n lies at the centre plus ``(i - (n - 1) / 2) * voxel_size``.

    Examples
    --------
    >>> import torch
    >>> from difftem.functional.particle_map import map_grid
    >>> positions = torch.tensor([[0.0, 0.0, 0.0], [10.0, 0.0, 0.0]])
    >>> shape, center = map_grid(positions, voxel_size=2.0)  # with 5 Å on either side
    >>> shape, center.tolist()
    ((5, 5, 10), [5.0, 0.0, 0.0])
    """
    check_pixel_size(voxel_size)
    low, high = positions.detach().amin(0), positions.detach().amax(0)
    if shape is None:
        extent = (high - low).double() + 2 * margin
        nx, ny, nz = (int(n) for n in torch.ceil(extent / voxel_size))
        shape = (nz, ny, nx)
    return shape, (low + high) / 2


def fill_with_ice(
    potential: Tensor,  # (..., z, y, x) V
    energy: Tensor | None = None,  # () eV
    molecules_per_a3: float = ICE_MOLECULES_PER_A3,
) -> Tensor:  # (..., z, y, x) V
    """Raise potential and absorption to those of ice wherever the atoms have less.

    A complex potential needs the beam's energy.

    Examples
    --------
    >>> import torch
    >>> from difftem.functional.particle_map import fill_with_ice
    >>> filled = fill_with_ice(torch.tensor([[[0.0, 20.0]]]))  # V, beside a protein and in it
    >>> [round(value, 3) for value in filled.flatten().tolist()]
    [4.877, 20.0]
    """
    level = ice_potential(molecules_per_a3)
    if not potential.is_complex():
        return potential.clamp(min=level)
    if energy is None:
        raise ValueError("the absorption of ice needs the beam's energy")
    floor = float(ice_absorption_potential(energy.detach(), molecules_per_a3))
    return torch.complex(potential.real.clamp(min=level), potential.imag.clamp(min=floor))


def without_border_mean(
    potential: Tensor,  # (..., z, y, x) V
) -> Tensor:  # (..., z, y, x) V
    """Subtract the mean over the outermost voxels: what is left differs from the surroundings.

    Examples
    --------
    >>> import torch
    >>> from difftem.functional.particle_map import without_border_mean
    >>> box = torch.full((3, 3, 3), 5.0)  # V, of the ice
    >>> box[1, 1, 1] = 20.0
    >>> relative = without_border_mean(box)
    >>> relative[1, 1, 1].item(), relative[0, 0, 0].item()
    (15.0, 0.0)
    """
    dims = (-3, -2, -1)
    # In double precision: the difference of two sums of millions of voxels.
    kind = torch.promote_types(potential.dtype, torch.float64)
    inner = potential[..., 1:-1, 1:-1, 1:-1]
    total = potential.sum(dims, dtype=kind) - inner.sum(dims, dtype=kind)
    n_border = potential.shape[-3:].numel() - inner.shape[-3:].numel()
    mean = (total / n_border).to(potential.dtype)
    return potential - mean[..., None, None, None]


def with_amplitude_contrast(
    potential: Tensor,  # (..., z, y, x) V
    amplitude_contrast: float | Tensor,
) -> Tensor:  # (..., z, y, x) complex V
    r"""Let a fraction a of a real potential absorb: :math:`V (\sqrt{1 - a^2} + i a)`.

    Examples
    --------
    >>> import torch
    >>> from difftem.functional.particle_map import with_amplitude_contrast
    >>> value = with_amplitude_contrast(torch.full((1, 1, 1), 10.0), 0.1)
    >>> round(value.real.item(), 3), round(value.imag.item(), 3)  # V
    (9.95, 1.0)
    """
    a = torch.as_tensor(amplitude_contrast).to(potential)
    return torch.complex(torch.sqrt(1 - a**2) * potential, a * potential)


def particle_map(
    atoms: Atoms,
    voxel_size: float,  # Å
    energy: Tensor,  # () eV
    *,
    shape: tuple[int, int, int] | None = None,
    copies: tuple[Tensor, Tensor] | None = None,  # (n, 3, 3), (n, 3) Å
    solvent: bool = True,
    molecules_per_a3: float = ICE_MOLECULES_PER_A3,
    amplitude_contrast: float | Tensor | None = None,
    cut_exponent: float | None = None,
) -> ParticleMap:
    """Complex potential map of a particle relative to what surrounds it.

    Parameters
    ----------
    atoms : Atoms
        Without batch axes.
    voxel_size : float
        In Å.
    energy : Tensor
        Beam energy in eV.
    shape : tuple of int, optional
        ``(nz, ny, nx)``. Default: the box of the atoms and 5 Å around it.
    copies : tuple of Tensor, optional
        As in `soft_potential`.
    solvent : bool
        Ice between and around the atoms; otherwise they are in vacuum.
    molecules_per_a3 : float
        Of that ice. Default: TEM-simulator's.
    amplitude_contrast : float or Tensor, optional
        Absorb this fraction of the real potential instead of what the cross sections say.
    cut_exponent : float, optional
        As in `soft_potential`.

    Returns
    -------
    ParticleMap
        Values, centre and voxel size.

    Examples
    --------
    >>> import torch
    >>> from difftem import Atoms
    >>> from difftem.functional.particle_map import particle_map
    >>> atoms = Atoms(torch.zeros(1, 3), torch.tensor([6]), torch.zeros(1), torch.ones(1))
    >>> energy = torch.tensor(300e3)
    >>> carbon = particle_map(atoms, 1.0, energy, shape=(20, 20, 20), solvent=False)
    >>> round(carbon.values.real.sum().item() / 47.878, 2)  # its scattering factor at q = 0, Å
    2.51
    """
    positions = atoms.positions.detach()
    if copies is not None:
        positions = copied_positions(positions, copies)
    shape, center = map_grid(positions, voxel_size, shape)
    absorbing = energy if amplitude_contrast is None else None
    values = soft_potential(atoms, voxel_size, shape, center, absorbing, copies, cut_exponent)
    if solvent:
        values = fill_with_ice(values, energy, molecules_per_a3)
    values = without_border_mean(values)
    if amplitude_contrast is not None:
        values = with_amplitude_contrast(values, amplitude_contrast)
    return ParticleMap(values, center, voxel_size)
