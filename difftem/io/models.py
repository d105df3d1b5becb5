"""Which models of a file are one structure: parts, shares, or alternatives."""

from pathlib import Path
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from difftem.io.account import counted
from difftem.io.atom_table import AtomTable
from difftem.io.errors import input_error
from difftem.io.waters import is_water

_FULL_OCCUPANCY = 1.01  # occupancies are rounded to two decimals
_TOUCHING = 2.0  # Å: nearer than atoms of two molecules come, farther than NMR models differ
_OVERLAPPING = 0.05  # share of atoms that touch another model: some clash in any assembly
_SAMPLE = 20_000  # atoms that decide


class ChosenModels(NamedTuple):
    """Atoms of the models that are used."""

    table: AtomTable
    are_copies: bool  # they lie side by side: the file holds an assembly
    taken: list[str]
    left: list[str]


def choose_models(
    path: Path,
    table: AtomTable,
    model: int | Literal["auto", "all"],
    may_share: bool,
    is_ensemble: bool,
) -> ChosenModels:
    """Take the wanted model or models.

    Parameters
    ----------
    path : Path
        For messages.
    table : AtomTable
        Of all models.
    model : int or {"auto", "all"}
        ``"auto"``: all where they lie side by side, as the copies of an assembly do, or share one
        structure's occupancy out; else the first.
    may_share : bool
        Whether models may be conformers.
    is_ensemble : bool
        The file says that its models are alternatives.

    Returns
    -------
    ChosenModels
        With what to say.

    Raises
    ------
    InputError
        If there is no such model.
    """
    numbers = np.unique(table.models).tolist()
    n = len(numbers)
    if n == 1:
        if model not in ("auto", "all", numbers[0]):
            raise input_error(path, f"no model {model}, the file has {numbers[0]} only")
        return ChosenModels(table, False, [], [])
    if model in ("auto", "all"):
        shares = _share_occupancy(table)
        apart = not shares and not is_ensemble and are_side_by_side(table)
        if model == "all" or (shares and may_share) or apart:
            reason = "that share one structure's occupancy out" if shares else "as asked"
            reason = "that lie side by side" if apart else reason
            return ChosenModels(table, apart, [f"{n} models {reason}: all taken"], [])
        model = numbers[0]
    if model not in numbers:
        raise input_error(path, f"no model {model}, the file has {numbers[0]} to {numbers[-1]}")
    kept = table.keep(table.models == model)
    left = [f"{counted(n - 1, 'other model')} ({counted(len(table) - len(kept), 'atom')})"]
    return ChosenModels(kept, False, [f"model {model} of {n}"], left)


def are_side_by_side(table: AtomTable) -> bool:
    """Whether hardly an atom of one model is where another model is."""
    from scipy.spatial import cKDTree  # loads slowly

    solid = table.keep((table.atomic_numbers > 1) & ~is_water(table))
    if len(np.unique(solid.models)) < 2 or not np.isfinite(solid.positions).all():
        return False
    rows = np.arange(0, len(solid), max(1, len(solid) // _SAMPLE))
    touching = np.zeros(len(rows), dtype=bool)
    models, sampled = solid.models, solid.models[rows]
    for number in np.unique(models):
        own = sampled == number
        others = cKDTree(solid.positions[models != number])
        apart, _ = others.query(solid.positions[rows[own]], distance_upper_bound=_TOUCHING)
        touching[own] = np.isfinite(apart)
    return bool(touching.mean() < _OVERLAPPING)


def _share_occupancy(table: AtomTable) -> bool:
    """Whether the occupancies of the models add up to those of one structure."""
    models, index = np.unique(table.models, return_inverse=True)
    highest: NDArray[np.float64] = np.zeros(len(models))
    np.maximum.at(highest, index, table.occupancies)
    return bool((highest > 0).all() and highest.sum() <= _FULL_OCCUPANCY)
