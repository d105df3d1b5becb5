"""Curves over dose, and panels at one grey scale."""

import math
from collections.abc import Sequence
from pathlib import Path
from statistics import mean, stdev
from typing import Any

from experiments._base.denoisers import NamedDenoiser
from experiments._base.panels import draw_rows
from experiments._base.rows import Row, pick, values_of
from experiments._base.truth_scores import denoised
from experiments._base.users_methods import fits
from experiments.denoise_dose.setting import clean_scene, electrons_per_pixel, expose
from experiments.denoise_dose.tables import name_of

_HIDDEN = ("constant",)  # is nothing to look at
_SPREAD = 8.0  # standard deviations of the truth from grey to black or white


def draw_curves(rows: Sequence[Row], config: dict[str, Any], path: Path) -> None:
    """Draw each metric over dose, a column for each number of projections; bars are ± 1 sd."""
    from matplotlib.figure import Figure

    metrics = config["curves"]
    numbers = [n for n in config["projections"] if pick(rows, projections=n)]
    methods = [m for m in values_of(rows, "method") if m not in _HIDDEN]
    figure = Figure((2.7 * len(numbers), 2.4 * len(metrics) + 0.6), layout="constrained")
    axes = figure.subplots(len(metrics), len(numbers), squeeze=False, sharex=True, sharey="row")
    for line, metric in zip(axes, metrics, strict=True):
        for axis, n in zip(line, numbers, strict=True):
            for index, method in enumerate(methods):
                points = _points(pick(rows, method=method, projections=n), metric)
                axis.errorbar(
                    *points,
                    color=f"C{index % 10}",
                    marker="osv^Dx"[index // 10 % 6 if len(points[0]) > 2 else 5],
                    ms=3,
                    lw=1.2 if len(points[0]) > 2 else 0,
                    elinewidth=1,
                    label=method,
                )
            axis.set_xscale("log")
            axis.grid(alpha=0.3)
        line[0].set_ylabel(metric.replace("_", " "), fontsize=8)
    for axis, n in zip(axes[0], numbers, strict=True):
        axis.set_title(f"{n} projection{'s' if n > 1 else ''}", fontsize=9)
    for axis in axes[-1]:
        axis.set_xlabel("e/nm² in one projection", fontsize=8)
    handles, labels = axes[0][0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside upper center", ncols=8, fontsize=8)
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=90)


def _points(rows: Sequence[Row], metric: str) -> tuple[list[float], list[float], list[float]]:
    """Doses, means and standard deviations over seeds."""
    doses = sorted({row["dose_e_per_nm2"] for row in rows})
    values = [[r[metric] for r in pick(rows, dose_e_per_nm2=dose)] for dose in doses]
    deviations = [stdev(v) if len(v) > 1 else 0.0 for v in values]
    return doses, [mean(v) for v in values], deviations


def draw_panels(
    denoisers: Sequence[NamedDenoiser],
    config: dict[str, Any],
    structures: Path,
    folder: Path,
    path: Path,
) -> None:
    """Draw what methods make of some settings, as contrast: all of them in one grey scale."""
    clean, _ = clean_scene(structures, folder)
    rows = []
    for dose, n in config["panels"]:
        electrons = electrons_per_pixel(dose)
        exposed = expose(clean, electrons, n, seed=0)
        images = {
            each.name: exposed.seen(denoised(each, exposed, 0)[0]) / math.sqrt(electrons)
            for each in denoisers
            if each.name in config["panel_methods"] and fits(each.name, n)
        }
        truth = exposed.seen(exposed.truth) / math.sqrt(electrons)
        rows.append((f"{name_of(dose, n)}", images | {"truth": truth}))
    draw_rows(rows, path, "dose in e/nm², projections; one grey scale", _SPREAD, 60)
