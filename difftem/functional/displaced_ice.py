"""Ice that atoms displace, as lengths along the beam."""

import math

import torch
from torch import Tensor

from difftem.functional.radial_basis import compress
from difftem.functional.species import RADIAL_STEP, SpeciesBasis

TOLERANCE = 1e-3


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
    """
    elements, index = torch.unique(atomic_numbers, return_inverse=True)
    n_radial = int(max_frequency / RADIAL_STEP) + 4
    q = RADIAL_STEP * torch.arange(n_radial, dtype=torch.float64, device=atomic_numbers.device)
    volume = displaced_volume.to(q)[elements, None]
    spheres = volume * torch.exp(-math.pi * volume ** (2 / 3) * q**2)
    radial, expansion = compress(spheres, torch.sqrt(q + q[1] / 8), TOLERANCE)
    return SpeciesBasis(q, radial, expansion.to(occupancies)[index] * occupancies[:, None])
