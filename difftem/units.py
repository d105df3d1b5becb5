"""Unit conversion at the border: inside, length is Å, angle is rad and energy is eV.

Every function takes a float or a tensor, returns the same kind and is differentiable.
"""

import math
from typing import TypeVar

from torch import Tensor

Quantity = TypeVar("Quantity", float, Tensor)

ANGSTROM_PER_NM = 1e1
ANGSTROM_PER_UM = 1e4
ANGSTROM_PER_MM = 1e7
RAD_PER_MRAD = 1e-3
RAD_PER_DEG = math.pi / 180
EV_PER_KEV = 1e3


def nm_to_angstrom(length_nm: Quantity) -> Quantity:
    """Convert nanometres to Å.

    Examples
    --------
    >>> from difftem.units import nm_to_angstrom
    >>> nm_to_angstrom(30.0)
    300.0
    """
    return length_nm * ANGSTROM_PER_NM


def um_to_angstrom(length_um: Quantity) -> Quantity:
    """Convert micrometres to Å, as for a defocus.

    Examples
    --------
    >>> from difftem.units import um_to_angstrom
    >>> um_to_angstrom(1.5)
    15000.0
    """
    return length_um * ANGSTROM_PER_UM


def mm_to_angstrom(length_mm: Quantity) -> Quantity:
    """Convert millimetres to Å, as for Cs and Cc.

    Examples
    --------
    >>> from difftem.units import mm_to_angstrom
    >>> mm_to_angstrom(2.7)
    27000000.0
    """
    return length_mm * ANGSTROM_PER_MM


def mrad_to_rad(angle_mrad: Quantity) -> Quantity:
    """Convert milliradians to radians.

    Examples
    --------
    >>> from difftem.units import mrad_to_rad
    >>> mrad_to_rad(10.0)
    0.01
    """
    return angle_mrad * RAD_PER_MRAD


def deg_to_rad(angle_deg: Quantity) -> Quantity:
    """Convert degrees to radians.

    Examples
    --------
    >>> from difftem.units import deg_to_rad
    >>> round(deg_to_rad(60.0), 4)
    1.0472
    """
    return angle_deg * RAD_PER_DEG


def kev_to_ev(energy_kev: Quantity) -> Quantity:
    """Convert keV to eV; an electron accelerated by U kV has U keV.

    Examples
    --------
    >>> from difftem.units import kev_to_ev
    >>> kev_to_ev(300.0)
    300000.0
    """
    return energy_kev * EV_PER_KEV


def angstrom_to_nm(length: Quantity) -> Quantity:
    """Convert Å to nanometres.

    Examples
    --------
    >>> import torch
    >>> from difftem.units import angstrom_to_nm
    >>> angstrom_to_nm(torch.tensor([300.0, 500.0])).tolist()
    [30.0, 50.0]
    """
    return length / ANGSTROM_PER_NM


def angstrom_to_um(length: Quantity) -> Quantity:
    """Convert Å to micrometres.

    Examples
    --------
    >>> from difftem.units import angstrom_to_um
    >>> angstrom_to_um(15000.0)
    1.5
    """
    return length / ANGSTROM_PER_UM


def rad_to_mrad(angle: Quantity) -> Quantity:
    """Convert radians to milliradians.

    Examples
    --------
    >>> from difftem.units import rad_to_mrad
    >>> rad_to_mrad(0.01)
    10.0
    """
    return angle / RAD_PER_MRAD


def rad_to_deg(angle: Quantity) -> Quantity:
    """Convert radians to degrees.

    Examples
    --------
    >>> import math
    >>> from difftem.units import rad_to_deg
    >>> rad_to_deg(math.pi / 2)
    90.0
    """
    return angle / RAD_PER_DEG


def per_nm2_to_per_angstrom2(density_per_nm2: Quantity) -> Quantity:
    """Convert a density per nm² to per Å², as for a dose in electrons.

    Examples
    --------
    >>> from difftem.units import per_nm2_to_per_angstrom2
    >>> per_nm2_to_per_angstrom2(3000.0)  # electrons
    30.0
    """
    return density_per_nm2 / ANGSTROM_PER_NM**2
