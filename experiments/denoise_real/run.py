"""Denoise real micrographs: ``python -m experiments.denoise_real.run --weights WEIGHTS``."""

import argparse
import sys
from pathlib import Path
from typing import Any

import torch
import yaml

from difftem.io.errors import InputError
from difftem.workflows.denoise.choice import TABLE
from difftem.workflows.denoise.methods import METHODS
from experiments._base.denoisers import NamedDenoiser, baselines, trained, weights_label
from experiments._base.results import save_results, write_readme
from experiments._base.score_cache import ScoreCache
from experiments.denoise_real.micrographs import RealRegion, read_regions
from experiments.denoise_real.panels import draw_panels
from experiments.denoise_real.score import RegionScores, score_region
from experiments.denoise_real.tables import choose, comparison, region_table
from experiments.denoise_real.topaz import topaz
from experiments.denoise_real.trained_on_image import adapted, split_alone

HERE = Path(__file__).parent


def report(
    scores: list[RegionScores],
    sentences: dict[str, str],
    ours: list[str],
    config: dict[str, Any],
) -> str:
    """Format all tables."""
    share = f"{100 * (1 - config['fraction']):.0f} %"
    parts = [
        f"Log likelihood of {share} of the electrons given the others, nats per 1000 pixels above "
        f"the mean image, {len(config['seeds'])} splits; in brackets what a method is above "
        f"{config['reference']}, ± the standard error of that difference over blocks of "
        f"{config['block']}² pixels.",
        "\n".join(f"- {camera}: {sentence}" for camera, sentence in sentences.items()),
    ]
    for camera, region in dict.fromkeys((each.camera, each.region) for each in scores):
        these = [each for each in scores if (each.camera, each.region) == (camera, region)]
        parts.append(f"**{camera}, {region}**")
        parts.append(region_table(these, config["bands"], config["reference"]))
    others = [name for name in dict.fromkeys(each.method for each in scores) if name not in ours]
    others = [name for name in others if name != "average"]
    if ours:
        parts.append(f"What difftem's networks are above, {config['deciding']} cycles/pixel:")
        parts.append(comparison(scores, ours, config["deciding"], others))
    return "\n\n".join(parts)


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
            if region.name == last or not each.name.startswith(tuple(config["small_only"]))
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


def main() -> int:
    """Measure, print, keep."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--weights", nargs="*", default=[], help="files, or names of shipped weights"
    )
    parser.add_argument("--micrographs", type=Path, default=Path("../shared/data/micrographs"))
    parser.add_argument("--adapt", action="store_true", help="also 60 s of --adapt: 6 more minutes")
    parser.add_argument("--split", action="store_true", help="also split from scratch: 16 minutes")
    parser.add_argument("--topaz", help="Topaz's executable: 4 minutes")
    parser.add_argument("--quick", action="store_true", help="one split; writes no README")
    parser.add_argument("--runs", type=Path, default=Path("runs/denoise_real"))
    parser.add_argument("--panels", type=Path, help="folder for pictures")
    parser.add_argument(
        "--write-choice", action="store_true", help="write difftem's default method"
    )
    parser.add_argument("--wandb", action="store_true", help="log the table to W&B, offline")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    config = yaml.safe_load((HERE / "config.yaml").read_text("utf-8"))
    if arguments.quick:
        config["seeds"] = config["seeds"][:1]
    try:
        regions = read_regions(arguments.micrographs, config)
    except InputError as error:
        print(error, file=sys.stderr)
        return 2
    denoisers = baselines(config["baselines"])
    if arguments.topaz:
        denoisers += [topaz(arguments.topaz, model) for model in config["topaz_models"]]
    ours: list[str] = []
    for weights in arguments.weights:
        name = "sbd" if len(arguments.weights) == 1 else f"sbd {weights_label(weights)}"
        networks = trained(weights, name)
        if arguments.adapt:
            networks.append(adapted(weights, name, config["adapt_seconds"]))
        ours += [each.name for each in networks]
        denoisers += networks
    if arguments.split:
        denoisers.append(split_alone(config["split_seconds"]))
        ours.append(denoisers[-1].name)
    scores = all_scores(regions, denoisers, config, ScoreCache(arguments.runs / "scores.jsonl"))
    sentences = {each.camera: each.sentence for each in regions}
    text = report(scores, sentences, ours, config)
    print(text)
    if arguments.panels:
        draw_panels(denoisers, regions, config, arguments.panels)
    if arguments.write_choice:
        write_choice(scores, config)
    rows = [row for each in scores for row in each.rows()]
    if arguments.wandb:
        from experiments._base.log_tables import log_tables

        log_tables("denoise_real", {"likelihood": rows}, config)
    if not arguments.quick:
        save_results(HERE, "likelihood", {"rows": rows})
        write_readme(HERE, "run.py", text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
