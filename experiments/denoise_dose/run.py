"""Score denoisers over dose and projections: ``python -m experiments.denoise_dose.run``."""

import argparse
import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
import yaml

from difftem.io.errors import InputError
from experiments._base.results import write_readme
from experiments._base.rows import Row, merged_rows, read_rows, values_of, write_rows
from experiments.denoise_dose.figures import draw_curves, draw_panels
from experiments.denoise_dose.score import chosen_methods, score_settings
from experiments.denoise_dose.tables import (
    grid_table,
    short_table,
    summary_table,
    time_table,
    verdict,
)

HERE = Path(__file__).parent
NAME, REFERENCE = "denoise_dose", "wiener"
SCORES, CURVES = HERE / "results" / "scores.csv", HERE / "results" / "curves.png"


def read_config() -> dict[str, Any]:
    """Read the axes."""
    config: dict[str, Any] = yaml.safe_load((HERE / "config.yaml").read_text("utf-8"))
    return config


def report(rows: Sequence[Row], config: dict[str, Any]) -> str:
    """Format all tables."""
    seeds = len(values_of(rows, "seed"))
    parts = [
        f"Mean ± standard deviation over {seeds} seeds of the noise; settings are (dose of a "
        "projection in e/nm², projections).",
        verdict(rows, config),
        *(short_table(rows, column, config) for column in config["tables"]),
        time_table(rows, config),
    ]
    general = config["general"]
    if general in values_of(rows, "method"):
        parts.append("Doses down, projections across; in brackets what it is above Wiener's:")
        parts.append(grid_table(rows, general, "psnr_truth_range_db", REFERENCE))
        parts.append(grid_table(rows, general, "correlation", REFERENCE))
    return "\n\n".join(parts)


def summary(config: dict[str, Any]) -> str:
    """Format what docs/comparison/denoisers.md shows."""
    rows = read_rows(SCORES)
    return f"{summary_table(rows, config)}\n\n{verdict(rows, config)}"


def with_all_seeds(rows: Sequence[Row], seeds: int) -> list[Row]:
    """Leave out a method at a setting where seeds are missing."""
    names = ("method", "dose_e_per_nm2", "projections")
    count = Counter(tuple(row[name] for name in names) for row in rows)
    return [row for row in rows if count[tuple(row[name] for name in names)] == seeds]


def publish(config: dict[str, Any]) -> None:
    """Write tables and curves again from the CSV file."""
    rows = read_rows(SCORES)
    draw_curves(rows, config, CURVES)
    write_readme(HERE, "run.py", report(rows, config))


def quick(config: dict[str, Any]) -> dict[str, Any]:
    """One seed, two doses, methods that take no time."""
    config["seeds"], config["projections"] = config["seeds"][:1], [1, 2]
    config["doses_e_per_nm2"] = config["doses_e_per_nm2"][:2]
    config["key_settings"] = config["panels"] = [[100, 1], [100, 2]]
    config["methods"]["everywhere"] = ["constant", "average", "gaussian", "wiener", "sbd"]
    return config


def main() -> int:
    """Measure, keep, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--weights", help="file of the network trained on this setting alone")
    parser.add_argument("--structures", type=Path, default=Path("../shared/data/structures"))
    parser.add_argument("--runs", type=Path, default=Path("runs") / NAME)
    parser.add_argument("--fast-only", action="store_true", help="leave out slow methods")
    parser.add_argument(
        "--only", nargs="+", metavar="METHOD", help="score these, keep what is known of others"
    )
    parser.add_argument("--known", action="store_true", help="only what earlier runs have scored")
    parser.add_argument("--quick", action="store_true", help="two doses, one seed; keeps nothing")
    parser.add_argument("--panels", type=Path, help="PNG of pictures to draw")
    parser.add_argument("--wandb", action="store_true", help="log to W&B, offline")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    config = quick(read_config()) if arguments.quick else read_config()
    everywhere, short = chosen_methods(config, arguments.weights)
    if arguments.quick or arguments.fast_only:
        short = []
    if arguments.only:
        wanted = {*arguments.only, REFERENCE}
        everywhere = [each for each in everywhere if each.name in wanted]
        short = [each for each in short if each.name in wanted]
    try:
        rows = score_settings(
            everywhere, short, config, arguments.structures, arguments.runs, arguments.known
        )
    except InputError as error:
        print(error, file=sys.stderr)
        return 2
    if arguments.known:
        rows = with_all_seeds(rows, len(config["seeds"]))
    if arguments.only and not arguments.quick:
        facts = ("dose_e_per_nm2", "projections", "seed")
        rows = merged_rows(read_rows(SCORES), rows, facts, REFERENCE, "nmse")
    print(report(rows, config))
    if arguments.panels:
        methods = [*everywhere, *short]
        draw_panels(methods, config, arguments.structures, arguments.runs, arguments.panels)
    if arguments.wandb:
        from experiments._base.log_comparison import log_comparison

        pictures = [path for path in (arguments.panels,) if path]
        log_comparison(NAME, rows, config, pictures)
    if not arguments.quick:
        write_rows(SCORES, rows)
        publish(config)
    return 0


if __name__ == "__main__":
    sys.exit(main())
