"""What is published of the scores."""

import math
from collections.abc import Sequence
from typing import Any

from experiments._base.results import markdown_table, mean_and_sd
from experiments._base.rows import Row, pick, values_of

_RATIOS = {
    "neighbours": "column as its neighbours",
    "denoised": "column as denoised",
    "sbd": "SBD's: disc's mean against vacuum",
}


def report(
    sites: Sequence[Row], null: Sequence[Row], gradients: Sequence[Row], config: dict[str, Any]
) -> str:
    """Format all tables."""
    parts = [site_table(sites, config), null_table(null, config), gradient_table(gradients)]
    return "\n\n".join(parts)


def site_table(rows: Sequence[Row], config: dict[str, Any]) -> str:
    """AUC of every ratio beside the ceiling, over sites of few atoms and of more."""
    least = config["least_atoms"]
    groups = {
        f"fewer than {least}": [row for row in rows if row["atoms"] < least],
        f"{least} and more": [row for row in rows if row["atoms"] >= least],
        "all": list(rows),
    }
    lines = []
    for atoms, of in groups.items():
        if not of:
            continue
        ceiling = _mean(of, "ceiling_auc")
        lines.append(
            [
                atoms,
                f"{len(of)} of {len(values_of(of, 'model'))}",
                "best possible",
                mean_and_sd([row["ceiling_auc"] for row in of], 2),
                "1.00",
                "",
            ]
        )
        for name, title in _RATIOS.items():
            way = (_mean(of, f"{name}_auc") - 0.5) / (ceiling - 0.5)
            lines.append(
                [
                    "",
                    "",
                    title,
                    mean_and_sd([row[f"{name}_auc"] for row in of], 2),
                    f"{way:.2f}",
                    f"{100 * _mean(of, f'{name}_absent_positive'):.0f}",
                ]
            )
    titles = [
        "atoms of the column",
        "sites of models",
        "ratio",
        "AUC",
        "of the way from 0.5 to the ceiling",
        "positive without the column, %",
    ]
    text = (
        f"One frame at {config['vacuum']:g} e/pixel in vacuum; mean ± standard deviation over "
        f"sites, each in {config['frames']} frames with its column and as many without it."
    )
    return f"{text}\n\n{markdown_table(titles, lines)}"


def null_table(rows: Sequence[Row], config: dict[str, Any]) -> str:
    """Share of sites that are supported, without their columns and with them."""
    level = config["tested"]["level"]
    lines = []
    for kind, name in (("absent", "taken out"), ("present", "there")):
        of = pick(rows, kind=kind)
        if not of:
            continue
        share = sum(row["p_value"] <= level + 1e-9 for row in of) / len(of)
        frames = len({(row["model"], row["frame"]) for row in of})
        error = math.sqrt(max(share * (1 - share), 1e-9) / frames)
        lines.append([name, str(frames), str(len(of)), f"{100 * share:.1f} ± {100 * error:.1f}"])
    drawn = config["tested"]["drawn"]
    text = (
        f"Sites that the counts support at a level of {100 * level:g} % ({drawn} null frames for "
        "each frame; standard error as if the sites of a frame were one test)."
    )
    titles = ["columns", "frames", "tests", "supported, %"]
    return f"{text}\n\n{markdown_table(titles, lines)}"


def gradient_table(rows: Sequence[Row]) -> str:
    """Format what gradient maps come to."""
    lines = [
        [
            row["network"],
            row["pixel"],
            f"{row['value']:.3f}",
            f"{abs(row['net_bias']):.0e}",
            f"{row['beyond_percent']:.0f}",
            "" if math.isnan(float(row["lobes"])) else f"{row['lobes']:.1f}",
            f"{row['averaged_pixels']:.0f}",
        ]
        for row in rows
    ]
    titles = [
        "network",
        "pixel",
        "f, whitened",
        "abs(f - Jx)",
        "energy beyond 2.43 Å, %",
        "on neighbours over between",
        "pixels averaged",
    ]
    return markdown_table(titles, lines)


def _mean(rows: Sequence[Row], name: str) -> float:
    return sum(row[name] for row in rows) / len(rows)
