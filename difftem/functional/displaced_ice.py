"""Ice that atoms and particles displace."""

import math

import torch
from torch import Tensor

from difftem.functional.grid import frequency_grid, radius
from difftem.functional.radial_basis import compress
from difftem.functional.species import RADIAL_STEP, SpeciesBasis

TOLERANCE = 1e-3
BLUR = 2.5  # Å, standard deviation that bridges the atoms of a map


def displaced_basis(
    atomic_numbers: Tensor,  # (n_atoms,)
    occupancies: Tensor,  # (n_atoms,)
    max_frequency: float,  # 1/Å
    displaced_volume: Tensor,  # (n_elements,) Å³, indexed by Z
) -> SpeciesBasis:
    r"""Expand the volumes that atoms displace, Gaussian spheres, in a small common basis.

    .. math:: D_a(q) = o_a \vartheta_{Z_a} e^{-\pi \vartheta_{Z_a}^{2/3} q^2}

    Parameters
    ----------
    atomic_numbers : Tensor
        Integers, shape ``(n_atoms,)``.
    occupancies : Tensor
        Shape ``(n_atoms,)``.
    max_frequency : float
        Largest radial frequency that is needed, in 1/Å.
    displaced_volume : Tensor
        Of an atom of each element, in Å³.

    Returns
    -------
    SpeciesBasis
        As that of a potential, with coefficients in Å³: slices made of it are lengths in Å.

    References
    ----------
    Fraser, MacRae & Suzuki, J. Appl. Cryst. 11 (1978) 693.

    Examples
    --------
    >>> import torch
    >>> from difftem.functional.displaced_ice import displaced_basis
    >>> volume = torch.zeros(9)
    >>> volume[[6, 8]] = torch.tensor([16.44, 9.13])  # Å³ of C and O
    >>> basis = displaced_basis(torch.tensor([6, 8]), torch.tensor([1.0, 0.5]), 0.7, volume)
    >>> basis.coefficients @ basis.radial[:, 0].float()  # at q = 0: volume times occupancy
    tensor([16.4400,  4.5650])
    """
    elements, index = torch.unique(atomic_numbers, return_inverse=True)
    n_radial = int(max_frequency / RADIAL_STEP) + 4
    q = RADIAL_STEP * torch.arange(n_radial, dtype=torch.float64, device=atomic_numbers.device)
    volume = displaced_volume.to(q)[elements, None]
    spheres = volume * torch.exp(-math.pi * volume ** (2 / 3) * q**2)
    radial, expansion = compress(spheres, torch.sqrt(q + q[1] / 8), TOLERANCE)
    return SpeciesBasis(q, radial, expansion.to(occupancies)[index] * occupancies[:, None])


def displaced_share(
    volume: Tensor,  # (nz, ny, nx) V, real or complex
    voxel_size: float,  # Å
) -> Tensor:  # (nz, ny, nx)
    """Guess from a particle's map, which is 0 in ice, how much of each voxel it takes.

    Where the magnitude, blurred over a few Å, is above half of what it is inside, the particle is;
    hollows filled with ice stay ice.

    Parameters
    ----------
    volume : Tensor
        Potential less that of ice, in V, shape ``(nz, ny, nx)``.
    voxel_size : float
        In Å.

    Returns
    -------
    Tensor
        Between 0 and 1, the edge `BLUR` wide; real, in the precision of `volume`.

    Examples
    --------
    >>> import torch
    >>> from difftem.functional.displaced_ice import displaced_share
    >>> axis = torch.arange(-8.0, 8.0) * 4
    >>> r = torch.sqrt(axis[:, None, None] ** 2 + axis[:, None] ** 2 + axis**2)
    >>> share = displaced_share(2.0 * (r < 16), voxel_size=4.0)  # a ball of 2 V
    >>> share[8, 8, 8].item(), share[8, 8, 0].item()  # in its middle, and in the ice
    (1.0, 0.0)
    """
    magnitude = volume.abs()
    if not bool((magnitude > 0).any()):
        return torch.zeros_like(magnitude)
    shape = (volume.shape[0], volume.shape[1], volume.shape[2])
    q2 = radius(frequency_grid(shape, voxel_size, half=True, device=volume.device)) ** 2
    blur = torch.exp(-2 * (math.pi * BLUR) ** 2 * q2).to(magnitude)
    smooth = torch.fft.irfftn(torch.fft.rfftn(magnitude) * blur, s=shape)
    inside = (smooth**3).sum() / smooth.square().sum()  # the edges count little
    return (2 * smooth / inside - 0.5).clamp(0, 1)
