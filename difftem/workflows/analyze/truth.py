"""True columns of an image, to score the found ones by."""

from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from difftem.analysis.column_match import match_columns
from difftem.io.delimited import read_delimited
from difftem.io.errors import input_error

_NAMES = ("x_pixel", "y_pixel")


@dataclass(frozen=True, eq=False)
class TrueColumns:
    """Columns that are known to be there.

    Attributes
    ----------
    positions : Tensor
        x and y in pixels of the image, shape ``(n, 2)``.
    surface : Tensor or None
        Which of them are at a surface, shape ``(n,)``, where the file says so.
    """

    positions: Tensor
    surface: Tensor | None


def read_truth(path: str | Path) -> TrueColumns:
    """Read a table of columns.

    Parameters
    ----------
    path : str or Path
        CSV with columns ``x_pixel`` and ``y_pixel``, of the image; ``surface``, true or false, may
        say which are next to vacuum.

    Returns
    -------
    TrueColumns
        In the order of the file.

    Raises
    ------
    InputError
        If a column is missing or a value is none.
    """
    table = read_delimited(path, "x_pixel,y_pixel")
    for name in _NAMES:
        if name not in table.names:
            raise input_error(
                path, f"must have columns x_pixel and y_pixel, got {', '.join(table.names)}"
            )
    at = [table.names.index(name) for name in _NAMES]
    numbers = [
        [table.number(line, name, row[i]) for name, i in zip(_NAMES, at, strict=True)]
        for line, row in table.rows
    ]
    surface = None
    if "surface" in table.names:
        i = table.names.index("surface")
        known = {"true": True, "1": True, "false": False, "0": False}
        for line, row in table.rows:
            if row[i].lower() not in known:
                raise input_error(
                    path, f"line {line}: surface must be true or false, got {row[i]!r}"
                )
        surface = torch.tensor([known[row[i].lower()] for _, row in table.rows])
    positions = torch.tensor(numbers, dtype=torch.float64).reshape(-1, 2)
    return TrueColumns(positions, surface)


def truth_scores(
    found: Tensor,  # (n, 2) px
    surface: Tensor,  # (n,) bool
    truth: TrueColumns,
    tolerance: float,  # px
) -> dict[str, dict[str, float]]:
    """Score found columns, all of them and those at a surface.

    Parameters
    ----------
    found : Tensor
        x and y in pixels, shape ``(n, 2)``.
    surface : Tensor
        Which are at a surface, shape ``(n,)``.
    truth : TrueColumns
        In the same pixels.
    tolerance : float
        In pixels.

    Returns
    -------
    dict of str to dict of str to float
        Precision, recall, F1, Jaccard index and mean distance of pairs in pixels, of ``all`` and,
        where the truth tells them, of ``surface`` columns. A true surface column counts as found
        whatever the found one was taken for, and a found one is wrong only where no column is.
    """
    whole = match_columns(found, truth.positions, tolerance)
    scores = {"all": _with_distance(whole.scores, whole.distances)}
    if truth.surface is not None:
        # Pairs of either kind, and what was taken for a surface column and has no partner.
        paired = torch.zeros(len(found), dtype=torch.bool)
        paired[whole.found] = True
        kept = torch.zeros(len(found), dtype=torch.bool)
        kept[whole.found[truth.surface[whole.true]]] = True
        kept |= surface & ~paired
        match = match_columns(found[kept], truth.positions[truth.surface], tolerance)
        scores["surface"] = _with_distance(match.scores, match.distances)
    return scores


def _with_distance(scores: dict[str, float], distances: Tensor) -> dict[str, float]:
    """Add the mean distance of pairs, 0 without any."""
    return scores | {"distance_pixel": float(distances.mean()) if len(distances) else 0.0}
