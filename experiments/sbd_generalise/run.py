"""What it costs a network that its training left something out.

``python -m experiments.sbd_generalise.run --set runs/sbd_set`` trains one network for each
exclusion and one that sees everything, for as many steps, and scores them on what was left out.
"""

import argparse
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
import yaml

from difftem.data.row_limits import matches
from difftem.simulation.nanoparticles.nanoparticle_set import NanoparticleSet
from experiments._base.denoisers import trained
from experiments._base.nanoparticle_frames import held_out_frames
from experiments._base.nanoparticle_scores import (
    classical,
    difference,
    mean_and_error,
    score_frames,
)
from experiments._base.results import markdown_table, write_readme
from experiments._base.rows import Row, pick, values_of, write_rows
from experiments._base.score_cache import ScoreCache
from experiments._base.train_leg import Leg, train

HERE = Path(__file__).parent
SCORES = HERE / "results" / "scores.csv"


def main() -> None:
    """Train, score, print, keep."""
    parser = argparse.ArgumentParser(description=__doc__)
    add = parser.add_argument
    add("--set", type=Path, default=Path("runs/sbd_set"), help="folder of images")
    add("--accelerator", default="cpu", choices=("cpu", "gpu"))
    add("--no-training", action="store_true", help="score what is trained")
    add("--runs", type=Path, default=Path("runs/sbd_generalise"))
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    config = yaml.safe_load((HERE / "config.yaml").read_text("utf-8"))
    legs = train_all(config, arguments)
    rows = score_all(legs, config, arguments)
    if not rows:
        raise SystemExit("nothing is trained yet")
    write_rows(SCORES, rows)
    text = report(rows, config, images_left(arguments.set, config))
    print(text)
    write_readme(HERE, "run.py", text)


def train_all(config: dict[str, Any], arguments: argparse.Namespace) -> dict[str, Leg]:
    """Train what is missing, seed after seed; those that are done, by exclusion and seed."""
    found = {}
    for seed in config["seeds"]:
        for name in (config["everything"], *config["exclusions"]):
            exclusion = config["exclusions"].get(name, {})
            options: dict[str, Any] = {
                "seed_everything": seed,
                "data.init_args.seed": seed,
                "data.init_args.folder": str(arguments.set),
                "trainer.accelerator": arguments.accelerator,
            }
            if "where" in exclusion:
                left = {f"not_{column}": limits for column, limits in exclusion["where"].items()}
                options["data.init_args.where"] = left
            if "vacuum" in exclusion:
                options["data.init_args.vacuum"] = exclusion["vacuum"]
            path = HERE.parent / "sbd_training" / f"{config['network']}.yaml"
            folder = arguments.runs / name / f"seed{seed}"
            leg = Leg(folder, path, options, None, config["steps"])
            done = leg.done() if arguments.no_training else train(leg)
            if done is None:
                print(f"{name}, seed {seed}: not trained yet")
                continue
            print(f"{name}, seed {seed}: {done['steps']} steps, {done['cpu_seconds']:.0f} s")
            found[f"{name}, seed {seed}"] = leg
    return found


def score_all(
    legs: dict[str, Leg], config: dict[str, Any], arguments: argparse.Namespace
) -> list[Row]:
    """Score every exclusion's network on what it left out, beside that which saw everything."""
    cache = ScoreCache(arguments.runs / "scores.jsonl")
    rows = []
    for name, exclusion in config["exclusions"].items():
        networks = [
            replace(trained(str(leg.weights), label, False)[0], name=label)
            for label, leg in legs.items()
            if label.partition(",")[0] in (name, config["everything"])
        ]
        frames = held_out_frames(
            arguments.set,
            config["models"],
            config["noise_seeds"],
            where=exclusion.get("where", {}),
        )
        chosen = [*classical({config["reference"]: {}}), *networks]
        rows += score_frames(chosen, frames, cache, name)
    return rows


def images_left(folder: Path, config: dict[str, Any]) -> dict[str, int]:
    """Count the images that each training takes from."""
    rows = [row for row in NanoparticleSet(folder).rows if row["split"] == "train"]
    return {
        name: sum(not matches(row, exclusion["where"]) for row in rows)
        if "where" in exclusion
        else len(rows)
        for name, exclusion in config["exclusions"].items()
    }


def report(rows: Sequence[Row], config: dict[str, Any], left: dict[str, int]) -> str:
    """One line for each exclusion."""
    lines = []
    everything, reference = config["everything"], config["reference"]
    for name, exclusion in config["exclusions"].items():
        here = pick(rows, frames=name)
        pairs = [
            (f"{name}, seed {seed}", f"{everything}, seed {seed}")
            for seed in config["seeds"]
            if pick(here, method=f"{name}, seed {seed}")
            and pick(here, method=f"{everything}, seed {seed}")
        ]
        if not pairs:
            lines.append([exclusion["what"], left[name], *[""] * 6, "not trained yet"])
            continue
        costs = {
            column: [difference(here, own, whole, column)[0] for own, whole in pairs]
            for column in ("sbd", "particle", "surface")
        }
        above = [
            [difference(here, each, reference, "sbd")[0] for each in networks]
            for networks in zip(*pairs, strict=True)
        ]
        whole, *regions = (_spread(found) for found in costs.values())
        each = ", ".join(f"{cost:+.2f}" for cost in costs["sbd"])
        models = len(values_of(here, "model"))
        beside = [_spread(above[1]), _spread(above[0])]
        lines.append([exclusion["what"], left[name], models, whole, each, *regions, *beside])
    titles = ["left out", "images left", "models tested", "costs, dB", "each training"]
    return "\n\n".join(
        [
            f"{config['steps']} steps each, {len(config['seeds'])} trainings of each. Costs: the "
            "network that never saw it less the one that saw everything, of the same seed and on "
            "the same frames of held-out models that show it, in SBD's PSNR; whole, and by region; "
            "mean ± standard error over trainings. A negative cost is a loss.",
            markdown_table(
                [
                    *titles,
                    "particle",
                    "surface",
                    f"everything above {reference}",
                    f"left out above {reference}",
                ],
                lines,
            ),
        ]
    )


def _spread(values: Sequence[float]) -> str:
    return "{:+.2f} ± {:.2f}".format(*mean_and_error(values))


if __name__ == "__main__":
    main()
