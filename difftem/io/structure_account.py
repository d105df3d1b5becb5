"""What is said about the atoms that a structure file gave."""

import numpy as np

from difftem.io.account import counted, grouped
from difftem.io.atom_table import AtomTable
from difftem.io.elements import formula

_SHOWN = 8  # elements


def atoms_in_words(n_atoms: int, table: AtomTable) -> str:
    """Say how many atoms there are, and of what elements those of one copy are.

    Parameters
    ----------
    n_atoms : int
        Of all copies.
    table : AtomTable
        Of one copy.

    Returns
    -------
    str
        ``304 atoms (C 98, H 150, ...)``.
    """
    counts = formula(table.atomic_numbers)
    # Where every atom has as many copies, the counts are those of all.
    copies = n_atoms // len(table) if n_atoms % len(table) == 0 else 1
    what = [f"{symbol} {grouped(n * copies)}" for symbol, n in list(counts.items())[:_SHOWN]]
    if len(counts) > _SHOWN:
        what.append(f"{len(counts) - _SHOWN} more elements")
    one = "in one copy: " if copies == 1 and n_atoms != len(table) else ""
    return f"{counted(n_atoms, 'atom')} ({one}{', '.join(what)})"


def conformers_in_words(table: AtomTable, kept: int) -> tuple[list[str], list[str]]:
    """Say what became of alternative conformers.

    Parameters
    ----------
    table : AtomTable
        With all of them.
    kept : int
        How many atoms stayed.

    Returns
    -------
    taken, left : list of str
        What to say.
    """
    several = int(np.count_nonzero(table.altlocs != b""))
    if not several:
        return [], []
    if kept == len(table):
        return [f"{counted(several, 'atom')} in alternative conformers"], []
    return [], [f"{counted(len(table) - kept, 'atom')} of other conformers"]
