"""Rows of scores as CSV: one line for each method, setting and seed."""

import csv
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

Row = dict[str, Any]


def write_rows(path: Path, rows: Sequence[Row]) -> None:
    """Write rows of one set of columns; numbers with six digits."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]), lineterminator="\n")
        writer.writeheader()
        for row in rows:
            writer.writerow({k: f"{v:.6g}" if isinstance(v, float) else v for k, v in row.items()})


def read_rows(path: Path) -> list[Row]:
    """Read rows; what is a number becomes one."""
    with path.open(encoding="utf-8", newline="") as file:
        return [{k: _number(v) for k, v in row.items()} for row in csv.DictReader(file)]


def merged_rows(
    old: Sequence[Row], new: Sequence[Row], facts: Sequence[str], reference: str, judged: str
) -> list[Row]:
    """Put new scores among those that a file holds: of other methods, or at other settings.

    Parameters
    ----------
    old, new : sequence of Row
        With a column ``method``.
    facts : sequence of str
        Columns that name a setting.
    reference : str
        Method that both have, to show that both were scored on the same arrays.
    judged : str
        Column in which it must agree.

    Returns
    -------
    list of Row
        Setting by setting, a new row in the place of the old one of its method.

    Raises
    ------
    ValueError
        If the columns differ, or the reference's scores do.
    """
    if old and new and list(old[0]) != list(new[0]):
        raise ValueError(f"columns were {', '.join(old[0])} and are {', '.join(new[0])}: score all")
    settings: dict[tuple[Any, ...], dict[str, Row]] = {}
    for row in old:
        settings.setdefault(tuple(row[name] for name in facts), {})[row["method"]] = row
    for row in new:
        here = settings.setdefault(tuple(row[name] for name in facts), {})
        was = here.get(reference)
        if row["method"] == reference and was:
            if not math.isclose(was[judged], row[judged], rel_tol=1e-4):
                raise ValueError(
                    f"{judged} of {reference} was {was[judged]:g} and is {row[judged]:g} at "
                    + ", ".join(f"{name} {row[name]}" for name in facts)
                    + ": these are other images, score all methods"
                )
        here[row["method"]] = row
    return [row for here in settings.values() for row in here.values()]


def pick(rows: Sequence[Row], **facts: Any) -> list[Row]:
    """Rows with these facts."""
    return [row for row in rows if all(row[name] == value for name, value in facts.items())]


def values_of(rows: Sequence[Row], name: str) -> list[Any]:
    """Values of a column, each once, in the order of the rows."""
    return list(dict.fromkeys(row[name] for row in rows))


def _number(text: str) -> int | float | str:
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return text
