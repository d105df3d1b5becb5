"""Vitreous ice: mean inner potential, absorption, the solvent that atoms displace."""

import torch
from torch import Tensor

from difftem.constants.physical import AVOGADRO_CONSTANT, POTENTIAL_CONSTANT
from difftem.constants.scattering import scattering_table
from difftem.functional.beam import interaction_constant, relative_velocity
from difftem.functional.cross_section import total_cross_section

# Low-density amorphous ice: 0.93 to 0.94 (Mishima, Calvert & Whalley, Nature 314 (1985) 76).
ICE_DENSITY_G_PER_CM3 = 0.93
WATER_G_PER_MOL = 18.01528
ICE_MOLECULES_PER_A3 = 0.0335  # 33.5 per nm³, density 1.0 g/cm³ as TEM-simulator has it
REFERENCE_ENERGY_EV = 3e5
MEAN_FREE_PATH = 3000.0  # Å, at 300 kV
AMPLITUDE_CONTRAST = 0.07  # of proteins in ice at 300 kV


def ice_molecules_per_a3(
    density_g_per_cm3: float = ICE_DENSITY_G_PER_CM3,
) -> float:
    """Count the water molecules in a cubic ångström of ice, 0.0311 at 0.93 g/cm³.

    Examples
    --------
    >>> from difftem.functional.solvent import ice_molecules_per_a3
    >>> round(ice_molecules_per_a3(0.93), 4)
    0.0311
    """
    return density_g_per_cm3 * 1e-24 * AVOGADRO_CONSTANT / WATER_G_PER_MOL


def ice_potential(
    molecules_per_a3: float,  # 1/Å³
) -> float:
    r"""Mean inner potential of vitreous ice as independent atoms, 4.526 V at 0.93 g/cm³.

    .. math:: V_0 = c\, n\, (f_O(0) + 2 f_H(0))

    with Peng's scattering factors.

    Parameters
    ----------
    molecules_per_a3 : float
        n, from `ice_molecules_per_a3`; TEM-simulator's ice has `ICE_MOLECULES_PER_A3` (4.877 V).

    Returns
    -------
    float
        In V.

    References
    ----------
    Rullgård et al., J. Microscopy 243 (2011) 234, section 2.

    Examples
    --------
    >>> from difftem.functional.solvent import ice_molecules_per_a3, ice_potential
    >>> round(ice_potential(ice_molecules_per_a3()), 3)  # V
    4.526
    """
    amplitudes = scattering_table("peng").parameters[..., 0].sum(-1)
    molecule = float(amplitudes[8] + 2 * amplitudes[1])
    return POTENTIAL_CONSTANT * molecules_per_a3 * molecule


def ice_mean_free_path(
    energy: Tensor,  # (...) eV
) -> Tensor:  # (...) Å
    r"""Path in ice over which the zero-loss intensity falls by 1/e, as it is measured.

    .. math:: \Lambda(E) = 300\,\mathrm{nm}\; \frac{\beta^2(E)}{\beta^2(300\,\mathrm{keV})}

    150 nm at 100 kV, 171 nm at 120 kV, 241 nm at 200 kV: cross sections fall as the squared
    velocity. What depends on the aperture and the energy window is not in it.

    Parameters
    ----------
    energy : Tensor
        Beam energy in eV.

    Returns
    -------
    Tensor
        In Å.

    References
    ----------
    Reimer & Kohl, Transmission Electron Microscopy (2008), section 5.2, for the velocity; Grimm
    et al., Ultramicroscopy 63 (1996) 169 (200 nm at 120 kV) and Rice et al., J. Struct. Biol. 204
    (2018) 38 (395 nm at 300 kV), between which this lies. Peet, Henderson & Russo,
    Ultramicroscopy 203 (2019) 125: carbon's elastic cross section is 2.01 times larger at 100 kV
    than at 300 kV; β² says 2.007.

    Examples
    --------
    >>> import torch
    >>> from difftem.functional.solvent import ice_mean_free_path
    >>> paths = ice_mean_free_path(torch.tensor([100e3, 200e3, 300e3]))
    >>> [round(path.item() / 10) for path in paths]  # nm
    [150, 241, 300]
    """
    slower = relative_velocity(energy) / _reference_velocity(energy)
    return MEAN_FREE_PATH * slower**2


def ice_amplitude_contrast(
    energy: Tensor,  # (...) eV
) -> Tensor:  # (...)
    r"""Fraction of a protein's potential that absorbs, in ice.

    .. math:: a(E) = 0.07\; \frac{\beta(300\,\mathrm{keV})}{\beta(E)}

    0.099 at 100 kV, 0.078 at 200 kV: an absorbing potential is :math:`V_i = n \sigma_t / 2 \sigma`
    with cross sections :math:`\sigma_t \sim \beta^{-2}` and the interaction constant
    :math:`\sigma = e / \hbar v \sim \beta^{-1}`, beside a real potential that is the same.

    Parameters
    ----------
    energy : Tensor
        Beam energy in eV.

    Returns
    -------
    Tensor
        a.

    References
    ----------
    Reimer & Kohl, Transmission Electron Microscopy (2008), section 5.2; 0.07 at 300 kV is
    customary for proteins in ice.

    Examples
    --------
    >>> import torch
    >>> from difftem.functional.solvent import ice_amplitude_contrast
    >>> [round(a.item(), 3) for a in ice_amplitude_contrast(torch.tensor([100e3, 200e3, 300e3]))]
    [0.099, 0.078, 0.07]
    """
    return AMPLITUDE_CONTRAST * _reference_velocity(energy) / relative_velocity(energy)


def _reference_velocity(energy: Tensor) -> Tensor:  # ()
    """Velocity at 300 kV, relative to light, in the type of `energy`."""
    return relative_velocity(torch.full((), REFERENCE_ENERGY_EV).to(energy))


def ice_absorption_potential(
    energy: Tensor,  # () eV
    molecules_per_a3: float = ICE_MOLECULES_PER_A3,
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
    molecules_per_a3 : float
        n. Default: TEM-simulator's ice.

    Returns
    -------
    Tensor
        In V.

    References
    ----------
    Rullgård et al., J. Microscopy 243 (2011) 234, section 2.

    Examples
    --------
    >>> import torch
    >>> from difftem.functional.solvent import ice_absorption_potential
    >>> round(ice_absorption_potential(torch.tensor(200e3)).item(), 3)  # V
    0.824
    """
    molecule = total_cross_section(8, energy) + 2 * total_cross_section(1, energy)
    return molecules_per_a3 * molecule / (2 * interaction_constant(energy))


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

    Examples
    --------
    >>> import torch
    >>> from difftem.functional.solvent import absorption_from_mean_free_path
    >>> path, sigma = torch.tensor(3000.0), torch.tensor(6.53e-4)  # Å, and rad/(V Å) at 300 kV
    >>> round(absorption_from_mean_free_path(path, sigma).item(), 3)  # V
    0.255
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

    Examples
    --------
    >>> import torch
    >>> from difftem.functional.solvent import slab_transmission
    >>> ice = torch.tensor([3000.0, 0.5, 4.53, 0.255, 6.53e-4])  # a free path deep, tilted by 60°
    >>> round(slab_transmission(*ice).abs().square().item(), 3)  # e⁻²
    0.136
    """
    if bool((cosine <= 1e-3).any()):
        raise ValueError("a slab must be tilted by less than 90°")
    path = thickness / cosine
    return torch.polar(torch.exp(-sigma * absorption * path), sigma * potential * path)
