"""Denoise real micrographs: ``python -m experiments.denoise_real.run --weights WEIGHTS``."""

import argparse
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
import yaml
from torch import Tensor

from difftem.io.errors import InputError
from difftem.workflows.denoise.choice import TABLE
from difftem.workflows.denoise.methods import METHODS
from experiments._base.denoisers import NamedDenoiser, trained, weights_label
from experiments._base.results import write_readme
from experiments._base.rows import merged_rows, read_rows, write_rows
from experiments._base.score_cache import ScoreCache
from experiments._base.users_methods import users_methods
from experiments.denoise_real.micrographs import RealRegion, read_pairs, read_regions
from experiments.denoise_real.panels import draw_panels
from experiments.denoise_real.paper_settings import paper_settings
from experiments.denoise_real.score import HALVES, RegionScores, score_region
from experiments.denoise_real.tables import (
    against_input_table,
    choose,
    comparison,
    csv_rows,
    deciding_table,
    halves_table,
    region_table,
    scores_of,
    squared_error_table,
)
from experiments.denoise_real.trained_on_image import adapted, split_alone

HERE = Path(__file__).parent
NAME = "denoise_real"
SCORES = HERE / "results" / "scores.csv"


def read_config() -> dict[str, Any]:
    """Read what is scored, and how."""
    config: dict[str, Any] = yaml.safe_load((HERE / "config.yaml").read_text("utf-8"))
    return config


def report(scores: list[RegionScores], config: dict[str, Any]) -> str:
    """Format all tables."""
    share = f"{100 * (1 - config['fraction']):.0f} %"
    parts = [
        f"Log likelihood of {share} of the electrons given the others, nats per 1000 pixels above "
        f"the mean image, {len(config['seeds'])} splits; in brackets what a method is above "
        f"{config['reference']}, ± the standard error of that difference over blocks of "
        f"{config['block']}² pixels. Of a pair, one scan given the other, both ways round.",
    ]
    regions = list(dict.fromkeys((each.camera, each.region) for each in scores))
    for camera, region in regions:
        these = [each for each in scores if (each.camera, each.region) == (camera, region)]
        parts.append(f"**{camera}, {region}**")
        parts.append(region_table(these, _bands(these, config), config["reference"]))
    ours = [e.method for e in scores if e.method.startswith(tuple(config["ours"]))]
    ours = list(dict.fromkeys(ours))
    others = [name for name in dict.fromkeys(each.method for each in scores) if name not in ours]
    others = [name for name in others if name not in config["equal_to_average"]]
    if ours:
        parts.append(f"What difftem's networks are above, {config['deciding']} cycles/pixel:")
        parts.append(comparison(scores, ours, config["deciding"], others))
    parts.append(
        "The same splits as uMSE (Marcos Morales et al., ICML 2023), an unbiased squared error "
        "without a truth, in variances of the noise; in brackets how much less it is than "
        f"{config['reference']}'s. uPSNR has the mean brightness as its peak. Ice counts as signal."
    )
    for camera, region in regions:
        these = [each for each in scores if (each.camera, each.region) == (camera, region)]
        parts += [f"**{camera}, {region}**", squared_error_table(these, config["reference"])]
    parts.append(
        "Halves of the electrons, each denoised by itself: up to which frequency they agree (FRC "
        "0.143), with each other and with the other half as it is; and what a method takes off, "
        "whose variance is 1 where it is noise. A method that draws the same into both halves, "
        "ice or its own inventions, agrees with itself."
    )
    small = {each.region for each in scores if HALVES[0] in each.numbers}
    for camera, region in regions:
        these = [each for each in scores if (each.camera, each.region) == (camera, region)]
        if region in small:
            parts += [f"**{camera}, {region}**", halves_table(these)]
    parts.append(
        "The columns of the DiffTEM paper's Table 2: how much a result agrees with *the noisy "
        "image itself*, each stretched from 0 to 1. They reward leaving the noise in: the average "
        "of one exposure is the exposure, and cannot be beaten."
    )
    last = list(config["regions"])[-1]
    for camera, region in regions:
        these = [each for each in scores if (each.camera, each.region) == (camera, region)]
        if region == last or camera in config["pairs"]:
            parts += [f"**{camera}, {region}**", against_input_table(these)]
    return "\n\n".join(parts)


def _bands(scores: list[RegionScores], config: dict[str, Any]) -> list[str]:
    """Bands of the table that a region has."""
    return [band for band in config["bands"] if band in scores[0].blocks]


def summary(config: dict[str, Any]) -> str:
    """Format what docs/comparison/denoisers.md shows: the deciding band of all regions."""
    return deciding_table(scores_of(read_rows(SCORES)), config)


def publish(config: dict[str, Any]) -> None:
    """Write the tables again from the CSV file."""
    write_readme(HERE, "run.py", report(scores_of(read_rows(SCORES)), config))


def all_scores(
    regions: list[RealRegion],
    denoisers: list[NamedDenoiser],
    config: dict[str, Any],
    cache: ScoreCache,
) -> list[RegionScores]:
    """Score everything; slow methods on the last region of each micrograph only."""
    last = list(config["regions"])[-1]
    scores = []
    for region in regions:
        wanted = [
            each
            for each in denoisers
            if region.name == last
            or region.seeds is not None
            or not each.name.startswith(tuple(config["small_only"]))
        ]
        scores += score_region(wanted, region, config, cache)
    return scores


def write_choice(scores: list[RegionScores], config: dict[str, Any]) -> None:
    """Write the table that `difftem denoise` takes its default from: of methods with its names."""
    scored = {each.method for each in scores}
    found = choose(scores, [name for name in METHODS if name in scored], config)
    TABLE.write_text(
        "# Written by python -m experiments.denoise_real.run --write-choice.\n"
        + yaml.safe_dump(found, sort_keys=False, width=90, allow_unicode=True),
        "utf-8",
    )
    print(f"{TABLE}: {found['method']}, {found['why']}")


def chosen_methods(
    weights: list[str], adapt: bool, split: bool, config: dict[str, Any], slow: bool = False
) -> list[NamedDenoiser]:
    """All that is scored."""
    denoisers = users_methods([*config["baselines"], *(config["slow"] if slow else [])])
    denoisers += paper_settings(denoisers)
    for each in weights:
        name = "sbd" if len(weights) == 1 else f"sbd {weights_label(each)}"
        denoisers += trained(each, name)
        if adapt:
            denoisers.append(adapted(each, name, config["adapt_seconds"]))
    if split:
        denoisers.append(split_alone(config["split_seconds"]))
    return denoisers


def main() -> int:
    """Measure, print, keep."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--weights", nargs="*", default=["cryo"], help="files, or names of shipped weights"
    )
    parser.add_argument("--micrographs", type=Path, default=Path("../shared/data/micrographs"))
    parser.add_argument("--pairs", type=Path, default=Path("../shared/data/pairs"))
    parser.add_argument(
        "--only", nargs="+", metavar="METHOD", help="score these, keep what is known of others"
    )
    parser.add_argument("--adapt", action="store_true", help="also 60 s of --adapt: 6 more minutes")
    parser.add_argument("--split", action="store_true", help="also split from scratch: 16 minutes")
    parser.add_argument("--known", action="store_true", help="only what earlier runs have scored")
    parser.add_argument("--slow", action="store_true", help="also methods that take an hour")
    parser.add_argument("--quick", action="store_true", help="one split; writes no README")
    parser.add_argument("--runs", type=Path, default=Path("runs") / NAME)
    parser.add_argument("--panels", type=Path, help="folder for pictures")
    parser.add_argument(
        "--write-choice", action="store_true", help="write difftem's default method"
    )
    parser.add_argument("--wandb", action="store_true", help="log to W&B, offline")
    arguments = parser.parse_args()
    if arguments.write_choice and arguments.only:
        parser.error("--write-choice compares all methods: leave out --only")
    torch.set_num_threads(1)
    config = read_config()
    if arguments.quick:
        config["seeds"] = config["seeds"][:1]
    try:
        regions = read_regions(arguments.micrographs, config)
        regions += read_pairs(arguments.pairs, config)
    except InputError as error:
        print(error, file=sys.stderr)
        return 2
    denoisers = chosen_methods(
        arguments.weights, arguments.adapt, arguments.split, config, arguments.slow
    )
    if arguments.only:
        wanted = {*arguments.only, config["reference"]}
        denoisers = [each for each in denoisers if each.name in wanted]
    if arguments.known:
        denoisers = [replace(each, run=_not_yet) for each in denoisers]
    scores = all_scores(regions, denoisers, config, ScoreCache(arguments.runs / "scores.jsonl"))
    if arguments.known:  # all splits, or none
        seeds = {(r.camera, r.name): len(r.seeds or config["seeds"]) for r in regions}
        scores = [e for e in scores if len(e.blocks["total"]) == seeds[e.camera, e.region]]
    for region in regions:
        print(f"{region.camera}: {region.sentence}")
    rows = csv_rows(scores)
    if arguments.only and not arguments.quick:
        facts = ("camera", "region", "band")
        rows = merged_rows(read_rows(SCORES), rows, facts, config["reference"], "mean")
        scores = scores_of(rows)
    print(report(scores, config))
    pictures: list[Path] = []
    if arguments.panels:
        pictures = draw_panels(denoisers, regions, config, arguments.panels)
    if arguments.write_choice:
        write_choice([e for e in scores if e.camera in config["micrographs"]], config)
    if arguments.wandb:
        from experiments._base.log_comparison import log_comparison

        log_comparison(NAME, [_without_blocks(row) for row in rows], config, pictures)
    if not arguments.quick:
        write_rows(SCORES, rows)
        publish(config)
    return 0


def _not_yet(*_: Any) -> Tensor:
    raise ValueError("no score yet")


def _without_blocks(row: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in row.items() if name != "blocks"}


if __name__ == "__main__":
    sys.exit(main())
