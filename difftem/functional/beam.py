"""The electron beam: wavelength and interaction constant from the beam energy."""

import math

import torch
from torch import Tensor

from difftem.constants.physical import (
    ELECTRON_REST_ENERGY_EV,
    PLANCK_TIMES_C_EV_ANGSTROM,
)


def wavelength(
    energy: Tensor,  # (...) eV
) -> Tensor:  # (...) Å
    r"""Relativistic de Broglie wavelength of the beam electrons.

    .. math:: \lambda = \frac{h c}{\sqrt{E (E + 2 m_0 c^2)}}

    Parameters
    ----------
    energy : Tensor
        Kinetic energy in eV, shape ``(...)``.

    Returns
    -------
    Tensor
        Wavelength in Å, shape ``(...)``, dtype of `energy`.

    References
    ----------
    Kirkland, Advanced Computing in Electron Microscopy (2010), chapter 2.

    Examples
    --------
    >>> import torch
    >>> from difftem.functional.beam import wavelength
    >>> wavelength(torch.tensor([100e3, 200e3, 300e3]))  # Å
    tensor([0.0370, 0.0251, 0.0197])
    """
    return PLANCK_TIMES_C_EV_ANGSTROM / torch.sqrt(energy * (energy + 2 * ELECTRON_REST_ENERGY_EV))


def relative_velocity(
    energy: Tensor,  # (...) eV
) -> Tensor:  # (...)
    r"""Velocity of the beam electrons over that of light.

    .. math:: \beta = \frac{v}{c} = \frac{\sqrt{E (E + 2 m_0 c^2)}}{E + m_0 c^2}

    Parameters
    ----------
    energy : Tensor
        Kinetic energy in eV, shape ``(...)``.

    Returns
    -------
    Tensor
        β in (0, 1), shape ``(...)``.

    References
    ----------
    Kirkland, Advanced Computing in Electron Microscopy (2010), chapter 2.

    Examples
    --------
    >>> import torch
    >>> from difftem.functional.beam import relative_velocity
    >>> relative_velocity(torch.tensor([100e3, 200e3, 300e3]))
    tensor([0.5482, 0.6953, 0.7765])
    """
    rest = ELECTRON_REST_ENERGY_EV
    return torch.sqrt(energy * (energy + 2 * rest)) / (energy + rest)


def interaction_constant(
    energy: Tensor,  # (...) eV
) -> Tensor:  # (...) rad / (V Å)
    r"""Phase shift per volt and ångström of projected potential.

    .. math:: \sigma = \frac{2 \pi}{\lambda E} \frac{m_0 c^2 + E}{2 m_0 c^2 + E}

    which equals :math:`2 \pi m e \lambda / h^2` with the relativistic mass :math:`m`.

    Parameters
    ----------
    energy : Tensor
        Kinetic energy in eV, shape ``(...)``.

    Returns
    -------
    Tensor
        Interaction constant in rad/(V Å), shape ``(...)``.

    References
    ----------
    Kirkland, Advanced Computing in Electron Microscopy (2010), chapter 5.

    Examples
    --------
    >>> import torch
    >>> from difftem.functional.beam import interaction_constant
    >>> 1e3 * interaction_constant(torch.tensor([100e3, 200e3, 300e3]))  # rad per kV and Å
    tensor([0.9244, 0.7288, 0.6526])
    """
    rest = ELECTRON_REST_ENERGY_EV
    ratio = (rest + energy) / (2 * rest + energy)
    return 2 * math.pi * ratio / (wavelength(energy) * energy)
