"""Vitreous ice: mean inner potential, absorption, the solvent that atoms displace."""

import math

import torch
from torch import Tensor

from difftem.constants.physical import (
    BOHR_RADIUS,
    ELECTRON_REST_ENERGY_EV,
    POTENTIAL_CONSTANT,
)
from difftem.constants.scattering import scattering_table
from difftem.functional.beam import interaction_constant, wavelength

ICE_MOLECULES_PER_A3 = 0.0335  # 33.5 per nm³, density 1.0 g/cm³ as TEM-simulator has it
INELASTIC_ENERGY_PER_Z_EV = 13.5  # Reimer's mean energy loss, per atomic number


def ice_potential() -> float:
    r"""Mean inner potential of vitreous ice as independent atoms, 4.877 V.

    .. math:: V_0 = c\, n\, (f_O(0) + 2 f_H(0))

    with Peng's scattering factors and 33.5 molecules/nm³.

    Returns
    -------
    float
        In V.

    References
    ----------
    Rullgård et al., J. Microscopy 243 (2011) 234, section 2.
    """
    amplitudes = scattering_table("peng").parameters[..., 0].sum(-1)
    molecule = float(amplitudes[8] + 2 * amplitudes[1])
    return POTENTIAL_CONSTANT * ICE_MOLECULES_PER_A3 * molecule


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


def ice_absorption_potential(
    energy: Tensor,  # () eV
) -> Tensor:  # () V
    r"""Imaginary potential of ice that removes every scattered electron from the wave.

    .. math:: V_i = \frac{n\,\sigma_\mathrm{tot}}{2 \sigma(E)}

    so that the intensity falls as :math:`e^{-n \sigma_\mathrm{tot} z}` (83 nm at 200 kV). It is
    an upper limit of the loss: electrons that stay inside the aperture and the energy window
    still arrive, and measured mean free paths with a filter are 200-400 nm.

    Parameters
    ----------
    energy : Tensor
        Beam energy in eV.

    Returns
    -------
    Tensor
        In V.

    References
    ----------
    Rullgård et al., J. Microscopy 243 (2011) 234, section 2.
    """
    molecule = total_cross_section(8, energy) + 2 * total_cross_section(1, energy)
    return ICE_MOLECULES_PER_A3 * molecule / (2 * interaction_constant(energy))


def absorption_from_mean_free_path(
    mean_free_path: Tensor,  # (...) Å
    sigma: Tensor,  # () rad / (V Å)
) -> Tensor:  # (...) V
    r"""Imaginary potential that damps the intensity by 1/e over a mean free path.

    .. math:: V_i = \frac{1}{2 \sigma \Lambda}

    Parameters
    ----------
    mean_free_path : Tensor
        Λ in Å.
    sigma : Tensor
        Interaction constant in rad/(V Å).

    Returns
    -------
    Tensor
        In V.
    """
    return 1 / (2 * sigma * mean_free_path)


def slab_transmission(
    thickness: Tensor,  # (...) Å
    cosine: Tensor,  # (...)
    potential: Tensor,  # () V
    absorption: Tensor,  # () V
    sigma: Tensor,  # () rad / (V Å)
) -> Tensor:  # (...) complex
    r"""Transmission of a plane slab of uniform complex potential.

    .. math:: t = e^{i \sigma (V_0 + i V_i) d / \cos\theta}

    Parameters
    ----------
    thickness : Tensor
        d in Å along the slab normal.
    cosine : Tensor
        cos θ of the angle between normal and beam.
    potential, absorption : Tensor
        Real and imaginary mean inner potential in V.
    sigma : Tensor
        Interaction constant in rad/(V Å).

    Returns
    -------
    Tensor
        Complex factor for the wave.

    Raises
    ------
    ValueError
        If a tilt reaches 90°.
    """
    if bool((cosine <= 1e-3).any()):
        raise ValueError("a slab must be tilted by less than 90°")
    path = thickness / cosine
    return torch.polar(torch.exp(-sigma * absorption * path), sigma * potential * path)
