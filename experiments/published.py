"""Log what is published in ``experiments/*/results`` to W&B: ``python -m experiments.published``.

Offline unless the environment says otherwise (WANDB_MODE); `wandb sync runs/wandb/offline-*` sends
it. Nothing is computed anew: rows are those that the READMEs are written from.
"""

import argparse
import csv
import json
from collections.abc import Callable, Sequence
from pathlib import Path
from statistics import mean
from typing import Any

from experiments._base.log_comparison import log_comparison
from experiments._base.rows import Row, read_rows

HERE = Path(__file__).parent
IMAGES = HERE.parent / "docs" / "images"


def _scores(experiment: str) -> list[Row]:
    """Rows of scores, without what only their errors are computed from."""
    rows = read_rows(HERE / experiment / "results" / "scores.csv")
    words = {k for row in rows for k, v in row.items() if isinstance(v, str)}
    numbers = {k for row in rows for k, v in row.items() if isinstance(v, float)} - words
    return [
        {k: float(v) if k in numbers else v for k, v in row.items() if k != "blocks"}
        for row in rows
    ]


def _result(experiment: str, name: str) -> Any:
    return json.loads((HERE / experiment / "results" / f"{name}.json").read_text("utf-8"))


def _mtf_losses() -> list[Row]:
    """Make a row for each loss, detector and level of the noise: means over seeds."""
    names = ("max_error", "mean_error", "coverage")
    rows = []
    for run, seeds in _result("mtf_recovery", "runs").items():
        detector, loss, level = run.split("/")
        means = {name: mean(float(each[f"fit/{name}"]) for each in seeds) for name in names}
        rows.append({"method": loss, "detector": detector, "level": level, **means})
    return rows


def _columns() -> list[Row]:
    """Make a row for each site and test of it."""
    rows = []
    with (HERE / "sbd_analysis" / "results" / "sites.csv").open(encoding="utf-8") as file:
        for site in csv.DictReader(file):
            for method in ("neighbours", "denoised", "sbd"):
                found = {n: float(site[f"{method}_{n}"]) for n in ("auc", "absent_positive")}
                rows.append(
                    {"method": method, "model": site["model"], "site": site["site"]} | found
                )
    return rows


def _simulator_seconds() -> list[Row]:
    """Make a row for each program, with a column for each stage of each case."""
    rows: dict[str, Row] = {name: {"method": name} for name in ("difftem", "abtem")}
    for case, found in _result("simulator_speed", "amd_epyc_2")["cases"].items():
        for stage, programs in found["stages"].items():
            if rows.keys() <= programs.keys():  # what both were timed at
                for name, row in rows.items():
                    key = f"{case}_{stage}_seconds"
                    row[key] = float(programs[name]["wall_s"]["median"])
    return list(rows.values())


def _kernel_seconds() -> list[Row]:
    """Make a row for each implementation, with a column for each op and size."""
    rows: dict[str, Row] = {}
    for each in _result("kernel_speed", "amd_epyc_2_cores")["times"]:
        row = rows.setdefault(each["by"], {"method": each["by"]})
        side = each["size"].partition("²")[0]
        for way in ("forward", "both"):
            if each.get(way):
                row[f"{each['op']}_{side}_{way}_seconds"] = float(each[way]["median"])
    shared = set.intersection(*({*row} for row in rows.values()))
    return [{k: v for k, v in row.items() if k in shared} for row in rows.values()]


def _denoise_seconds() -> list[Row]:
    return [
        {
            "method": row["method"],
            "side": row["side"],
            "seconds": float(row["seconds"]),
            "cpu_seconds": float(row["cpu"]),
            "peak_gb": row["peak"] / 1e9,
        }
        for row in _result("denoise_speed", "side4096")["rows"]
    ]


# Of each experiment: its rows, and pictures that are published.
PUBLISHED: dict[str, tuple[Callable[[], list[Row]], tuple[Path, ...]]] = {
    "mtf_recovery": (_mtf_losses, (HERE / "mtf_recovery/results/errors.png",)),
    "denoise_dose": (
        lambda: _scores("denoise_dose"),
        (IMAGES / "comparison_dose.png", HERE / "denoise_dose/results/curves.png"),
    ),
    "denoise_generalise": (
        lambda: _scores("denoise_generalise"),
        (IMAGES / "comparison_generalise.png",),
    ),
    "denoise_real": (
        lambda: _scores("denoise_real"),
        (IMAGES / "comparison_falcon.png", IMAGES / "comparison_k2.png"),
    ),
    "false_positives": (lambda: _scores("false_positives"), (IMAGES / "comparison_blank.png",)),
    "sbd_field_of_view": (lambda: _scores("sbd_field_of_view"), ()),
    "sbd_analysis": (_columns, (IMAGES / "sbd_likelihood.png", IMAGES / "sbd_gradient.png")),
    "simulator_speed": (_simulator_seconds, ()),
    "kernel_speed": (_kernel_seconds, ()),
    "denoise_speed": (_denoise_seconds, ()),
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Log all of them, or some."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", nargs="+", choices=list(PUBLISHED), default=list(PUBLISHED))
    parser.add_argument("--folder", type=Path, default=Path("runs"), help="of offline runs")
    given = parser.parse_args(arguments)
    for name in given.only:
        rows, pictures = PUBLISHED[name]
        log_comparison(name, rows(), {}, pictures, given.folder)
        print(f"{name}: logged below {given.folder}/wandb")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
