"""B-factors and occupancies: the file's, or what a user set in their place."""

from pathlib import Path

import numpy as np

from difftem.io.account import counted
from difftem.io.atom_table import MAX_B_FACTOR, MAX_OCCUPANCY, AtomTable, refuse_first
from difftem.io.errors import input_error


def settle_occupancies(
    path: Path, table: AtomTable, occupancy: float | None
) -> tuple[AtomTable, list[str], list[str]]:
    """Use the occupancies of a file, or one for every atom; leave out atoms of occupancy 0.

    Parameters
    ----------
    path : Path
        For messages.
    table : AtomTable
        As read.
    occupancy : float, optional
        Of every atom.

    Returns
    -------
    table : AtomTable
        With occupancies above 0.
    taken, left : list of str
        What to say.

    Raises
    ------
    InputError
        For an impossible occupancy, or where all are 0.
    """
    advice = "; structure.occupancy sets that of every atom"
    if occupancy is not None:
        table = table.with_columns(occupancies=np.full(len(table), float(occupancy)))
        return table, [f"occupancy {occupancy:g} of every atom as asked"], []
    values = table.occupancies
    possible = np.isfinite(values) & (values >= 0) & (values <= MAX_OCCUPANCY)
    rule = f"occupancy must be at most {MAX_OCCUPANCY:g}"
    rule = "occupancy must be >= 0" if (values < 0).any() else rule
    refuse_first(path, table, ~possible, rule, values, advice)
    if not (values > 0).any():
        raise input_error(path, f"no atoms are left: every one has occupancy 0{advice}")
    kept = table.keep(values > 0)
    n_left = len(table) - len(kept)
    left = [f"{counted(n_left, 'atom')} of occupancy 0"] if n_left else []
    low, high = kept.occupancies.min(), kept.occupancies.max()
    taken = [] if low == high == 1 else [f"occupancies {_range(low, high)}"]
    return kept, taken, left


def settle_b_factors(
    path: Path,
    table: AtomTable,
    b_factor: float | None,
    default: float,
    confidence: str | None,
) -> tuple[AtomTable, list[str], list[str]]:
    """Use the B-factors of a file, or one for every atom, or a default where there are none.

    Parameters
    ----------
    path : Path
        For messages.
    table : AtomTable
        As read; NaN where there is no B-factor.
    b_factor : float, optional
        Of every atom, Å².
    default : float
        Where there is none, Å².
    confidence : str, optional
        What a predicted structure has in place of B-factors.

    Returns
    -------
    table : AtomTable
        With B-factors.
    taken, left : list of str
        What to say.

    Raises
    ------
    InputError
        For an impossible B-factor.
    """
    n_atoms = len(table)
    left = [f"B column, which holds {confidence}"] if confidence else []
    if b_factor is not None:
        table = table.with_columns(b_factors=np.full(n_atoms, float(b_factor)))
        return table, [f"B {b_factor:g} Å² of every atom as asked"], left
    values = np.full(n_atoms, np.nan) if confidence else table.b_factors
    none = np.isnan(values)
    if none.all():
        table = table.with_columns(b_factors=np.full(n_atoms, default))
        why = "" if confidence else ", the file has none"
        return table, [f"B {default:g} Å² (default_b_factor{why})"], left
    bad = ~none & ~((values >= 0) & (values <= MAX_B_FACTOR))
    advice = "; structure.b_factor sets that of every atom"
    rule = f"B-factor must be at most {MAX_B_FACTOR:g} Å²"
    rule = "B-factor must be >= 0 Å²" if (values < 0).any() else rule
    refuse_first(path, table, bad, rule, values, advice)
    low, high = values[~none].min(), values[~none].max()
    taken = [f"B {_range(low, high)} Å² from the file"]
    if none.any():
        taken.append(f"B {default:g} Å² (default_b_factor) of {counted(int(none.sum()), 'atom')}")
    elif high == 0:
        taken[0] += " (atoms at rest; structure.b_factor sets another)"
    elif _is_confidence_like(table):
        taken[0] += " (one for each residue, as pLDDT is; structure.b_factor sets another)"
    return table.with_columns(b_factors=np.where(none, default, values)), taken, left


def _is_confidence_like(table: AtomTable) -> bool:
    """Whether B is the same within every residue, differs between them, and is at most 100."""
    values = table.b_factors
    if values.max() > 100 or values.min() == values.max() or not table.residues.astype(bool).any():
        return False
    same = np.ones(len(table) - 1, dtype=bool)
    for column in (table.models, table.chains, table.residue_numbers):
        same &= column[1:] == column[:-1]
    inside = values[1:][same] == values[:-1][same]
    return bool(len(inside) >= 10 and inside.all())


def _range(low: float, high: float) -> str:
    """Write a range, or one number."""
    return f"{low:.3g}" if low == high else f"{low:.3g}-{high:.3g}"
