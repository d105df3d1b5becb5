"""Whether the images of a file are exposures, frames of a movie, or stand alone."""

import json
import re
from pathlib import Path
from typing import Literal

import torch

from difftem.io.frames import read_frames
from difftem.micrograph.alignment import whole_pixel_shift
from difftem.micrograph.stack_use import REACH, sum_frames, use_of_stack

StackKind = Literal["exposures", "movie", "separate"]

_TILTED = 1.0  # degrees between the first and the last image of a tilt series, at least
# Halves of a movie show the same, however they are made; of a tilt series, early and late images
# do not: their correlation is this much lower than that of even and odd ones.
_LOWER = 0.5


def stack_kind(path: str | Path) -> tuple[StackKind, list[str]]:
    """Tell what the images of a file are.

    Parameters
    ----------
    path : str or Path
        MRC or TIFF.

    Returns
    -------
    kind : {"exposures", "movie", "separate"}
        ``separate``: a tilt or focus series, or images that show different things.
    why : list of str
        A line for a stack, none for a single image.
    """
    path = Path(path)
    data = read_frames(path).data
    n = len(data)
    if n == 1:
        return "exposures", []
    told = "(--frames exposures, even_odd, sum or separate tells it)"
    if beside := _tilt_angles(path):
        return "separate", [
            f"{path.name}: {n} images with tilt angles in {beside}: a tilt series, each image is "
            f"denoised by itself {told}"
        ]
    if beside := _defoci(path):
        return "separate", [
            f"{path.name}: {n} images with defoci in {beside}: a focus series, each image is "
            f"denoised by itself {told}"
        ]
    use = use_of_stack(data, "auto")
    if use.flat:
        return "separate", [
            f"{path.name}: the {n} images have nothing in common to align by: each is denoised by "
            f"itself {told}"
        ]
    if len(use.parts) == n:
        return "exposures", [f"{path.name}: {n} exposures of one field {told}"]
    half = n // 2
    parts = (range(0, 2 * half, 2), range(1, 2 * half, 2), range(half), range(half, 2 * half))
    even, odd, early, late = (torch.nan_to_num(sum_frames(data, part)) for part in parts)
    reach = min(even.shape) // REACH
    in_turn = whole_pixel_shift(even, odd, reach).significance
    in_order = whole_pixel_shift(early, late, reach).significance
    said = f"correlation peak of even and odd {in_turn:.0f}, of early and late {in_order:.0f}"
    if in_order < _LOWER * in_turn:
        return "separate", [
            f"{path.name}: the {n} images change from first to last ({said}): each is denoised by "
            f"itself {told}"
        ]
    return "movie", [f"{path.name}: {n} frames of a movie ({said}), in two halves {told}"]


def _tilt_angles(path: Path) -> str:
    """Name a file beside it that has tilt angles; empty without one."""
    for suffix in (".rawtlt", ".tlt"):
        beside = path.with_suffix(suffix)
        if beside.is_file():
            return beside.name
    mdoc = path.with_name(f"{path.name}.mdoc")
    if mdoc.is_file():
        text = mdoc.read_text("utf-8", errors="replace")
        angles = [float(a) for a in re.findall(r"^TiltAngle = ([-+]?\d+\.?\d*)", text, re.M)]
        if angles and max(angles) - min(angles) > _TILTED:
            return mdoc.name
    return ""


def _defoci(path: Path) -> str:
    """Name the record of `difftem simulate` beside it if that has several defoci; else empty."""
    beside = path.with_name("run.json")
    if path.stem not in ("micrograph", "noise_free") or not beside.is_file():
        return ""
    try:
        images = json.loads(beside.read_text("utf-8"))["images"]
        return beside.name if len({each["defocus_um"] for each in images}) > 1 else ""
    except (ValueError, KeyError, TypeError):  # another program's
        return ""
