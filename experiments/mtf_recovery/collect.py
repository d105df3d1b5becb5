"""What the runs of the studies left in their folders."""

import csv
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

Curve = NDArray[np.float64]


@dataclass(frozen=True)
class Finished:
    """A run that is done.

    Attributes
    ----------
    name : tuple of str
        Values of the study's axes.
    metrics : dict of str to float
        Last value of each.
    curve : dict of str to ndarray
        Columns of ``mtf_curve.csv``.
    rows : list of dict
        All rows of ``metrics.csv``.
    """

    name: tuple[str, ...]
    metrics: dict[str, float]
    curve: dict[str, Curve]
    rows: list[dict[str, str]]


def finished(study: Path) -> Iterator[Finished]:
    """Read all runs of a study that are done, in order of their names."""
    for mark in sorted(study.rglob("done.json")):
        folder = mark.parent
        rows = _rows(folder / "metrics.csv")
        metrics = {k: float(v) for row in rows for k, v in row.items() if v}
        table = _rows(folder / "mtf_curve.csv")
        curve = {k: np.array([float(row[k]) for row in table]) for k in table[0]}
        name = folder.relative_to(study).parts
        yield Finished(name, metrics | json.loads(mark.read_text("utf-8")), curve, rows)


def _rows(path: Path) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))
