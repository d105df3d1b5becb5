"""Potential and absorption of atoms, no sharper than their voxels resolve."""

import torch
from torch import Tensor

from difftem.atoms import Atoms
from difftem.constants.physical import POTENTIAL_CONSTANT
from difftem.constants.scattering import scattering_table
from difftem.functional.beam import interaction_constant
from difftem.functional.cross_section import total_cross_section
from difftem.functional.gaussian_basis import gaussian_basis, gaussian_reach, radial_filter
from difftem.functional.grid import check_pixel_size
from difftem.functional.sampling import good_fft_size
from difftem.functional.spread import spread_deltas

MIN_B_PER_VOXEL = 200.0  # B = 200 voxel² is a Gaussian of 1.6 voxels standard deviation
ABSORPTION_B = 20.0  # Å², width of an atom's absorption at rest
TAIL_EXPONENT = 14.0  # a Gaussian that has fallen to exp(-14) = 1e-6 may wrap around
# Six voxels of kernel: with Gaussians this wide the map errs by 1e-5 of its standard deviation.
SPREAD_BAND = 0.6


def soft_potential(
    atoms: Atoms,
    voxel_size: float,  # Å
    shape: tuple[int, int, int],
    center: Tensor,  # (3,) Å
    energy: Tensor | None = None,  # () eV
    copies: tuple[Tensor, Tensor] | None = None,  # (n, 3, 3), (n, 3) Å
    cut_exponent: float | None = None,
) -> Tensor:  # (nz, ny, nx) V
    r"""Potential and absorption of atoms in vacuum, as wide as the voxels need.

    .. math:: V(\mathbf r) = \sum_a o_a \left[ \sum_i c\, a_i\, g(r_a; B_{ai})
              + i\, \frac{\sigma_\mathrm{tot}(Z_a)}{2 \sigma(E)}\, g(r_a; B'_a) \right],
              \quad g(r; B) = \left(\frac{4\pi}{B}\right)^{3/2} e^{-4 \pi^2 r^2 / B}

    with :math:`r_a = |\mathbf r - \mathbf r_a|`, :math:`B_{ai} = \max(b_i + B_a, 200 s^2)` and
    :math:`B'_a = \max(20 Å^2 + B_a, 200 s^2)` for voxels of side s, evaluated at their centres.
    Differentiable in positions, B-factors and occupancies.

    Parameters
    ----------
    atoms : Atoms
        Without batch axes.
    voxel_size : float
        In Å.
    shape : tuple of int
        ``(nz, ny, nx)`` voxels.
    center : Tensor
        Centre of the grid in the atoms' coordinates, Å, shape ``(3,)``.
    energy : Tensor, optional
        Beam energy in eV. Default: no absorption, and the result is real.
    copies : tuple of Tensor, optional
        Rotations ``(n, 3, 3)`` and shifts ``(n, 3)`` in Å: the map holds n copies x' = R x + t.
    cut_exponent : float, optional
        End each Gaussian where it has fallen to exp(-cut_exponent): 10 as TEM-simulator does,
        which loses 2e-4 of every atom. Default: never.

    Returns
    -------
    Tensor
        In V, complex with an energy, shape ``(nz, ny, nx)``, precision of the positions.

    References
    ----------
    Peng, Ren, Dudarev & Whelan, Acta Cryst. A52 (1996) 257; Rullgård et al., J. Microscopy 243
    (2011) 234, section 2.

    Examples
    --------
    >>> import torch
    >>> from difftem import Atoms
    >>> from difftem.functional.soft_potential import soft_potential
    >>> carbon = Atoms(torch.zeros(1, 3), torch.tensor([6]), torch.zeros(1), torch.ones(1))
    >>> potential = soft_potential(carbon, 1.0, (16, 16, 16), center=torch.zeros(3))
    >>> round(potential.sum().item() / 47.878, 2)  # f(0) in Å, however wide the voxels
    2.51
    """
    check_pixel_size(voxel_size)
    strengths, widths = _gaussians(atoms, voxel_size, energy)
    max_frequency = 0.5 * 3**0.5 / voxel_size
    basis = gaussian_basis(widths, max_frequency, cut_exponent)
    potential = (strengths[:, :5, None] * basis.coefficients[:, :5]).sum(1)
    parts = [potential]
    if energy is not None:
        parts.append(strengths[:, 5, None] * basis.coefficients[:, 5])
    positions, weights = _merge_coincident(atoms.positions, torch.cat(parts, -1))
    if copies is not None:
        weights = weights.repeat(len(copies[0]), 1)
        positions = copied_positions(positions, copies)
    pad = int(gaussian_reach(float(widths.detach().max()), TAIL_EXPONENT) / voxel_size) + 1
    padded = tuple(good_fft_size(n + 2 * pad, multiple_of=1) for n in shape)
    corner = torch.tensor([(n - 1) / 2 + pad for n in reversed(shape)]).to(positions)
    coordinates = (positions - center.to(positions)) / voxel_size + corner
    coordinates, weights = _inside(coordinates, weights, padded)
    layers = spread_deltas(coordinates, weights.to(positions), padded, SPREAD_BAND)
    filters = radial_filter(basis, padded, voxel_size, SPREAD_BAND, positions.dtype)
    crop = tuple(slice(pad, pad + n) for n in shape)
    maps = []
    for part in layers.split(len(filters)):
        spectrum = torch.fft.rfftn(part[0]) * filters[0]
        for layer, filter_ in zip(part[1:], filters[1:], strict=True):
            spectrum = spectrum + torch.fft.rfftn(layer) * filter_
        maps.append(torch.fft.irfftn(spectrum, s=padded)[crop])
    return maps[0].contiguous() if len(maps) == 1 else torch.complex(maps[0], maps[1])


def copied_positions(
    positions: Tensor,  # (n_atoms, 3) Å
    copies: tuple[Tensor, Tensor],  # (n, 3, 3), (n, 3) Å
) -> Tensor:  # (n * n_atoms, 3) Å
    """Positions of copies x' = R x + t, copy by copy, as `Atoms.copies` orders them.

    Examples
    --------
    >>> import torch
    >>> from difftem.functional.soft_potential import copied_positions
    >>> rotations = torch.eye(3).expand(2, 3, 3)
    >>> shifts = torch.tensor([[0.0, 0.0, 0.0], [0.0, 0.0, 50.0]])
    >>> copied_positions(torch.tensor([[1.0, 2.0, 3.0]]), (rotations, shifts)).tolist()
    [[1.0, 2.0, 3.0], [1.0, 2.0, 53.0]]
    """
    rotations, shifts = (each.to(positions) for each in copies)
    return (positions @ rotations.transpose(-1, -2) + shifts[:, None]).flatten(0, 1)


def _gaussians(
    atoms: Atoms, voxel_size: float, energy: Tensor | None
) -> tuple[Tensor, Tensor]:  # 2 x (n_atoms, 6)
    """Strength in V Å³ and width B in Å² of Peng's five Gaussians and of absorption."""
    numbers, b = atoms.atomic_numbers, atoms.b_factors.double()[:, None]
    parameters = scattering_table("peng").parameters.to(b.device)[numbers]
    widths = [parameters[..., 1] + b]
    strengths = [POTENTIAL_CONSTANT * parameters[..., 0]]
    if energy is not None:
        section = b.new_zeros(int(numbers.max()) + 1)
        for z in torch.unique(numbers).tolist():
            section[z] = total_cross_section(z, energy) / (2 * interaction_constant(energy))
        strengths.append(section[numbers][:, None])
        widths.append(ABSORPTION_B + b)
    occupancies = atoms.occupancies.double()[:, None]
    smallest = MIN_B_PER_VOXEL * voxel_size**2
    return occupancies * torch.cat(strengths, -1), torch.cat(widths, -1).clamp(min=smallest)


def _merge_coincident(
    positions: Tensor,  # (n, 3)
    weights: Tensor,  # (n, k)
) -> tuple[Tensor, Tensor]:
    """Add up atoms at one place (hydrogens on their heavy atom), unless a gradient tells them."""
    if positions.requires_grad:
        return positions, weights
    places, inverse = torch.unique(positions, dim=0, return_inverse=True)
    merged = weights.new_zeros(len(places), weights.shape[1])
    return places, merged.index_add(0, inverse, weights)


def _inside(
    coordinates: Tensor,  # (n, 3) voxels
    weights: Tensor,  # (n, k)
    shape: tuple[int, ...],
) -> tuple[Tensor, Tensor]:
    """Leave out atoms beyond the padded grid; sort the others by line, so that memory is near."""
    size = torch.tensor(shape[::-1]).to(coordinates)
    with torch.no_grad():
        keep = ((coordinates >= 0) & (coordinates <= size - 1)).all(-1).nonzero()[:, 0]
        cell = coordinates[keep].floor()
        order = torch.argsort(cell[:, 2] * shape[1] + cell[:, 1])
    chosen = keep[order]
    return coordinates[chosen], weights[chosen]
