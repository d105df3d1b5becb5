"""Physical constants: CODATA 2018, SI unless the name carries a unit.

References
----------
Tiesinga, Mohr, Newell & Taylor, Rev. Mod. Phys. 93 (2021) 025010.
"""

import math

ELECTRON_MASS = 9.1093837015e-31  # m0, kg
ELEMENTARY_CHARGE = 1.602176634e-19  # e, C (exact)
PLANCK_CONSTANT = 6.62607015e-34  # h, J s (exact)
SPEED_OF_LIGHT = 299792458.0  # c, m/s (exact)
BOHR_RADIUS = 0.529177210903  # a0, Å
AVOGADRO_CONSTANT = 6.02214076e23  # N_A, 1/mol (exact)

_ANGSTROM_PER_METRE = 1e10

ELECTRON_REST_ENERGY_EV = ELECTRON_MASS * SPEED_OF_LIGHT**2 / ELEMENTARY_CHARGE  # m0 c², 510998.95
PLANCK_TIMES_C_EV_ANGSTROM = (  # h c, 12398.42 eV Å
    PLANCK_CONSTANT * SPEED_OF_LIGHT / ELEMENTARY_CHARGE * _ANGSTROM_PER_METRE
)

POTENTIAL_CONSTANT = (  # h² / (2π m0 e), 47.878 V Å²: ∫V d³r of an atom is this times f_e(0)
    PLANCK_CONSTANT**2 / (2 * math.pi * ELECTRON_MASS * ELEMENTARY_CHARGE) * _ANGSTROM_PER_METRE**2
)
