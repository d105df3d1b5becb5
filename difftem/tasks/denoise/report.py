"""What is said after a training."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

from torch import nn

from difftem.networks.receptive_field import receptive_field
from difftem.tasks.denoise.panels import Panel, draw_history, draw_panels
from difftem.tasks.report import FittedValue, Report, Table

_CURVE = ("val/ratio", "val/ratio_worst", "val/nmse", "val/psnr", "val/correlation", "val/ssim")


def make_training_report(
    network: nn.Module,
    history: Sequence[Mapping[str, float]],
    groups: Mapping[str, Mapping[str, float]],
    live: Mapping[str, float],
    panels: Sequence[Panel],
    notes: Sequence[str] = (),
) -> Report:
    """Put together text, tables and pictures of a training.

    Parameters
    ----------
    network : Module
        As trained.
    history : sequence of mapping
        Logged values of each validation, with ``step``.
    groups : mapping
        From `DenoisingScores.compute`: of all images (``""``), by dose and kind.
    live : mapping
        Fraction of live channels by level.
    panels : sequence of Panel
        Of the last validation.
    notes : sequence of str
        Lines about the data.

    Returns
    -------
    Report
        Its metrics are those of all images.
    """
    field = receptive_field(network, getattr(network, "in_channels", 2))
    size = sum(each.numel() for each in network.parameters())
    text = [
        "# Training of a denoiser",
        "",
        f"{type(network).__name__}, {size} weights, sees {field.everything} pixels a side, "
        f"99 % of the gradient within {field.most} (measured at white noise).",
        "",
        "Live channels: " + ", ".join(f"{k} {100 * v:.0f} %" for k, v in live.items()),
        "",
        *[f"- {note}" for note in notes],
    ]
    tables: dict[str, Table] = {}
    whole = groups.get("", {})
    if groups:
        columns = list(whole)
        rows = [[name or "all", *values.values()] for name, values in groups.items()]
        tables["validation"] = Table(["images of", *columns], rows)
        text += ["", "Validation; ratio is the NMSE over that of Wiener's filter.", ""]
        text += _markdown(["images of", *columns], rows)
    names = [name for name in _CURVE if any(name in row for row in history)]
    names = names or ["val/loss", "val/loss_wiener"]
    if history:
        rows = [[row["step"], *(row.get(name, math.nan) for name in names)] for row in history]
        tables["validation_curve"] = Table(["step", *names], rows)
    figures: dict[str, Any] = {}
    if panels:
        figures["panels"] = draw_panels(panels)
    if history:
        figures["curve"] = draw_history(history)
    results = [FittedValue(name, whole[name]) for name in ("ratio", "ratio_worst") if name in whole]
    metrics = {"receptive_field": float(field.everything), **dict(whole)}
    return Report("\n".join(text) + "\n", metrics, tables, figures, results)


def _markdown(columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> list[str]:
    """Write a table."""
    lines = ["| " + " | ".join(columns) + " |", "|" + " --- |" * len(columns)]
    for row in rows:
        cells = [each if isinstance(each, str) else f"{each:.3g}" for each in row]
        lines.append("| " + " | ".join(cells) + " |")
    return lines
