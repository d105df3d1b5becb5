"""Numbers of one file against the truth or another file."""

import math
from typing import NamedTuple

from torch import Tensor

from difftem.functional.image_error import correlation, normalised_error, peak_signal_to_noise
from difftem.metrics.background_noise import flat_region, noise_to_signal
from difftem.metrics.structural_similarity import truth_range_similarity
from difftem.workflows.compare.agreement import Agreement
from difftem.workflows.compare.load import Kind
from difftem.workflows.compare.options import THRESHOLDS, GreyFit
from difftem.workflows.compare.windows import Window

_LEAST = 11  # pixels that SSIM needs along a side
Scores = dict[str, float]


class Greys(NamedTuple):
    """Least squares both ways: truth = scale x file + offset, file = gain x truth + level."""

    scale: float
    offset: float
    gain: float
    level: float


def fit_greys(data: Tensor, truth: Tensor) -> Greys:
    """Fit the grey values of two arrays of one shape; of a constant one scale or gain is 0."""
    x, t = (each.double().flatten() for each in (data, truth))
    mean, level = float(x.mean()), float(t.mean())
    shared = float(((x - mean) * (t - level)).mean())
    own, true = float((x - mean).square().mean()), float((t - level).square().mean())
    scale, gain = shared / own if own else 0.0, shared / true if true else 0.0
    return Greys(scale, level - scale * mean, gain, mean - gain * level)


def against_truth(
    data: Tensor,  # (n, y, x) or (z, y, x)
    truth: Tensor,  # the same shape
    kind: Kind,
    window: Window,
    fit: GreyFit,
) -> Scores:
    """Work out errors against the truth, inside the window; of a stack their mean over images.

    NaN where a number has no meaning.
    """
    if kind == "volume":
        return _scores(data, truth, window, fit)
    each = [_scores(one, true, window, fit) for one, true in zip(data, truth, strict=True)]
    return {name: sum(row[name] for row in each) / len(each) for name in each[0]}


def _scores(data: Tensor, truth: Tensor, window: Window, fit: GreyFit) -> Scores:
    """Scores of one image or volume."""
    inside, outside = window.inside, window.outside
    x, t = (each if inside is None else each[inside] for each in (data, truth))
    greys = fit_greys(x, t)
    scale, offset = (greys.scale, greys.offset) if fit == "affine" else (1.0, 0.0)
    fitted = scale * data + offset
    e, flat = (each.reshape(1, -1) for each in (fitted if inside is None else fitted[inside], t))
    region = flat_region(truth) if outside is None else outside
    similarity = math.nan
    if min(truth.shape[-2:]) >= _LEAST:
        axes = tuple(range(-truth.ndim, 0))
        similarity = float(truth_range_similarity(fitted, truth, axes).mean())
    return {
        "correlation": float(correlation(x.reshape(1, -1), flat)),
        "nmse": float(normalised_error(e, flat)),
        "psnr_truth_range_db": float(peak_signal_to_noise(e, flat)),
        "ssim_truth_range": similarity,
        "background_noise_to_signal": float(noise_to_signal(data, truth, region)),
        "grey_scale": scale,
        "grey_offset": offset,
    }


def against_other(data: Tensor, other: Tensor, window: Window, are_halves: bool) -> Scores:
    r"""Correlate the pixels of two files inside the window; neither is the truth.

    Halves with independent noise have a ratio of noise to signal of :math:`\sqrt{(1 - r) / r}`.
    """
    if window.inside is not None:
        data, other = data[..., window.inside], other[..., window.inside]
    r = float(correlation(data.reshape(1, -1), other.reshape(1, -1)))
    if not are_halves:
        return {"correlation": r}
    ratio = math.sqrt(max(1 - r, 0.0) / r) if r > 0 else math.nan
    return {"correlation": r, "noise_to_signal": ratio}


def crossings(curve: Agreement, kind: Kind) -> Scores:
    """Where a curve falls below each threshold, in 1/Å and Å (cycles/pixel and pixels), by column.

    A length is infinite where the curve never reaches the threshold. Of volumes the first crossing
    counts and the last is there as well; of images the other way round.
    """
    stem = ("fsc" if kind == "volume" else "frc") + ("_sampled" if curve.sampled else "")
    other = "last" if kind == "volume" else "first"
    unit, length = (
        ("per_angstrom", "angstrom") if curve.in_angstrom else ("cycles_per_pixel", "pixels")
    )
    found: Scores = {}
    for threshold in THRESHOLDS:
        column = f"{stem}_{threshold:g}"
        at, _ = curve.crossing(threshold, kind)
        found[f"{column}_{unit}"] = at
        found[f"{column}_{length}"] = 1 / at if at > 0 else math.inf
        found[f"{column}_{other}_{unit}"], _ = curve.crossing(threshold, kind, other=True)
    return found
