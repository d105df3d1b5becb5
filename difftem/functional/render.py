"""The potential in three dimensions, and a slow sum of Gaussians as its reference."""

import math

import torch
from torch import Tensor

from difftem.constants.physical import POTENTIAL_CONSTANT
from difftem.constants.scattering import scattering_table
from difftem.functional.potential import basis_filter, spread_band
from difftem.functional.sampling import good_fft_size
from difftem.functional.species import SpeciesBasis
from difftem.functional.spread import spread_deltas
from difftem.functional.wave import complex_dtype

# Spreading in three dimensions costs the kernel's width to the third power: in a wider band, atoms
# are spread on a grid so much finer that six pixels are enough.
SPREAD_BAND = 0.67
# Points of the grids that are held at a time, at some 24 bytes each.
GROUP_POINTS = 20_000_000


def render_potential(
    positions: Tensor,  # (n_atoms, 3) Å
    basis: SpeciesBasis,
    shape: tuple[int, int, int],
    voxel_size: float,  # Å
    band_limit: float = 2 / 3,
    taper: float = 0.01,
) -> Tensor:  # (nz, ny, nx) V
    """Electrostatic potential on a voxel grid whose centre (voxel ``n // 2``) is the origin.

    Parameters
    ----------
    positions : Tensor
        x, y, z in Å, shape ``(n_atoms, 3)``; wrapped into the box.
    basis : SpeciesBasis
        From `difftem.functional.species.species_basis`, up to ``band_limit / 2 / voxel_size``.
    shape : tuple of int
        ``(nz, ny, nx)`` voxels.
    voxel_size : float
        In Å.
    band_limit, taper : float
        As in `difftem.functional.grid.band_limit_mask`; the map is smooth at this resolution.

    Returns
    -------
    Tensor
        In V, shape ``(nz, ny, nx)``, dtype of `positions`.

    Examples
    --------
    >>> import torch
    >>> from difftem.constants import scattering_table
    >>> from difftem.functional.render import render_potential
    >>> from difftem.functional.species import species_basis
    >>> carbon, b_factor, occupancy = torch.tensor([6]), torch.tensor([20.0]), torch.ones(1)
    >>> basis = species_basis(carbon, b_factor, occupancy, 0.35, scattering_table("peng"))
    >>> potential = render_potential(torch.zeros(1, 3), basis, (16, 16, 16), voxel_size=1.0)
    >>> round(potential.sum().item() / 47.878, 2)  # f(0) in Å
    2.51
    """
    fine = tuple(_spread_size(n, band_limit) for n in shape)
    scale = torch.tensor([m / n for m, n in zip(reversed(fine), reversed(shape), strict=True)])
    center = torch.tensor([n // 2 for n in reversed(shape)]).to(positions)
    coordinates = (positions / voxel_size + center) * scale.to(positions)
    coefficients = basis.coefficients.to(positions)
    band = spread_band(shape, fine, band_limit)
    total = torch.zeros((), dtype=complex_dtype(positions.dtype), device=positions.device)
    for some in basis_groups(len(basis.radial), math.prod(fine)):
        grid = spread_deltas(coordinates, coefficients[:, some].contiguous(), fine, band)
        spectrum = torch.fft.rfftn(grid, dim=(-3, -2, -1))[..., : shape[2] // 2 + 1]
        del grid
        for axis, n in ((-3, shape[0]), (-2, shape[1])):
            if spectrum.shape[axis] != n:  # a finer grid's spectrum has more than is needed
                kept = torch.fft.fftfreq(n, 1 / n).long() % spectrum.shape[axis]
                spectrum = spectrum.index_select(axis, kept.to(spectrum.device))
        radial, dtype = basis.radial[some], positions.dtype
        filters = basis_filter(
            radial, basis.frequency, shape, voxel_size, band_limit, taper, dtype, fine
        )
        total = total + (spectrum * filters).sum(0)
    return torch.fft.irfftn(total, s=shape)


def basis_groups(n_basis: int, points: int) -> list[slice]:
    """Radial functions that are spread together: those of a large grid one after the other.

    Examples
    --------
    >>> from difftem.functional.render import basis_groups
    >>> len(basis_groups(6, 64**3)), len(basis_groups(6, 512**3))
    (1, 6)
    """
    size = max(1, GROUP_POINTS // points)
    return [slice(start, start + size) for start in range(0, n_basis, size)]


def _spread_size(n: int, band_limit: float) -> int:
    """Points of the grid on which to spread for n voxels."""
    return (
        n if band_limit <= SPREAD_BAND else good_fft_size(math.ceil(n * band_limit / SPREAD_BAND))
    )


def bounding_radius(
    volume: Tensor,  # (nz, ny, nx) V
    voxel_size: float,  # Å
    center: tuple[float, float, float] = (0.0, 0.0, 0.0),  # Å
    threshold: float = 1e-4,
) -> float:  # Å
    """Radius of the sphere about a point that holds everything above a part of the maximum.

    Parameters
    ----------
    volume : Tensor
        Real or complex.
    voxel_size : float
        In Å.
    center : tuple of float
        x, y, z of the point in Å from voxel ``n // 2``.
    threshold : float
        Part of the largest modulus.

    Returns
    -------
    float
        In Å, half a voxel's diagonal included; 0 for an empty volume.

    Examples
    --------
    >>> import torch
    >>> from difftem.functional.render import bounding_radius
    >>> volume = torch.zeros(9, 9, 9)
    >>> volume[4, 4, 7] = 1.0  # three voxels from the middle
    >>> round(bounding_radius(volume, voxel_size=2.0), 3)  # 6 Å and half of a voxel's diagonal
    7.732
    """
    modulus = volume.detach().abs()
    occupied = modulus > threshold * modulus.max()
    if not bool(occupied.any()):
        return 0.0
    squared = torch.zeros((), dtype=torch.float64, device=volume.device)
    for axis, middle in zip((2, 1, 0), center, strict=True):
        n = volume.shape[axis]
        x = (torch.arange(n, dtype=torch.float64, device=volume.device) - n // 2) * voxel_size
        shape = [-1 if other == axis else 1 for other in range(3)]
        squared = squared + ((x - middle) ** 2).reshape(shape)
    farthest = float((squared * occupied).max())
    return math.sqrt(farthest) + math.sqrt(3) / 2 * voxel_size


def gaussian_projection(
    positions: Tensor,  # (n_atoms, 3) Å
    atomic_numbers: Tensor,  # (n_atoms,)
    b_factors: Tensor,  # (n_atoms,) Å²
    occupancies: Tensor,  # (n_atoms,)
    x: Tensor,  # (nx,) Å
    y: Tensor,  # (ny,) Å
) -> Tensor:  # (ny, nx) V Å
    r"""Projected potential as a plain sum of Peng's Gaussians: slow, and the oracle.

    .. math:: v(\rho) = \sum_a o_a \sum_i c\, a_i \frac{4\pi}{b_i + B_a}
              e^{-4\pi^2 \rho^2 / (b_i + B_a)}

    Parameters
    ----------
    positions, atomic_numbers, b_factors, occupancies : Tensor
        The atoms.
    x, y : Tensor
        Coordinates at which to evaluate, in Å.

    Returns
    -------
    Tensor
        In V Å, shape ``(ny, nx)``, without any band limit.

    References
    ----------
    Peng, Ren, Dudarev & Whelan, Acta Cryst. A52 (1996) 257.

    Examples
    --------
    >>> import torch
    >>> from difftem.functional.render import gaussian_projection
    >>> x = torch.linspace(-8.0, 8.0, 65, dtype=torch.float64)  # Å, 0.25 Å apart
    >>> carbon, b_factor, one = torch.tensor([6]), torch.tensor([20.0]), torch.ones(1)
    >>> potential = gaussian_projection(torch.zeros(1, 3).double(), carbon, b_factor, one, x, x)
    >>> round(potential.sum().item() * 0.25**2 / 47.878, 2)  # f(0) in Å
    2.51
    """
    parameters = scattering_table("peng").parameters.to(positions)[atomic_numbers]
    amplitude, width = parameters[..., 0], parameters[..., 1] + b_factors[:, None]  # (n_atoms, 5)
    dx2 = (x - positions[:, 0, None]) ** 2  # (n_atoms, nx)
    dy2 = (y - positions[:, 1, None]) ** 2
    height = occupancies[:, None] * POTENTIAL_CONSTANT * amplitude * 4 * math.pi / width
    along_x = torch.exp(-4 * math.pi**2 / width[..., None] * dx2[:, None])  # (n, 5, nx)
    along_y = torch.exp(-4 * math.pi**2 / width[..., None] * dy2[:, None])
    return torch.einsum("ai,aiy,aix->yx", height, along_y, along_x)
