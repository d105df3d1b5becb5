"""Denoise what training never saw: ``python -m experiments.denoise_generalise.run``."""

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from statistics import mean
from typing import Any

import torch
import yaml
from tqdm import tqdm

from difftem.io.errors import InputError
from experiments._base.denoisers import NamedDenoiser
from experiments._base.panels import draw_rows
from experiments._base.results import markdown_table, mean_and_sd, write_readme
from experiments._base.rows import Row, merged_rows, pick, read_rows, values_of, write_rows
from experiments._base.score_cache import ScoreCache, digest, source_digest
from experiments._base.users_methods import users_methods, with_weights
from experiments.denoise_generalise.images import (
    all_settings,
    denoised_with_error,
    make_noisy,
    scene_of,
)
from experiments.denoise_simulated.score import score

HERE = Path(__file__).parent
NAME = "denoise_generalise"
SCORES = HERE / "results" / "scores.csv"
EXACTLY = "trained on exactly that"
CODE = (
    "experiments.denoise_generalise.images",
    "experiments.denoise_simulated.images",
    "experiments.denoise_simulated.score",
)


def read_config() -> dict[str, Any]:
    """Read base and axes."""
    config: dict[str, Any] = yaml.safe_load((HERE / "config.yaml").read_text("utf-8"))
    return config


def chosen_axes(names: Sequence[str], config: dict[str, Any]) -> dict[str, list[Any]]:
    """Axes by name."""
    unknown = [name for name in names if name not in config["axes"]]
    if unknown:
        known = ", ".join(config["axes"])
        raise InputError(f"--axes must be of {known}; got {', '.join(unknown)}")
    return {name: config["axes"][name] for name in names}


def read_exactly(texts: Sequence[str], config: dict[str, Any]) -> dict[str, NamedDenoiser]:
    """Networks that were trained on one value: ``AXIS=VALUE:FILE``."""
    known = {f"{axis}={value}" for axis, value, _ in all_settings(config)}
    found = {}
    for text in texts:
        name, _, file = text.partition(":")
        if name not in known or not file:
            raise InputError(
                f"--exactly {text!r}: must be AXIS=VALUE:FILE, e.g. kind=TMV:a.safetensors"
            )
        found[name] = with_weights(file, EXACTLY)
    return found


def score_settings(
    denoisers: Sequence[NamedDenoiser],
    exactly: dict[str, NamedDenoiser],
    config: dict[str, Any],
    structures: Path,
    folder: Path,
) -> list[Row]:
    """Score all methods, each on the same arrays."""
    cache, code = ScoreCache(folder / "scores.jsonl"), source_digest(*CODE)
    items = [(*each, seed) for each in all_settings(config) for seed in config["seeds"]]
    rows = []
    for axis, value, setting, seed in tqdm(items, desc="images", disable=None):
        scene = scene_of(setting, config, structures)
        if scene is None:
            continue
        names = (
            "size",
            "covered",
            "most",
            "ice_nm",
            "camera",
            "scene_seed",
            "ring_from",
            "n_rings",
        )
        key = digest(setting, seed, [config[name] for name in names], code)
        image = None
        own = exactly.get(f"{axis}={value}")
        for denoiser in [*denoisers, *([own] if own else [])]:
            name = f"{denoiser.key}:{key}"
            if name not in cache:
                image = image or make_noisy(scene, setting, seed, config, folder)
                start = sum(os.times()[:4])
                estimate = denoised_with_error(
                    denoiser.run, image, setting["mtf_error"], seed, scene.pixel_size
                )
                seconds = sum(os.times()[:4]) - start
                found = score(estimate, image, scene.pixel_size, config)
                cache.put(name, found | {"cpu_seconds": round(seconds, 3)})
            facts = {"method": denoiser.name, "axis": axis, "value": value, "seed": seed}
            rows.append(facts | cache.get(name))
    if not rows:
        raise InputError(f"{structures}: none of the structures is there: name it by --structures")
    return rows


def report(rows: Sequence[Row], config: dict[str, Any]) -> str:
    """Format one table for each axis: NMSE over the reference's, worst seed, correlation."""
    reference = config["reference"]
    parts = [
        f"NMSE below the ring of ice over that of {reference} on the same image, mean ± standard "
        f"deviation over {len(values_of(rows, 'seed'))} seeds, and correlation with the truth. "
        "Values that training did not see are bold; the others of the base are "
        + ", ".join(f"{k} {v}" for k, v in config["base"].items())
        + "."
    ]
    for axis in values_of(rows, "axis"):
        lines = []
        values = values_of(pick(rows, axis=axis), "value")
        for method in values_of(pick(rows, axis=axis), "method"):
            cells = []
            for value in values:
                here = pick(rows, axis=axis, value=value)
                mine, base = pick(here, method=method), pick(here, method=reference)
                if not mine:
                    cells.append("")
                    continue
                ratios = [a["nmse"] / b["nmse"] for a, b in zip(mine, base, strict=True)]
                agreed = mean(row["correlation"] for row in mine)
                first = mean_and_sd([row["nmse"] for row in mine], 3)
                said = f"NMSE {first}" if method == reference else mean_and_sd(ratios, 3)
                cells.append(f"{said}, {agreed:.2f}")
            lines.append([method, *cells])
        unseen = config["unseen"][axis]
        titles = [f"**{v}**" if v in unseen else f"{v}" for v in values]
        parts.append(markdown_table([f"{axis} {config['units'][axis]}".strip(), *titles], lines))
    losses = [line for axis in values_of(rows, "axis") for line in _losses(rows, axis)]
    said = "\n".join(f"- {line}" for line in losses) or "Nowhere."
    parts.append(f"Where another method has less error than sbd, and how much of sbd's:\n\n{said}")
    left = [axis for axis in config["axes"] if axis not in values_of(rows, "axis")]
    if left:
        parts.append(f"Not scored yet: {', '.join(left)}.")
    return "\n\n".join(parts)


def _losses(rows: Sequence[Row], axis: str) -> list[str]:
    """Say at which values another method has less error than sbd, and how much of sbd's it is."""
    found = []
    for value in values_of(pick(rows, axis=axis), "value"):
        here = pick(rows, axis=axis, value=value)
        errors = {
            method: mean(row["nmse"] for row in pick(here, method=method))
            for method in values_of(here, "method")
        }
        own = errors.get("sbd", 0.0)
        better = [f"{m} {e / own:.2f}" for m, e in errors.items() if e < own]
        if better:
            found.append(f"{axis} {value}: {', '.join(better)} (sbd's NMSE is {own:.2f})")
    return found


def summary(config: dict[str, Any]) -> str:
    """Format what docs/comparison/denoisers.md shows: all of it."""
    return report(read_rows(SCORES), config)


def publish(config: dict[str, Any]) -> None:
    """Write the tables again from the CSV file."""
    write_readme(HERE, "run.py", report(read_rows(SCORES), config))


def draw_panels(
    denoisers: Sequence[NamedDenoiser],
    config: dict[str, Any],
    structures: Path,
    folder: Path,
    path: Path,
) -> None:
    """Draw what methods make of some values, each row at one grey scale."""
    rows = []
    for axis, value in config["panel"]:
        setting = config["base"] | {axis: value}
        scene = scene_of(setting, config, structures)
        if scene is None:
            continue
        image = make_noisy(scene, setting, 0, config, folder)
        shown = {
            each.name: denoised_with_error(
                each.run, image, setting["mtf_error"], 0, scene.pixel_size
            )
            for each in denoisers
            if each.name != "constant"
        }
        rows.append((f"{axis} {value}", shown | {"truth": image.truth}))
    draw_rows(rows, path, "one grey scale in each row", 4.0, 75)


def main() -> int:
    """Measure, keep, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--exactly", nargs="*", default=[], help="AXIS=VALUE:FILE of weights")
    parser.add_argument(
        "--axes", nargs="+", help="score these, keep what is known of others; as in config.yaml"
    )
    parser.add_argument(
        "--only", nargs="+", metavar="METHOD", help="score these, keep what is known of others"
    )
    parser.add_argument("--structures", type=Path, default=Path("../shared/data/structures"))
    parser.add_argument("--runs", type=Path, default=Path("runs") / NAME)
    parser.add_argument("--quick", action="store_true", help="one axis, one seed; keeps nothing")
    parser.add_argument("--panels", type=Path, help="PNG of pictures to draw")
    parser.add_argument("--wandb", action="store_true", help="log to W&B, offline")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    config = read_config()
    if arguments.quick:
        config["seeds"], config["panel"] = config["seeds"][:1], [["dose", 150]]
        config["axes"] = {"dose": [15, 150]}
    try:
        if arguments.axes:
            config["axes"] = chosen_axes(arguments.axes, config)
        exactly = read_exactly(arguments.exactly, config)
        denoisers = users_methods(config["methods"])
        if arguments.only:
            wanted = {*arguments.only, config["reference"]}
            denoisers = [each for each in denoisers if each.name in wanted]
        rows = score_settings(denoisers, exactly, config, arguments.structures, arguments.runs)
    except InputError as error:
        print(error, file=sys.stderr)
        return 2
    if (arguments.axes or arguments.only) and not arguments.quick:
        facts = ("axis", "value", "seed")
        rows = merged_rows(read_rows(SCORES), rows, facts, config["reference"], "nmse")
        config = read_config()
    print(report(rows, config))
    if arguments.panels:
        draw_panels(denoisers, config, arguments.structures, arguments.runs, arguments.panels)
    if arguments.wandb:
        from experiments._base.log_comparison import log_comparison

        log_comparison(NAME, rows, config, [p for p in (arguments.panels,) if p])
    if not arguments.quick:
        write_rows(SCORES, rows)
        publish(config)
    return 0


if __name__ == "__main__":
    sys.exit(main())
