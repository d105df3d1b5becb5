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
    """Convert nanometres to Å."""
    return length_nm * ANGSTROM_PER_NM


def um_to_angstrom(length_um: Quantity) -> Quantity:
    """Convert micrometres to Å, as for a defocus."""
    return length_um * ANGSTROM_PER_UM


def mm_to_angstrom(length_mm: Quantity) -> Quantity:
    """Convert millimetres to Å, as for Cs and Cc."""
    return length_mm * ANGSTROM_PER_MM


def mrad_to_rad(angle_mrad: Quantity) -> Quantity:
    """Convert milliradians to radians."""
    return angle_mrad * RAD_PER_MRAD


def deg_to_rad(angle_deg: Quantity) -> Quantity:
    """Convert degrees to radians."""
    return angle_deg * RAD_PER_DEG


def kev_to_ev(energy_kev: Quantity) -> Quantity:
    """Convert keV to eV; an electron accelerated by U kV has U keV."""
    return energy_kev * EV_PER_KEV


def angstrom_to_nm(length: Quantity) -> Quantity:
    """Convert Å to nanometres."""
    return length / ANGSTROM_PER_NM


def angstrom_to_um(length: Quantity) -> Quantity:
    """Convert Å to micrometres."""
    return length / ANGSTROM_PER_UM


def rad_to_mrad(angle: Quantity) -> Quantity:
    """Convert radians to milliradians."""
    return angle / RAD_PER_MRAD


def rad_to_deg(angle: Quantity) -> Quantity:
    """Convert radians to degrees."""
    return angle / RAD_PER_DEG


def per_nm2_to_per_angstrom2(density_per_nm2: Quantity) -> Quantity:
    """Convert a density per nm² to per Å², as for a dose in electrons."""
    return density_per_nm2 / ANGSTROM_PER_NM**2
