"""What a user reads: sentences, a table, pictures, in parts that Markdown and HTML are made of."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from difftem.workflows.compare.agreement import Agreement, Which
from difftem.workflows.compare.load import Kind
from difftem.workflows.compare.options import THRESHOLDS
from difftem.workflows.compare.scores import Scores

Mode = Literal["truth", "halves", "reference"]
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
    """A heading and what is below it, in this order."""

    title: str
    sentences: Sequence[str] = ()
    items: Sequence[str] = ()
    headers: Sequence[str] = ()
    rows: Sequence[Sequence[str]] = ()
    pictures: Sequence[Picture] = ()
    layout: Literal["one", "square", "slices"] = "one"


def table_of(
    rows: Sequence[tuple[str, Scores]], curves: Sequence[Agreement], kind: Kind, mode: Mode
) -> tuple[list[str], list[list[str]]]:
    """Lay out scores as text.

    Parameters
    ----------
    rows : sequence of tuple of str and dict
        Of each file.
    curves : sequence of Agreement
        Of the same files.
    kind : {"images", "volume"}
        Tells which crossing is the resolution.
    mode : {"truth", "halves", "reference"}
        The number of halves counts with two files only.

    Returns
    -------
    headers : list of str
        Of columns that have a number; of few files these are the columns, and the numbers rows.
    cells : list of list of str
        Of the table below.
    """
    name = "FSC" if kind == "volume" else "FRC"
    sampled = any(curve.sampled for curve in curves)
    headers = ["file"]
    for part in [True, False] if sampled else [False]:
        words = "" if part or not sampled else ", wedge included"
        headers += [f"{name} = {threshold:g}{words}" for threshold in THRESHOLDS]
    numbers = [
        key
        for key in _NUMBERS
        if any(math.isfinite(scores.get(key, math.nan)) for _, scores in rows)
        and (key != "noise_to_signal" or mode == "halves")
    ]
    headers += [_NUMBERS[key][0] for key in numbers]
    cells = []
    for file, scores in rows:
        own = sorted((c for c in curves if c.name == file), key=lambda curve: not curve.sampled)
        row = [file]
        row += [
            crossing_in_words(each, threshold, kind) for each in own for threshold in THRESHOLDS
        ]
        for key in numbers:
            value = scores.get(key, math.nan)
            row.append(format(value, _NUMBERS[key][1]) if math.isfinite(value) else "-")
        cells.append(row)
    if len(cells) > _FEW:
        return headers, cells
    head, *turned = (list(column) for column in zip(headers, *cells, strict=True))
    return ["", *head[1:]], turned


def crossing_in_words(curve: Agreement, threshold: float, kind: Kind) -> str:
    """Say where a curve falls below a threshold, as a length and a frequency."""
    which: Which = "first" if kind == "volume" else "last"
    at = curve.crossing(threshold, which)
    length, frequency = ("Å", "1/Å") if curve.in_angstrom else ("pixels", "1/pixel")
    if at == 0:
        return "never above"
    beyond = "below " if curve.is_above(threshold, which) else ""
    return f"{beyond}{1 / at:.4g} {length} ({at:.4g} {frequency})"


def meaning(mode: Mode, kind: Kind, against: str) -> list[str]:
    """Say what the curves and their thresholds mean."""
    name = "FSC" if kind == "volume" else "FRC"
    long = "Fourier shell correlation" if kind == "volume" else "Fourier ring correlation"
    rule = (
        "Where it falls below a threshold for the first time is the resolution."
        if kind == "volume"
        else "The frequency is that of the last fall below a threshold, since the zeros of a "
        "contrast transfer function make a curve fall and rise before."
    )
    if mode == "truth":
        return [
            f"{long} ({name}) of each file with {against}. At {name} = 0.5 a file has three times "
            "as much noise power as signal, where its noise is independent of the truth; 0.143 is "
            f"a threshold for halves and is given for comparison only. {rule}"
        ]
    if mode == "halves":
        return [
            f"{long} ({name}) of two files, neither of which is the truth. If they are halves of "
            "the data, processed alike and without knowledge of each other, their noise is "
            f"independent: {name} = 0.143 is where the average of both correlates by 0.5 with the "
            f"truth, the usual resolution; at {name} = 0.5 a half has as much signal power as "
            f"noise. {rule}",
            "If they are not (two methods on the same data, or halves that were aligned or "
            "denoised together), what both share counts as signal, noise included: the curve says "
            "where they agree and not whether they are right.",
        ]
    return [
        f"{long} ({name}) of each file with {against}, which is not the truth: the curve says "
        f"where they agree and not which is right. {rule}"
    ]


def definitions(mode: Mode) -> list[str]:
    """Say how each number is defined."""
    if mode != "truth":
        return [
            "correlation: Pearson's r of all pixels.",
            "noise / signal of a half: √((1 - r) / r), where noise is independent.",
        ]
    return [
        "correlation: Pearson's, of all pixels; blind to scale and offset.",
        "NMSE: mean squared error over the variance of the truth; 0 for the truth, 1 for its mean. "
        "After the fit of grey values it is 1 - correlation².",
        "PSNR: the squared range of the truth over the mean squared error; nothing is clipped.",
        "SSIM: in units of the range of the truth, Gaussian window of 1.5 pixels.",
        "background noise / signal: robust standard deviation (1.4826 MAD) of the error outside of "
        "the mask, or in the quarter that is flattest in the truth, over the standard deviation of "
        "the truth; the file is brought to the contrast of the truth by its signal alone.",
    ]
