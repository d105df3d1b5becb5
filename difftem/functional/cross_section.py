"""Cross sections of atoms for the electrons of a beam."""

import math

import torch
from torch import Tensor

from difftem.constants.physical import BOHR_RADIUS, ELECTRON_REST_ENERGY_EV
from difftem.functional.beam import wavelength

INELASTIC_ENERGY_PER_Z_EV = 13.5  # Reimer's mean energy loss, per atomic number


def total_cross_section(
    atomic_number: int,
    energy: Tensor,  # () eV
) -> Tensor:  # () Å²
    r"""Elastic plus inelastic cross section of an atom (Lenz model).

    Parameters
    ----------
    atomic_number : int
        Z.
    energy : Tensor
        Beam energy in eV.

    Returns
    -------
    Tensor
        In Å².

    References
    ----------
    Reimer & Kohl, Transmission Electron Microscopy (2008), section 5.2; Rullgård et al.,
    J. Microscopy 243 (2011) 234.

    Examples
    --------
    >>> import torch
    >>> from difftem.functional.cross_section import total_cross_section
    >>> [round(total_cross_section(6, torch.tensor(kv * 1e3)).item(), 4) for kv in (100, 300)]  # Å²
    [0.0243, 0.0132]
    """
    z = float(atomic_number)
    k = 2 * math.pi / wavelength(energy)
    gamma = 1 + energy / ELECTRON_REST_ENERGY_EV
    elastic = 4 * math.pi * z ** (4 / 3) * (gamma / k) ** 2
    theta0_squared = (z ** (1 / 3) / (k * BOHR_RADIUS)) ** 2
    theta_e_squared = (INELASTIC_ENERGY_PER_Z_EV * z / (4 * energy)) ** 2
    gap = theta0_squared - theta_e_squared
    prefactor = 4 * math.pi * z / gap * (gamma / (k**2 * BOHR_RADIUS * gap)) ** 2
    bracket = (
        -3 * theta0_squared**2
        + 4 * theta0_squared * theta_e_squared
        - theta_e_squared**2
        + 2 * theta0_squared**2 * torch.log(theta0_squared / theta_e_squared)
    )
    return elastic + prefactor * bracket
