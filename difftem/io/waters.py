"""Water: the names that programs give it, and how it is told from what has the same name."""

import numpy as np
from numpy.typing import NDArray

from difftem.io.atom_table import AtomTable

WATER = b"HOH"  # what it is called here, whatever the file says

# PDB, AMBER, CHARMM, GROMACS, Desmond, Tinker, LAMMPS; also as cut to three letters by PDB files.
_NAMES = frozenset(
    b"HOH WAT DOD H2O D2O HOD OHH HHO HH0 OH2 TIP TIP2 TIP3 TIP4 TIP5 TIP3P TIP4P TIP5P TIPS T3P "
    b"T4P T5P T3H T4E TP3 TP4 TP5 TP3M TP4E TP5E TPX SOL SOLV SPC SPCE SPC/E SPCF SPF SPG SPE OPC "
    b"OPC3 OP3 OP4 OPCE PL3 POL3 FB3 FB4 SWM SWM4 SWM6 SWM4-NDP SPW WTR WATE WATER WA W QSP Q4D "
    b"WA3 WA4 WT3 WT4 HO4 OW HW2O".split()
)
_SITES = frozenset(
    b"M MW MW1 MW2 OM EP EP1 EP2 EPW LP LP1 LP2 LPA LPB L1 L2 DOH2 DO DOW IW X XT".split()
)


def name_waters(table: AtomTable) -> tuple[AtomTable, int]:
    """Call every water `WATER`, and leave out its sites that are no atoms.

    A residue is water by its name if it holds oxygen and hydrogen alone, as the lipid OPC and the
    nucleotide T3P do not; and under any name if it is one oxygen with two hydrogens.

    Parameters
    ----------
    table : AtomTable
        Of a file.

    Returns
    -------
    table : AtomTable
        Without virtual sites and Drude particles of water.
    n_sites : int
        How many were left out.
    """
    if len(table) == 0 or not table.residues.astype(bool).any():
        return table, 0
    residue = _residue_of_rows(table)
    n_residues = int(residue[-1]) + 1
    names = np.char.upper(table.names)
    named = np.isin(np.char.upper(table.residues), list(_NAMES))
    # A Drude particle of hydrogen or oxygen, or the charge on a bisector, bears no element.
    site = named & np.isin(names, list(_SITES))
    atoms = np.bincount(residue[~site], minlength=n_residues)
    oxygens = np.bincount(residue[~site & (table.atomic_numbers == 8)], minlength=n_residues)
    hydrogens = np.bincount(residue[~site & (table.atomic_numbers == 1)], minlength=n_residues)
    pure = (oxygens > 0) & (oxygens + hydrogens == atoms)
    three = (oxygens == 1) & (hydrogens == 2) & (atoms == 3)
    water = (named & pure[residue]) | three[residue]
    if not water.any():
        return table, 0
    residues = table.residues.astype(f"S{max(3, table.residues.dtype.itemsize)}")
    residues[water] = WATER
    kept = ~(site & water)
    return table.with_columns(residues=residues).keep(kept), int((~kept).sum())


def is_water(table: AtomTable) -> NDArray[np.bool_]:  # (n_atoms,)
    """Mask of the atoms of water, once `name_waters` has named it."""
    mask: NDArray[np.bool_] = table.residues == WATER
    return mask


def _residue_of_rows(table: AtomTable) -> NDArray[np.int64]:  # (n_atoms,)
    """Count residues row by row: rows that follow one another and agree are one."""
    new = np.zeros(len(table), dtype=bool)
    for column in (table.models, table.chains, table.residue_numbers, table.residues):
        new[1:] |= column[1:] != column[:-1]
    return np.cumsum(new)
