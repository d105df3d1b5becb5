"""Denoise images of nothing by every method: ``python -m experiments.false_positives.run``."""

import argparse
import math
import sys
from collections.abc import Sequence
from pathlib import Path
from statistics import mean
from typing import Any

import torch
import yaml

from experiments._base.denoisers import NamedDenoiser
from experiments._base.panels import draw_rows
from experiments._base.results import markdown_table, mean_and_sd, write_readme
from experiments._base.rows import Row, merged_rows, pick, read_rows, values_of, write_rows
from experiments._base.score_cache import ScoreCache
from experiments._base.users_methods import other_methods, users_methods
from experiments.denoise_blank.run import BLANKS
from experiments.false_positives.score import score_blanks, whitened_blank

HERE = Path(__file__).parent
NAME, REFERENCE = "false_positives", "wiener"
SCORES = HERE / "results" / "scores.csv"


def read_config() -> dict[str, Any]:
    """Read the axes."""
    config: dict[str, Any] = yaml.safe_load((HERE / "config.yaml").read_text("utf-8"))
    return config


def report(rows: Sequence[Row], config: dict[str, Any]) -> str:
    """Format one row for each method and kind of blank, over cameras and seeds."""
    columns = {
        "specks_per_mpx": ("specks per Mpx", 1),
        "largest_percent_of_mean": ("largest, % of the mean", 2),
        "rms_percent_of_mean": ("rms, % of the mean", 3),
        "share_of_noise_power": ("share of the noise's power", 4),
    }
    lines = []
    for method in values_of(rows, "method"):
        for what in BLANKS:
            of = pick(rows, method=method, blank=what)
            cells = [
                mean_and_sd([row[name] for row in of], digits)
                for name, (_, digits) in columns.items()
            ]
            seconds = mean(row["cpu_seconds"] for row in of) / (config["size"] ** 2 / 1e6)
            lines.append([method, what, *cells, f"{seconds:.1f}"])
    titles = [title for title, _ in columns.values()]
    table = markdown_table(["method", "blank", *titles, "processor s per Mpx"], lines)
    images = len({(row["camera"], row["seed"]) for row in rows})
    text = f"Mean ± standard deviation over {images} images of {config['size']}² pixels each."
    return f"{text}\n\n{table}"


def summary(config: dict[str, Any]) -> str:
    """Format what docs/comparison/denoisers.md shows: all of it."""
    return report(read_rows(SCORES), config)


def publish(config: dict[str, Any]) -> None:
    """Write the table again from the CSV file."""
    write_readme(HERE, "run.py", report(read_rows(SCORES), config))


def draw_panels(denoisers: Sequence[NamedDenoiser], config: dict[str, Any], path: Path) -> None:
    """Draw what methods make of vacuum and of ice, as contrast in one grey scale."""
    camera, size = config["panel"]["camera"], config["panel"]["size"]
    rows = []
    for what in BLANKS:
        white = whitened_blank(what, camera, 0, config)
        images = {}
        for each in denoisers:
            if each.name not in config["panel"]["methods"]:
                continue
            generator = torch.Generator().manual_seed(0)
            found = each.run(white.values, white.electrons, generator, white.pixel_size)
            images[each.name] = found[:size, :size] / math.sqrt(white.electrons)
        rows.append((what, images))
    shown = rows[0][1]
    name = REFERENCE if REFERENCE in shown else next(iter(shown))
    ordered = [(w, {k: v for k, v in i.items() if k != name} | {name: i[name]}) for w, i in rows]
    draw_rows(ordered, path, f"{camera}, one grey scale in each row", 6.0, 60)


def main() -> int:
    """Measure, keep, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=Path, default=Path("runs") / NAME)
    parser.add_argument(
        "--only", nargs="+", metavar="METHOD", help="score these, keep what is known of others"
    )
    parser.add_argument("--quick", action="store_true", help="one camera, one seed; keeps nothing")
    parser.add_argument("--panels", type=Path, help="PNG of pictures to draw")
    parser.add_argument("--wandb", action="store_true", help="log to W&B, offline")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    config = read_config()
    names = list(config["methods"]["scored"])
    names += other_methods([*names, *config["methods"]["left_out"]])
    if arguments.only:
        names = list(dict.fromkeys([REFERENCE, *arguments.only]))
    if arguments.quick:
        names = ["constant", "gaussian", "wiener", "sbd"]
        config["seeds"] = config["seeds"][:1]
        config["cameras"] = dict(list(config["cameras"].items())[:1])
    denoisers = users_methods(names)
    rows = score_blanks(denoisers, config, ScoreCache(arguments.runs / "scores.jsonl"))
    if arguments.only and not arguments.quick:
        facts = ("camera", "blank", "seed")
        rows = merged_rows(read_rows(SCORES), rows, facts, REFERENCE, "rms_percent_of_mean")
    print(report(rows, config))
    if arguments.panels:
        draw_panels(denoisers, config, arguments.panels)
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
