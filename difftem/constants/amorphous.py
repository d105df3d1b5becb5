"""Amorphous solids: parameters of their structure factors, and how the beam moves ice."""

from typing import NamedTuple


class AmorphousStructure(NamedTuple):
    """Parameters of `difftem.functional.structure_factor`; frequencies are 1/d in 1/Å."""

    at_zero: float  # S(0), what of the density fluctuates over long distances
    hole: float  # 1/Å, where S rises to 1 but for the peaks
    peaks: tuple[tuple[float, float, float], ...]  # height, place 1/Å, width 1/Å


# Oxygens of vitreous ice at 0.93 g/cm³. Fitted (to 0.04 rms) to a quench of the mW model of water,
# experiments/ice_spectrum/quench.in, which has four neighbours at 2.75 Å and the second shell at
# 4.4 Å, as diffraction by low-density amorphous ice finds them: Bowron et al., J. Chem. Phys. 125
# (2006) 194502; Mariedahl et al., J. Phys. Chem. B 122 (2018) 7616. Its main peak was moved from
# 3.64 to 3.70 Å, where that of ice is; slower quenches make it higher. S(0) is that of cold water,
# n k T times its compressibility, which freezes in.
WATER_STRUCTURE = AmorphousStructure(
    at_zero=0.06,
    hole=0.347,
    peaks=(
        (2.536, 0.2655, 0.0256),
        (1.649, 0.4831, 0.0393),
        (-0.596, 0.5464, 0.1262),
        (0.446, 0.7514, 0.0514),
        (-0.183, 1.0047, 0.0383),
        (0.170, 1.1668, 0.0394),
    ),
)
# Å², mean squared displacement of a molecule for every e/Å² of 300 keV: McMullan, Vinothkumar &
# Henderson, Ultramicroscopy 158 (2015) 26.
WATER_MOTION = 1.1

# Evaporated carbon, mostly threefold: rings at 2.1 and 1.2 Å (2.95 and 5.4 in 2π/Å), as Li &
# Lannin, Phys. Rev. Lett. 65 (1990) 1905 have them; S(0) is a guess. Entered from memory.
CARBON_STRUCTURE = AmorphousStructure(
    at_zero=0.1,
    hole=0.38,
    peaks=((0.5, 0.465, 0.06), (-0.2, 0.65, 0.06), (0.7, 0.855, 0.07), (0.25, 1.38, 0.09)),
)
