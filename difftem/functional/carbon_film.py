"""Amorphous carbon: what the atoms of a support film add to an image."""

import torch
from torch import Tensor

from difftem.constants.amorphous import CARBON_STRUCTURE
from difftem.constants.physical import POTENTIAL_CONSTANT
from difftem.constants.scattering import scattering_table
from difftem.functional.film import CARBON_ATOMS_PER_A3
from difftem.functional.form_factor import scattering_factor
from difftem.functional.structure_factor import structure_factor


def carbon_power(
    frequency: Tensor,  # (...) 1/Å
    thickness: float | Tensor,  # Å
    atoms_per_a3: float | Tensor = CARBON_ATOMS_PER_A3,
) -> Tensor:  # (...) V² Å⁴
    r"""Power spectrum of the projected potential of a film of amorphous carbon.

    .. math:: P(q) = n\, t\, \left[K f_C(q)\right]^2 S(q)

    with K = 47.878 V Å², n atoms per Å³ and thickness t. Unlike ice the film stays as it is while
    it is exposed.

    Parameters
    ----------
    frequency : Tensor
        q = 1/d in 1/Å.
    thickness : float or Tensor
        t along the beam in Å.
    atoms_per_a3 : float or Tensor
        n in 1/Å³. Default: 0.1, 2.0 g/cm³.

    Returns
    -------
    Tensor
        In V² Å² per (1/Å)²; the variance of the projected potential is its integral over d²q.

    References
    ----------
    McMullan, Vinothkumar & Henderson, Ultramicroscopy 158 (2015) 26, for carbon that stays.

    Examples
    --------
    >>> import torch
    >>> from difftem.functional.carbon_film import carbon_power
    >>> q = torch.linspace(0, 1, 1001)  # 1/Å
    >>> power = carbon_power(q, thickness=100.0)
    >>> variance = torch.trapezoid(2 * torch.pi * q * power, q)
    >>> round(variance.sqrt().item())  # V Å down to 1 Å, beside a mean of 1200 V Å
    240
    """
    carbon = torch.tensor([6], device=frequency.device)
    factor = scattering_factor(frequency.flatten(), carbon, scattering_table("peng"))
    amplitude = POTENTIAL_CONSTANT * factor.view(frequency.shape)
    return atoms_per_a3 * thickness * amplitude**2 * structure_factor(frequency, CARBON_STRUCTURE)
