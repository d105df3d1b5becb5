"""Train networks that see more and less, and score them beside classical methods.

``python -m experiments.sbd_field_of_view.run --set runs/sbd_set`` trains what is missing (a
training that was stopped goes on), scores everything on the same frames, and writes the README.
``--networks dncnn unet_893`` trains some of them, e.g. on a GPU (``--accelerator gpu``); the rows
of the others stay as they are.
"""

import argparse
import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
import yaml

from difftem.io.errors import InputError
from difftem.networks import computed_field
from difftem.workflows.denoise.load_network import load_network, shipped_names
from experiments._base.denoisers import NamedDenoiser, trained
from experiments._base.nanoparticle_frames import held_out_frames, sbd_frames
from experiments._base.nanoparticle_scores import classical, score_frames
from experiments._base.results import write_readme
from experiments._base.rows import Row, merged_rows, read_rows, write_rows
from experiments._base.score_cache import ScoreCache
from experiments._base.train_leg import Leg, train
from experiments.sbd_field_of_view.frame_time import frame_seconds
from experiments.sbd_field_of_view.pictures import draw_pictures
from experiments.sbd_field_of_view.tables import report

HERE = Path(__file__).parent
TRAINING = HERE.parent / "sbd_training"
SCORES, NETWORKS = HERE / "results" / "scores.csv", HERE / "results" / "networks.json"
FACTS = ("frames", "model", "seed", "vacuum_e_per_pixel")


def main() -> None:
    """Train, score, print, keep."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=_formatter)
    add = parser.add_argument
    add("--set", type=Path, default=Path("runs/sbd_set"), help="folder of images")
    add("--sbd-image", type=Path, default=Path("../shared/data/nanoparticles/ptceo2_clean.tif"))
    add("--networks", nargs="*", help="to train and to score (default: all of config.yaml)")
    add("--minutes", type=float, help="instead of config.yaml's, also of networks without any")
    add("--accelerator", default="cpu", choices=("cpu", "gpu"))
    add("--no-training", action="store_true", help="score what is trained")
    add("--no-baselines", action="store_true", help="only Wiener's of the classical methods")
    add("--runs", type=Path, default=Path("runs/sbd_field_of_view"))
    add("--pictures", type=Path, help="folder for pictures")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    config = yaml.safe_load((HERE / "config.yaml").read_text("utf-8"))
    known = config["networks"]
    names = list(known) if arguments.networks is None else arguments.networks
    unknown = [name for name in names if name not in known]
    if unknown:
        raise InputError(f"--networks must be of {', '.join(known)}; got {', '.join(unknown)}")
    made = train_all(names, config, arguments)
    if arguments.no_baselines:
        config["baselines"] = {config["reference"]: {}}
    rows, denoisers = score_all(made, config, arguments)
    old = read_rows(SCORES) if SCORES.is_file() else []
    rows = merged_rows(old, rows, FACTS, config["reference"], "sbd")
    facts = json.loads(NETWORKS.read_text("utf-8")) if NETWORKS.is_file() else {}
    facts |= {name: facts_of(name, leg, done) for name, (leg, done) in made.items()}
    shipped = config["shipped"]
    if shipped in shipped_names():
        facts[shipped] = shipped_facts(shipped)
        facts["seconds per 1024 x 1024 frame"] = frame_seconds(shipped)
    write_rows(SCORES, rows)
    NETWORKS.write_text(json.dumps(facts, indent=1) + "\n", "utf-8")
    text = report(rows, facts, yaml.safe_load((HERE / "config.yaml").read_text("utf-8")))
    print(text)
    write_readme(HERE, "run.py", text)
    if arguments.pictures:
        draw_pictures(denoisers, arguments, arguments.pictures)


def train_all(
    names: Sequence[str], config: dict[str, Any], arguments: argparse.Namespace
) -> dict[str, tuple[Leg, dict[str, Any]]]:
    """Train what is missing; seed after seed, so that a stop leaves as many of each."""
    made = {}
    legs = []
    for name in names:
        network = config["networks"][name]
        minutes = arguments.minutes or network.get("minutes")
        if minutes is None:
            print(f"{name}: not trained, {network['lacking']} (--minutes trains it)")
            continue
        for seed in network.get("seeds", [0]):
            options = {
                "seed_everything": seed,
                "data.init_args.seed": seed,
                "data.init_args.folder": str(arguments.set),
                "trainer.accelerator": arguments.accelerator,
                **network.get("options", {}),
            }
            folder = arguments.runs / name / f"seed{seed}"
            leg = Leg(folder, TRAINING / f"{name}.yaml", options, minutes)
            legs.append((seed, f"{name}, seed {seed}", leg))
    for _, label, leg in sorted(legs, key=lambda each: each[0]):
        done = leg.done() if arguments.no_training else train(leg)
        if done is None:
            print(f"{label}: not trained yet")
            continue
        print(f"{label}: {done['steps']} steps, {done['cpu_seconds']:.0f} s", flush=True)
        made[label] = (leg, done)
    return made


def score_all(
    made: dict[str, tuple[Leg, dict[str, Any]]],
    config: dict[str, Any],
    arguments: argparse.Namespace,
) -> tuple[list[Row], list[NamedDenoiser]]:
    """Score classical methods and networks, on held-out models and on SBD's image."""
    denoisers = classical(config["baselines"])
    shipped = config["shipped"]
    own = trained(shipped, shipped, balanced=True) if shipped in shipped_names() else []
    networks = [
        replace(trained(str(leg.weights), name, False)[0], name=name)
        for name, (leg, _) in made.items()
    ]
    cache = ScoreCache(arguments.runs / "scores.jsonl")
    seeds = config["noise_seeds"]
    everything = [*denoisers, *own, *networks]
    slow = [each for each in everything if each.name.partition(",")[0] in config["slow"]]
    quick = [each for each in everything if each not in slow]
    rows = []
    for chosen, noises in ((quick, seeds), (slow, seeds[: config["noises_of_slow"]])):
        frames = held_out_frames(arguments.set, config["models"], noises)
        rows += score_frames(chosen, frames, cache, "held out")
    if arguments.sbd_image.is_file():
        frames = sbd_frames(arguments.sbd_image, seeds)
        rows += score_frames(everything, frames, cache, "SBD's image")
    few = [each for each in denoisers if each.name == config["reference"]] + own
    for level in config["vacuum_levels"]:
        frames = held_out_frames(arguments.set, config["models"], seeds[:1], level)
        rows += score_frames(few, frames, cache, "vacuum level")
    return rows, everything


def facts_of(name: str, leg: Leg, done: dict[str, Any]) -> dict[str, Any]:
    """Tell what a network is, and what its training took."""
    network = load_network(leg.weights)
    field = computed_field(network)  # type: ignore[arg-type]  # those of this package
    return {
        "network": name.partition(",")[0],
        "weights": sum(each.numel() for each in network.parameters()),
        "field": [field.least, field.most],
        "steps": done["steps"],
        "minutes": round(done["cpu_seconds"] / 60, 2),
    }


def shipped_facts(name: str) -> dict[str, Any]:
    """Tell the same of the network that comes with the package."""
    network: Any = load_network(name)
    field = computed_field(network)
    training = network.account["training"]
    return {
        "network": name,
        "weights": sum(each.numel() for each in network.parameters()),
        "field": [field.least, field.most],
        "steps": training["steps"],
        "minutes": round(training["seconds"] / 60, 1),
    }


def _formatter(prog: str) -> argparse.HelpFormatter:
    return argparse.RawDescriptionHelpFormatter(prog)


if __name__ == "__main__":
    main()
