r"""Mean inner potential of protein, RNA and lipid from what they are made of.

As everywhere in difftem, matter is independent atoms: :math:`V_0 = \frac{c}{\Omega} \sum_Z n_Z
f_Z(0)` with Peng's factors, the very model of `difftem.functional.solvent.ice_potential`. It gives
7.93 V for protein, 9.77 V for RNA, 8.41 V for the heads and 5.91 V for the tails of a lipid,
beside 4.53 V for ice. Chemical bonds lower all of these, the hydrogen-rich tails most: real tails
are nearer to ice, so that a real bilayer has a deeper trough than ours.
"""

from dataclasses import dataclass

from difftem.constants.physical import POTENTIAL_CONSTANT
from difftem.constants.scattering import scattering_table
from difftem.functional.solvent import (
    ICE_DENSITY_G_PER_CM3,
    ice_molecules_per_a3,
    ice_potential,
)

_A3_PER_DALTON = 1.66053907  # Å³/Da at 1 cm³/g


@dataclass(frozen=True)
class Matter:
    """A unit of matter: a residue, a nucleotide, half a lipid.

    Attributes
    ----------
    formula : tuple of (int, float)
        Atomic numbers, and how many of each.
    volume : float
        That it takes from the water around it, Å³.
    """

    formula: tuple[tuple[int, float], ...]
    volume: float

    @property
    def heavy_atoms(self) -> float:
        """Atoms other than hydrogen."""
        return sum(n for z, n in self.formula if z > 1)

    @property
    def atoms(self) -> float:
        """All atoms."""
        return sum(n for _, n in self.formula)

    def potential(self) -> float:
        """Mean inner potential in V."""
        amplitudes = scattering_table("peng").parameters[..., 0].sum(-1)
        total = sum(n * float(amplitudes[z]) for z, n in self.formula)
        return POTENTIAL_CONSTANT * total / self.volume

    def contrast(self, ice_density_g_per_cm3: float = ICE_DENSITY_G_PER_CM3) -> float:
        """Mean inner potential beyond that of the ice it displaces, in V."""
        return self.potential() - ice_potential(ice_molecules_per_a3(ice_density_g_per_cm3))


# Mean residue "averagine", 111.1254 Da (Senko, Beu & McLafferty 1995, J. Am. Soc. Mass Spectrom. 6,
# 229), at 1.35 g/cm³.
PROTEIN_RESIDUE = Matter(
    ((6, 4.9384), (1, 7.7583), (7, 1.3577), (8, 1.4773), (16, 0.0417)),
    111.1254 * _A3_PER_DALTON / 1.35,
)
# Mean of A, C, G and U, 321.45 Da; a partial specific volume of 0.53 cm³/g is assumed.
RNA_NUCLEOTIDE = Matter(
    ((6, 9.5), (1, 11.75), (7, 3.75), (8, 7.0), (15, 1.0)), 321.45 * _A3_PER_DALTON * 0.53
)
# POPC, C42 H82 N O8 P, 1256 Å³ (Kučerka et al. 2006, J. Membr. Biol. 208, 193): 331 Å³ for head,
# glycerol and carbonyls, the rest for the tails.
LIPID_HEAD = Matter(((6, 10.0), (1, 18.0), (7, 1.0), (8, 8.0), (15, 1.0)), 331.0)
LIPID_TAILS = Matter(((6, 32.0), (1, 64.0)), 1256.0 - 331.0)
AREA_PER_LIPID = 66.0  # Å², POPC at 30 °C: 64 to 68 in the literature
