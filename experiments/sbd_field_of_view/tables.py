"""Tables of the README, from scores and what is known of the networks."""

import math
from collections.abc import Sequence
from statistics import mean
from typing import Any

from experiments._base.nanoparticle_frames import REGIONS
from experiments._base.nanoparticle_scores import averages, difference, mean_and_error
from experiments._base.results import markdown_table
from experiments._base.rows import Row, pick, values_of

HELD_OUT, SBD, LEVELS = "held out", "SBD's image", "vacuum level"


def report(rows: Sequence[Row], facts: dict[str, Any], config: dict[str, Any]) -> str:
    """Format everything."""
    held_out, sbd = pick(rows, frames=HELD_OUT), pick(rows, frames=SBD)
    reference = config["reference"]
    parts = [
        _table(held_out, sbd, facts, config),
        pair(held_out, sbd, config),
        f"By region, SBD's PSNR of its pixels in dB, and above {reference}'s:",
        regions(held_out, reference),
    ]
    shipped = config["shipped"]
    if pick(held_out, method=shipped):
        parts += [
            f"**{shipped}**, the shipped network, beside the best of the others:",
            above(held_out, sbd, shipped, config),
            "At other vacuum levels, in electrons per pixel (the same models, one noise each):",
            levels(pick(rows, frames=LEVELS), [reference, shipped, f"{shipped}, no balance"]),
        ]
    timed = facts.get("seconds per 1024 x 1024 frame")
    if timed:
        side = timed["side"]
        parts.append(
            f"A frame of {side} x {side} pixels takes {shipped} {timed['network']:g} s of one core."
        )
    return "\n\n".join(part for part in parts if part)


def _table(
    held_out: Sequence[Row], sbd: Sequence[Row], facts: dict[str, Any], config: dict[str, Any]
) -> str:
    """One line for each method and training; of those that are missing what they lack."""
    lines = []
    for method in values_of(held_out, "method"):
        known = facts.get(method.removesuffix(", no balance"), {})
        network = config["networks"].get(known.get("network"), {})
        lines.append(
            [
                method,
                "{} to {}".format(*known["field"]) if known else "",
                f"{known['weights']:,}".replace(",", " ") if known else "",
                f"{known['minutes']:.1f}" if known else "",
                known.get("steps", ""),
                *(_score(held_out, method, column, digits) for column, digits in _COLUMNS),
                _score(sbd, method, "sbd", 2),
                network.get("published", ""),
                _seconds(held_out, method),
            ]
        )
    trained = {each["network"] for each in facts.values() if "network" in each}
    for name, network in config["networks"].items():
        if name not in trained:
            missing = "not trained: " + network.get("lacking", "not yet")
            empty = [""] * (len(_COLUMNS) - 1)
            lines.append(
                [name, "", "", "", "", missing, *empty, "", network.get("published", ""), ""]
            )
    titles = ["", "sees, pixels", "weights", "CPU min", "steps", "held out, dB", "range, dB"]
    return markdown_table([*titles, "SSIM", "SBD's image, dB", "published, dB", "s/frame"], lines)


_COLUMNS = (("sbd", 2), ("range", 2), ("ssim", 3))


def pair(held_out: Sequence[Row], sbd: Sequence[Row], config: dict[str, Any]) -> str:
    """Say what the larger field gains: paired over models, and training by training."""
    more, less = config["pair"]
    seeds = [
        seed
        for seed in config["networks"][more]["seeds"]
        if all(pick(held_out, method=f"{name}, seed {seed}") for name in (more, less))
    ]
    if not seeds:
        return ""
    lines = []
    for name, rows in ((HELD_OUT, held_out), (SBD, sbd)):
        if not rows:
            continue
        each = [difference(rows, f"{more}, seed {s}", f"{less}, seed {s}", "sbd")[0] for s in seeds]
        together = _over_trainings(rows, more, less, seeds)
        said = ", ".join(f"{value:+.2f}" for value in each)
        lines.append(f"- {name}: **{together[0]:+.2f} ± {together[1]:.2f} dB**; trainings {said}")
    start = f"{more} above {less}, paired, {len(seeds)} trainings each:"
    return "\n".join([start, "", *lines])


def _over_trainings(
    rows: Sequence[Row], more: str, less: str, seeds: Sequence[int]
) -> tuple[float, float]:
    """Mean over trainings for every model, then over models."""
    by_seed = [
        [averages(rows, f"{name}, seed {seed}", "sbd") for name in (more, less)] for seed in seeds
    ]
    models = by_seed[0][0]
    return mean_and_error([mean(a[m] - b[m] for a, b in by_seed) for m in models])


def regions(rows: Sequence[Row], reference: str) -> str:
    """One column for each region."""
    lines = []
    for method in values_of(rows, "method"):
        cells = []
        for region in REGIONS:
            value = mean_and_error([*averages(rows, method, region).values()])[0]
            gain, error = difference(rows, method, reference, region)
            more = "" if method == reference else f" ({gain:+.2f} ± {error:.2f})"
            cells.append(f"{value:.2f}{more}")
        lines.append([method, *cells])
    return markdown_table(["", *REGIONS], lines)


def above(held_out: Sequence[Row], sbd: Sequence[Row], shipped: str, config: dict[str, Any]) -> str:
    """How much the shipped network gains over every classical method, in standard errors too."""
    lines = []
    for method in ["constant", *config["baselines"]]:
        if not pick(held_out, method=method):
            continue
        cells = []
        for column in ("sbd", *REGIONS):
            gain, error = difference(held_out, shipped, method, column)
            cells.append(f"{gain:+.2f} ({gain / error:.0f} SE)" if error > 0 else f"{gain:+.2f}")
        whole = difference(sbd, shipped, method, "sbd")[0] if sbd else math.nan
        lines.append([method, *cells, f"{whole:+.2f}"])
    return markdown_table(["above, dB", "whole", *REGIONS, "SBD's image"], lines)


def levels(rows: Sequence[Row], methods: Sequence[str]) -> str:
    """SBD's PSNR at every vacuum level."""
    found = values_of(rows, "vacuum_e_per_pixel")
    lines = [
        [
            method,
            *(_score(pick(rows, vacuum_e_per_pixel=level), method, "sbd", 2) for level in found),
        ]
        for method in methods
    ]
    return markdown_table(["", *(f"{level:g}" for level in found)], lines)


def _score(rows: Sequence[Row], method: str, column: str, digits: int) -> str:
    """Mean and standard error; empty where there is none."""
    value, error = mean_and_error([*averages(rows, method, column).values()])
    if math.isnan(value):
        return ""
    return f"{value:.{digits}f}" + ("" if math.isnan(error) else f" ± {error:.{digits}f}")


def _seconds(rows: Sequence[Row], method: str) -> str:
    found = [row["seconds"] for row in pick(rows, method=method)]
    return f"{mean(found):.1f}" if found else ""
