"""Hydrogens of amino acids, nucleotides and water, counted on their heavy atoms.

Counts at neutral pH, as TEM-simulator 1.3 has them (Rullgård et al., J. Microsc. 243 (2011) 234),
except that uridine gets its hydrogens, which that program means to add but never does, and ILE;
on demand they are as there.
"""

import numpy as np
from numpy.typing import NDArray

from difftem.io.account import counted
from difftem.io.atom_table import AtomTable

WATER = "HOH"  # as `name_waters` calls it

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
# Protonation states as force fields name them.
_COUNTS |= {
    **dict.fromkeys(("HSD", "HID"), _COUNTS["HIS"] | {"NE2": 0}),
    **dict.fromkeys(("HSE", "HIE"), _COUNTS["HIS"] | {"ND1": 0}),
    **dict.fromkeys(("HSP", "HIP"), _COUNTS["HIS"]),
    **dict.fromkeys(("CYX", "CYM"), _COUNTS["CYS"] | {"SG": 0}),
    "ASH": _COUNTS["ASP"] | {"OD2": 1},
    "GLH": _COUNTS["GLU"] | {"OE2": 1},
    "LYN": _COUNTS["LYS"] | {"NZ": 2},
}
_COUNTS_IN_TEM_SIMULATOR = _COUNTS | {"ILE": _parse("CB 1 CG1 3 CG2 2 CD1 3"), "U": {}}


def _hydrogen_count(residue: str, atom: str, as_in_tem_simulator: bool = False) -> int:
    """Hydrogens on one heavy atom (CA is not calcium); 0 for what the table does not know."""
    if residue == WATER:
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


def replace_hydrogens(
    table: AtomTable, as_in_tem_simulator: bool = False
) -> tuple[AtomTable, AtomTable | None, list[str], list[str]]:
    """Put hydrogens at the places of their heavy atoms, where the table knows the residue.

    Parameters
    ----------
    table : AtomTable
        With the hydrogens of the file, if it has any.
    as_in_tem_simulator : bool
        As that program does it, which knows no others.

    Returns
    -------
    table : AtomTable
        Without the hydrogens that are replaced. Those of unknown residues stay.
    added : AtomTable or None
        One row per heavy atom with hydrogens, its occupancy times their number.
    taken, left : list of str
        What to say.
    """
    hydrogen = table.atomic_numbers == 1
    known = np.isin(table.residues, [each.encode() for each in (*_COUNTS, WATER)])
    stays = hydrogen & ~known & (not as_in_tem_simulator)
    taken, left = [], []
    if stays.any():
        names = _names(table.residues[stays])
        taken.append(f"{counted(int(stays.sum()), 'hydrogen')} of {names} as in the file")
    # A residue with hydrogens of its own needs none; one without is an amino acid or unknown.
    silent = ~known & ~np.isin(table.residues, np.unique(table.residues[stays]))
    main_chain = _is_amino_acid(table)
    organic = silent & np.isin(table.residues, table.residues[table.atomic_numbers == 6])
    organic &= table.residues.astype(bool) & (not as_in_tem_simulator)
    alone = "hydrogens of the main chain alone"
    for mask, what in ((main_chain, alone), (~main_chain, "no hydrogens")):
        if (organic & mask).any():
            names = _names(table.residues[organic & mask])
            taken.append(f"{what} for {names}, which the table of hydrogens does not have")
    backbone = known | silent & main_chain
    replaced = int((hydrogen & ~stays).sum())
    if replaced:
        left.append(f"{counted(replaced, 'hydrogen')} of the file (implicit instead)")
    table, backbone = table.keep(~hydrogen | stays), backbone[~hydrogen | stays]
    counts = hydrogen_counts(table.residues, table.names, table.atomic_numbers, as_in_tem_simulator)
    if not as_in_tem_simulator:
        counts = np.where(backbone, counts, 0)
    bonded = table.keep(counts > 0)
    if len(bonded) == 0:
        return table, None, taken, left
    bonded.occupancies[:] *= counts[counts > 0]
    bonded.atomic_numbers[:] = 1
    added = counted(int(counts.sum()), "implicit hydrogen")
    where = f"{added} on {counted(len(bonded), 'atom')} of the file"
    return table, bonded, [where, *taken], left


def _is_amino_acid(table: AtomTable) -> NDArray[np.bool_]:  # (n_atoms,)
    """Mask of the atoms of residues whose main chain is N, CA, C."""
    kinds = [set(table.residues[table.names == name]) for name in (b"N", b"CA", b"C")]
    mask: NDArray[np.bool_] = np.isin(table.residues, sorted(set.intersection(*kinds)))
    return mask


def _names(residues: NDArray[np.bytes_]) -> str:
    """List names of residues."""
    names = [each.decode(errors="replace") for each in np.unique(residues)]
    shown = names if len(names) <= 5 else [*names[:5], f"{len(names) - 5} more"]
    return " ".join(each or "unnamed residues" for each in shown)
