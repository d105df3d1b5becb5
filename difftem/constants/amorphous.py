"""Amorphous solids: parameters of their structure factors, and how the beam moves ice."""

from typing import NamedTuple


class AmorphousStructure(NamedTuple):
    """Parameters of `difftem.functional.structure_factor`; frequencies are 1/d in 1/Å."""

    at_zero: float  # S(0), what of the density fluctuates over long distances
    hole: float  # 1/Å, where S rises to 1 but for the peaks
    peaks: tuple[tuple[float, float, float], ...]  # height, place 1/Å, width 1/Å


# Low-density amorphous ice, oxygens.
WATER_STRUCTURE = AmorphousStructure(
    at_zero=0.06,
    hole=0.31,
    peaks=((2.6, 0.262, 0.035), (0.6, 0.487, 0.05), (-0.25, 0.65, 0.06), (0.15, 0.83, 0.06)),
)
WATER_MOTION = 1.1  # Å², mean squared displacement of a molecule for every e/Å² of 300 keV

# Evaporated carbon, mostly threefold: rings at 2.1 and 1.2 Å (2.95 and 5.4 in 2π/Å), as Li &
# Lannin, Phys. Rev. Lett. 65 (1990) 1905 have them; S(0) is a guess. Entered from memory.
CARBON_STRUCTURE = AmorphousStructure(
    at_zero=0.1,
    hole=0.38,
    peaks=((0.5, 0.465, 0.06), (-0.2, 0.65, 0.06), (0.7, 0.855, 0.07), (0.25, 1.38, 0.09)),
)
