"""How many hydrogens hang on each heavy atom of amino acids, nucleotides and water.

Counts at neutral pH, as TEM-simulator 1.3 has them (Rullgård et al., J. Microsc. 243 (2011) 234),
except that uridine gets its hydrogens, which that program means to add but never does, and ILE;
on demand they are as there.
"""

import numpy as np
from numpy.typing import NDArray

WATER = frozenset({"HOH", "WAT", "DOD", "H2O"})

# Main chain of any residue; the exceptions come first.
_BACKBONE = {"N": 1, "CA": 1, "C": 0, "O": 0}
_BACKBONE_OF = {("PRO", "N"): 0, ("GLY", "CA"): 2}

# Residue: "atom count atom count ...". TEM-simulator puts 3 hydrogens on CG1 of ILE and 2 on CG2;
# here the methylene CG1 has 2 and the methyl CG2 has 3. The sum is the same.
_RESIDUES = {
    "ALA": "CB 3",
    "ARG": "CB 2 CG 2 CD 2 NE 1 NH1 2 NH2 2",
    "ASN": "CB 2 ND2 2",
    "ASP": "CB 2",
    "CYS": "CB 2 SG 1",
    "GLN": "CB 2 CG 2 NE2 2",
    "GLU": "CB 2 CG 2",
    "GLY": "",
    "HIS": "CB 2 ND1 1 CD2 1 CE1 1 NE2 1",
    "ILE": "CB 1 CG1 2 CG2 3 CD1 3",
    "LEU": "CB 2 CG 1 CD1 3 CD2 3",
    "LYS": "CB 2 CG 2 CD 2 CE 2 NZ 3",
    "MET": "CB 2 CG 2 CE 3",
    "PHE": "CB 2 CD1 1 CD2 1 CE1 1 CE2 1 CZ 1",
    "PRO": "CB 2 CG 2 CD 2",
    "SER": "CB 2 OG 1",
    "THR": "CB 1 OG1 1 CG2 3",
    "TRP": "CB 2 CD1 1 NE1 1 CE3 1 CZ2 1 CZ3 1 CH2 1",
    "TYR": "CB 2 CD1 1 CD2 1 CE1 1 CE2 1 OH 1",
    "VAL": "CB 1 CG1 3 CG2 3",
}
_RIBOSE = "C5' 2 C4' 1 C3' 1 C2' 1 C1' 1 O2' 1 "
_DEOXYRIBOSE = "C5' 2 C4' 1 C3' 1 C2' 2 C1' 1 "
_BASES = {
    "A": "C2 1 C8 1 N6 2",
    "C": "C5 1 C6 1 N4 2",
    "G": "C8 1 N1 1 N2 2",
    "U": "C5 1 C6 1 N3 1",
    "T": "C6 1 N3 1 C7 3",
}
_RESIDUES |= {base: _RIBOSE + atoms for base, atoms in _BASES.items()}
_RESIDUES |= {"D" + base: _DEOXYRIBOSE + atoms for base, atoms in _BASES.items()}


def _parse(text: str) -> dict[str, int]:
    """Turn "CB 2 SG 1" into {"CB": 2, "SG": 1}."""
    words = text.split()
    return {name: int(count) for name, count in zip(words[::2], words[1::2], strict=True)}


_COUNTS = {residue: _parse(text) for residue, text in _RESIDUES.items()}
_COUNTS_IN_TEM_SIMULATOR = _COUNTS | {"ILE": _parse("CB 1 CG1 3 CG2 2 CD1 3"), "U": {}}


def _hydrogen_count(residue: str, atom: str, as_in_tem_simulator: bool = False) -> int:
    """Hydrogens on one heavy atom (CA is not calcium); 0 for what the table does not know."""
    if residue in WATER:
        return 2
    if atom in _BACKBONE:
        return _BACKBONE_OF.get((residue, atom), _BACKBONE[atom])
    counts = _COUNTS_IN_TEM_SIMULATOR if as_in_tem_simulator else _COUNTS
    return counts.get(residue, {}).get(atom.replace("*", "'"), 0)


def hydrogen_counts(
    residues: NDArray[np.bytes_],  # (n_atoms,)
    atoms: NDArray[np.bytes_],  # (n_atoms,)
    atomic_numbers: NDArray[np.int64],  # (n_atoms,)
    as_in_tem_simulator: bool = False,
) -> NDArray[np.int64]:  # (n_atoms,)
    """Hydrogens on every atom: those of the table for each C, N, O and S; 0 for other elements."""
    keys = np.char.add(np.char.ljust(residues, 8), atoms)
    unique, inverse = np.unique(keys, return_inverse=True)
    per_key = [
        _hydrogen_count(key[:8].decode().strip(), key[8:].decode(), as_in_tem_simulator)
        for key in unique
    ]
    organic = np.isin(atomic_numbers, (6, 7, 8, 16))
    return np.where(organic, np.array(per_key, dtype=np.int64)[inverse], 0)
