"""Numbers of nature: physical constants and the scattering factors of the elements."""

from difftem.constants.physical import (
    AVOGADRO_CONSTANT,
    BOHR_RADIUS,
    ELECTRON_MASS,
    ELECTRON_REST_ENERGY_EV,
    ELEMENTARY_CHARGE,
    PLANCK_CONSTANT,
    PLANCK_TIMES_C_EV_ANGSTROM,
    POTENTIAL_CONSTANT,
    SPEED_OF_LIGHT,
)
from difftem.constants.scattering import (
    ELEMENT_SYMBOLS,
    ScatteringTable,
    TableName,
    atomic_number,
    scattering_table,
)

__all__ = [
    "AVOGADRO_CONSTANT",
    "BOHR_RADIUS",
    "ELECTRON_MASS",
    "ELECTRON_REST_ENERGY_EV",
    "ELEMENTARY_CHARGE",
    "ELEMENT_SYMBOLS",
    "PLANCK_CONSTANT",
    "PLANCK_TIMES_C_EV_ANGSTROM",
    "POTENTIAL_CONSTANT",
    "SPEED_OF_LIGHT",
    "ScatteringTable",
    "TableName",
    "atomic_number",
    "scattering_table",
]
