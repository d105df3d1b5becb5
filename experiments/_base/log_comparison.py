"""A comparison in W&B: a run for each method, grouped, and one with table and pictures."""

import os
from collections.abc import Sequence
from pathlib import Path
from statistics import mean
from typing import Any

from experiments._base.rows import Row, pick, values_of

PROJECT = "difftem"
TAG = "comparison"


def log_comparison(
    experiment: str,
    rows: Sequence[Row],
    config: dict[str, Any],
    pictures: Sequence[Path] = (),
    folder: Path = Path("runs"),
) -> None:
    """Log rows offline, unless the environment says otherwise.

    Runs are ``EXPERIMENT/METHOD``, in the group of the experiment, of the method as job type,
    tagged by both and "comparison": each has its rows and, as summary, the mean of each number.
    ``EXPERIMENT/table`` has all rows in one table, and the pictures.

    Parameters
    ----------
    experiment : str
        Folder of the experiment.
    rows : sequence of dict
        Of one set of columns, with ``method``.
    config : dict
        Of the experiment.
    pictures : sequence of Path
        PNG files: panels at one grey scale, curves.
    folder : Path
        Where offline runs go.
    """
    import wandb

    os.environ.setdefault("WANDB_MODE", "offline")
    os.environ.setdefault("WANDB_SILENT", "true")
    folder.mkdir(parents=True, exist_ok=True)
    common: dict[str, Any] = {"project": PROJECT, "group": experiment, "dir": str(folder)}
    for method in values_of(rows, "method"):
        own = pick(rows, method=method)
        with wandb.init(
            **common,
            name=f"{experiment}/{method}",
            job_type=method,
            tags=[TAG, experiment, method],
            config=config | {"experiment": experiment, "method": method},
        ) as run:
            run.log({"scores": _table(own)})
            run.summary.update(_means(own))
    with wandb.init(
        **common,
        name=f"{experiment}/table",
        job_type="table",
        tags=[TAG, experiment, "table"],
        config=config | {"experiment": experiment},
    ) as run:
        logged: dict[str, Any] = {"comparison": _table(rows)}
        logged |= {path.stem: wandb.Image(str(path)) for path in pictures}
        run.log(logged)


def _table(rows: Sequence[Row]) -> Any:
    import wandb

    columns = list(rows[0])
    # W&B wants one type in a column: names and numbers of an axis become text.
    texts = {c for c in columns if any(isinstance(row[c], str) for row in rows)}
    data = [[str(row[c]) if c in texts else row[c] for c in columns] for row in rows]
    return wandb.Table(columns=columns, data=data)


def _means(rows: Sequence[Row]) -> dict[str, float]:
    """Mean of each column of numbers with a fraction."""
    columns = [c for c in rows[0] if all(isinstance(row[c], float) for row in rows)]
    return {c: mean(float(row[c]) for row in rows) for c in columns}
