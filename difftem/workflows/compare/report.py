"""What a user reads: sentences, a table, pictures, in parts that Markdown and HTML are made of."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.resources import files
from string import Template
from typing import Any, Literal

import yaml

from difftem.workflows.compare.agreement import Agreement
from difftem.workflows.compare.load import Kind
from difftem.workflows.compare.options import THRESHOLDS
from difftem.workflows.compare.scores import Scores

Mode = Literal["truth", "halves", "reference"]
NAMES = {
    "volume": ("FSC", "Fourier shell correlation"),
    "images": ("FRC", "Fourier ring correlation"),
}
_FEW = 4  # files that a table has side by side
_NUMBERS = {
    "correlation": ("correlation", ".4f"),
    "nmse": ("NMSE", ".4g"),
    "psnr_truth_range_db": ("PSNR (dB)", ".2f"),
    "ssim_truth_range": ("SSIM", ".4f"),
    "background_noise_to_signal": ("background noise / signal", ".3g"),
    "noise_to_signal": ("noise / signal of a half", ".3g"),
    "grey_scale": ("grey scale", ".4g"),
    "grey_offset": ("grey offset", ".4g"),
}


@dataclass(frozen=True, eq=False)
class Picture:
    """A figure with a name for its file and words for who cannot see it."""

    name: str
    words: str
    figure: Any


@dataclass(frozen=True, eq=False)
class Part:
    """A heading and what is below it, in this order; `layout` says how pictures are arranged."""

    title: str
    sentences: Sequence[str] = ()
    items: Sequence[str] = ()
    headers: Sequence[str] = ()
    rows: Sequence[Sequence[str]] = ()
    pictures: Sequence[Picture] = ()
    layout: str = "one"


def table_of(
    scores: dict[str, Scores], curves: Sequence[Agreement], kind: Kind
) -> tuple[list[str], list[list[str]]]:
    """Lay out scores as text: headers, and rows below; of few files these are the columns."""
    sampled = any(curve.sampled for curve in curves)
    headers = ["file"]
    for end in ("", ", wedge included") if sampled else ("",):
        headers += [f"{NAMES[kind][0]} = {threshold:g}{end}" for threshold in THRESHOLDS]
    all_scores = scores.values()
    is_there = {k: any(math.isfinite(row.get(k, math.nan)) for row in all_scores) for k in _NUMBERS}
    numbers = [key for key in _NUMBERS if is_there[key]]
    headers += [_NUMBERS[key][0] for key in numbers]
    rows = []
    for file, found in scores.items():
        own = sorted((c for c in curves if c.name == file), key=lambda curve: not curve.sampled)
        crossed = [_crossing(curve, threshold, kind) for curve in own for threshold in THRESHOLDS]
        values = ((found.get(key, math.nan), _NUMBERS[key][1]) for key in numbers)
        said = [format(value, form) if math.isfinite(value) else "-" for value, form in values]
        rows.append([file, *crossed, *said])
    if len(rows) > _FEW:
        return headers, rows
    head, *turned = (list(column) for column in zip(headers, *rows, strict=True))
    return ["", *head[1:]], turned


def _crossing(curve: Agreement, threshold: float, kind: Kind) -> str:
    """Say where a curve falls below a threshold, as a length and a frequency."""
    at, beyond = curve.crossing(threshold, kind)
    length, frequency = ("Å", "1/Å") if curve.in_angstrom else ("pixels", "1/pixel")
    if at == 0:
        return "never above"
    return f"{'below ' if beyond else ''}{1 / at:.4g} {length} ({at:.4g} {frequency})"


def texts(mode: Mode, kind: Kind, against: str) -> dict[str, Any]:
    """Say what curves mean (``meaning``) and numbers are (``definitions``), and ``grey_scale``."""
    found = yaml.safe_load((files("difftem.workflows.compare") / "texts.yaml").read_text("utf-8"))
    short, long = NAMES[kind]
    named = {"short": short, "long": long, "against": against}
    meaning = [Template(each).substitute(named) for each in found["meaning"][mode]]
    meaning[0] += " " + found["resolution"][kind]
    said = {name: found[name][mode] for name in ("definitions", "grey_scale")}
    return {**said, "meaning": meaning}
