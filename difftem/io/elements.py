"""Elements, from symbols as files write them, and from names where there is no symbol."""

import re

import numpy as np
from numpy.typing import NDArray

from difftem.constants.scattering import ELEMENT_SYMBOLS

_NUMBERS = {symbol.upper(): z for z, symbol in enumerate(ELEMENT_SYMBOLS) if z > 0}
_NUMBERS |= {"D": 1, "T": 1}  # isotopes scatter electrons alike
# A symbol, then a charge as O2-, Fe+3, Na+, K1+ or a site's number as Pt12.
_SYMBOL = re.compile(r"([A-Za-z]{1,2})[0-9]*[+-]?[0-9]*")

# Ions by the names that force fields and the PDB give to their residues.
_IONS = {
    "LI": "LIT LI+",
    "NA": "SOD NA+ NAP IP NIO",
    "K": "POT K+ KAT",
    "RB": "RUB RB+",
    "CS": "CES CS+ CIO",
    "MG": "MG2 MG+ MG2+ MGA",
    "CA": "CAL CA2 CA2+ C0",
    "SR": "SR2 SR2+",
    "BA": "BAR BA2 BA2+",
    "ZN": "ZN2 ZN2+",
    "CD": "CAD CD2 CD2+",
    "MN": "MN2 MN3 MN2+",
    "FE": "FE2 FE3 FE2+ FE3+",
    "CO": "3CO CO2 CO2+",
    "NI": "3NI NI2 NI2+",
    "CU": "CU1 CU2 CU2+",
    "F": "FLU F-",
    "CL": "CLA CL- CHL CLO IM CIM",
    "BR": "BRO BR- IB",
    "I": "IOD I-",
    "HG": "HG2",
    "PB": "PB2",
    "AL": "AL3",
    "YB": "YB2 YB3",
    "EU": "EU3 EU2",
    "GD": "GD3",
    "LA": "LA3",
    "TB": "TB3",
    "SM": "SM3",
    "PT": "PT4",
    "AU": "AU3",
}
_ION = {name: symbol for symbol, names in _IONS.items() for name in (symbol, *names.split())}

_AMINO_ACIDS = frozenset(
    "ALA ARG ASN ASP CYS GLN GLU GLY HIS ILE LEU LYS MET PHE PRO SER THR TRP TYR VAL MSE SEC PYL "
    "SEP TPO PTR HSD HSE HSP HID HIE HIP CYX CYM ASH GLH LYN ACE NME NMA ASX GLX UNK".split()
)
_ORGANIC = (1, 6, 7, 8, 15, 16, 34)
_NUCLEOTIDES = frozenset(
    "A C G U I T DA DC DG DT DU DI ADE CYT GUA URA THY RA RC RG RU A5 A3 C5 C3 G5 G3 U5 U3".split()
)
_ANY = ("", "ION", "IONS", "UNL", "UNX", "HET", "MOL")  # residues that say nothing
# Two letters that no common atom of a molecule bears by its place in it, as CA, CD, HG and NE do.
_PLAIN = frozenset("CL BR FE MG ZN MN SE SI LI AL CU RU RH IR MO AG AU XE KR".split())


def atomic_number(symbol: str) -> int:
    """Atomic number of a symbol in any case, with a charge or a number behind it; 0 if unknown."""
    match = _SYMBOL.fullmatch(symbol.strip())
    return _NUMBERS.get(match[1].upper(), 0) if match else 0


def guessed_number(name: str, residue: str, alone: bool, two_letters: bool | None = None) -> int:
    """Atomic number that the name of an atom tells where its element is not given.

    Parameters
    ----------
    name : str
        Of the atom, such as ``"CA"`` or ``"1HB"``.
    residue : str
        Its residue: in an amino acid CA is carbon.
    alone : bool
        The residue has no other atom: it is an ion.
    two_letters : bool, optional
        Whether the name stands where PDB files put a symbol of two letters. Default: not known.

    Returns
    -------
    int
        0 if the name tells none.
    """
    residue = residue.strip().upper()
    letters = re.sub(r"^[^A-Za-z]+", "", name.strip()).upper()
    first = _NUMBERS.get(letters[:1], 0)
    pair = "".join(re.findall(r"^[A-Z]{2}", letters))
    if is_biopolymer(residue):
        return _NUMBERS["SE"] if pair == "SE" else first
    if alone:
        named = name.strip().upper() if residue in _ANY else residue
        ion = _ION.get(named) or _ION.get(named.rstrip("0123456789+-"))
        if ion:
            return _NUMBERS[ion]
    if pair in _PLAIN or (two_letters and re.fullmatch(r"[A-Z]{2}[0-9]?", letters)):
        return _NUMBERS.get(pair, 0) or first
    return first or _NUMBERS.get(pair, 0)


def is_biopolymer(residue: str) -> bool:
    """Whether a residue is an amino acid or a nucleotide, whose atoms are no metals."""
    return residue.strip().upper() in _AMINO_ACIDS | _NUCLEOTIDES


def is_foreign(number: int, residue: str) -> bool:
    """Whether an element is none that an amino acid has: CA was taken for calcium by a program."""
    return number > 0 and number not in _ORGANIC and residue.strip().upper() in _AMINO_ACIDS


def formula(atomic_numbers: NDArray[np.int64]) -> dict[str, int]:
    """Count atoms by symbol, carbon first, then by number."""
    unique, counts = np.unique(atomic_numbers, return_counts=True)
    found = {ELEMENT_SYMBOLS[z]: int(n) for z, n in zip(unique, counts, strict=True)}
    return dict(sorted(found.items(), key=lambda each: (each[0] != "C", -each[1])))
