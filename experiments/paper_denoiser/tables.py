"""Tables and figure of the paper's denoiser."""

import math
from pathlib import Path
from typing import Any

import numpy as np
from torch import Tensor

from difftem.pictures import draw_array
from experiments._base.results import markdown_table, mean_and_sd

Row = dict[str, Any]
_COLUMNS = {
    "correlation": ("correlation with the truth", 3),
    "with_average": ("with the average", 3),
    "contrast": ("contrast over the average's", 2),
    "brightness": ("brightness over the average's", 2),
    "psnr": ("PSNR in dB", 1),
}


def score_table(rows: list[Row]) -> str:
    """One line for each setting and method, mean and standard deviation over the seeds."""
    lines = []
    for setting, method in dict.fromkeys((tuple(row["setting"]), row["method"]) for row in rows):
        own = [row for row in rows if (tuple(row["setting"]), row["method"]) == (setting, method)]
        values = [mean_and_sd([row[k] for row in own], d) for k, (_, d) in _COLUMNS.items()]
        lines.append([f"({setting[0]:g}, {setting[1]})", method, *values])
    columns = ["e/nm², projections", "method", *(title for title, _ in _COLUMNS.values())]
    return markdown_table(columns, lines)


def verdict(rows: list[Row], config: Row) -> str:
    """Say whether the optimiser is the average, and the authors' figure is met."""
    first = next(iter(config["optimisers"]))
    differences = []
    for setting in config["settings"]:
        here = [row for row in rows if row["setting"] == setting]
        learnt, average = (
            [row["correlation"] for row in here if row["method"] == name]
            for name in (first, "average")
        )
        difference = sum(learnt) / len(learnt) - sum(average) / len(average)
        differences.append(f"{difference:+.3f} at ({setting[0]:g}, {setting[1]})")
    reference = config["reference"]
    own = [
        row["correlation"]
        for row in rows
        if row["setting"] == reference["setting"] and row["method"] == first
    ]
    mean = sum(own) / len(own)
    met = abs(mean - reference["optimiser"]) <= reference["within"]
    return (
        "The optimiser's correlation with the truth is above the average's by "
        f"{', '.join(differences)} (e/nm², projections). At "
        f"({reference['setting'][0]}, {reference['setting'][1]}) it is "
        f"{mean:.3f}; the authors' program gave {reference['optimiser']:.3f}, beside "
        f"{reference['average']:.3f} of its average: "
        f"{'reproduced' if met else 'not reproduced'} within {reference['within']}."
    )


def drift_table(rows: list[Row], config: Row) -> str:
    """Contrast at the end beside what the range of noisy copies predicts of it."""
    first = next(iter(config["optimisers"]))
    lines = []
    for setting in config["settings"]:
        own = [row for row in rows if row["setting"] == setting and row["method"] == first]
        n, bright = setting[1], sum(row["brightness"] for row in own) / len(own)
        steady = math.sqrt(bright * n / (n - 1)) if n > 1 else math.inf
        grown = [_at(row["curve"], part) for row in own for part in (0.5, 1.0)]
        halves = grown[::2], grown[1::2]
        lines.append(
            [
                f"({setting[0]:g}, {n})",
                *(mean_and_sd(half, 2) for half in halves),
                f"{steady:.2f}" if n > 1 else "none: it grows",
            ]
        )
    steps = config["steps"]
    columns = ["setting", f"after {steps // 2} steps", f"after {steps}", "steady state"]
    return markdown_table(columns, lines)


def draw(
    drawn: dict[str, Tensor], rows: list[Row], config: Row, path: Path, methods: list[str]
) -> None:
    """Draw truth, average and what was learnt at one grey scale; below, curves over the steps."""
    from matplotlib.figure import Figure

    names = ["truth", *(name for name in methods if name in drawn)]
    figure = Figure((9.0, 4.6), layout="constrained")
    top, bottom = figure.subfigures(2, 1, height_ratios=[1.0, 1.15])
    scale = 2.5 * float(drawn["average"].std())
    for axis, name in zip(top.subplots(1, len(names)), names, strict=True):
        image = drawn[name] - drawn[name].mean()
        draw_array(axis, image, (-scale, scale))
        axis.set_title(name, fontsize=7)
        axis.set_axis_off()
    first, seed = next(iter(config["optimisers"])), config["panel"]["seed"]
    left, right = bottom.subplots(1, 2)
    colours = [f"C{k}" for k in range(len(config["settings"]))]
    for setting, colour in zip(config["settings"], colours, strict=True):
        one = {
            row["method"]: row for row in rows if row["setting"] == setting and row["seed"] == seed
        }
        steps = [point["step"] for point in one[first]["curve"]]
        label = f"({setting[0]:g}, {setting[1]})"
        for axis, key in ((left, "correlation"), (right, "contrast")):
            values = [point[key] for point in one[first]["curve"]]
            axis.plot(steps, values, color=colour, label=label)
        left.axhline(one["average"]["correlation"], color=colour, ls=":", lw=1)
    right.axhline(1.0, color="gray", ls=":", lw=1)
    left.set(xlabel="step of Adam", ylabel="correlation with the truth", ylim=(0, None))
    left.set_title("lines: learnt; dotted: the average", fontsize=8)
    right.set(xlabel="step of Adam", ylabel="contrast over the average's", ylim=(0, None))
    right.legend(loc="lower right", fontsize=7, title="e/nm², projections", title_fontsize=7)
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=90)


def _at(curve: list[Row], part: float) -> float:
    """Contrast after a part of the steps."""
    index = int(np.ceil(part * len(curve))) - 1
    return float(curve[index]["contrast"])
