"""Numbers of one file against the truth or another file."""

import math
from typing import NamedTuple

from torch import Tensor

from difftem.functional.image_error import correlation, normalised_error, peak_signal_to_noise
from difftem.metrics.background_noise import flat_region, noise_to_signal
from difftem.metrics.structural_similarity import truth_range_similarity, volume_similarity
from difftem.workflows.compare.agreement import Agreement, Which
from difftem.workflows.compare.load import Kind
from difftem.workflows.compare.options import THRESHOLDS, GreyFit
from difftem.workflows.compare.windows import Window

_LEAST = 11  # pixels that SSIM needs along a side
Scores = dict[str, float]


class Greys(NamedTuple):
    """Grey values of a file in terms of those of the truth.

    Attributes
    ----------
    scale, offset : float
        Estimate of the truth: scale times the file plus offset, with the least squared error.
    gain, level : float
        The file's signal: gain times the truth plus level. Without noise 1 / gain is the scale.
    """

    scale: float
    offset: float
    gain: float
    level: float


def fit_greys(
    data: Tensor,  # any shape
    truth: Tensor,  # the same shape
) -> Greys:
    """Fit scale and offset by least squares, both ways round.

    Parameters
    ----------
    data, truth : Tensor
        Pixels of the two.

    Returns
    -------
    Greys
        Of a constant file the scale is 0.
    """
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
    """Work out errors against the truth; of a stack their mean over the images.

    Parameters
    ----------
    data, truth : Tensor
        Images or volumes.
    kind : {"images", "volume"}
        What they are.
    window : Window
        Errors are taken inside of it, where it has an inside.
    fit : {"affine", "none"}
        Of the grey values, for errors that depend on them.

    Returns
    -------
    dict of str to float
        NaN where a number has no meaning.
    """
    if kind == "volume":
        return _scores(data, truth, kind, window, fit)
    each = [_scores(one, true, kind, window, fit) for one, true in zip(data, truth, strict=True)]
    return {name: sum(row[name] for row in each) / len(each) for name in each[0]}


def _scores(data: Tensor, truth: Tensor, kind: Kind, window: Window, fit: GreyFit) -> Scores:
    """Scores of one image or volume."""
    n_axes = 3 if kind == "volume" else 2
    inside, outside = window.inside, window.outside
    x, t = (each if inside is None else each[inside] for each in (data, truth))
    greys = fit_greys(x, t)
    scale, offset = (greys.scale, greys.offset) if fit == "affine" else (1.0, 0.0)
    fitted = scale * data + offset
    e, flat = (each.reshape(1, -1) for each in (fitted if inside is None else fitted[inside], t))
    region = flat_region(truth, n_axes=n_axes) if outside is None else outside
    similarity = math.nan
    if min(truth.shape) >= _LEAST:
        alike = volume_similarity if kind == "volume" else truth_range_similarity
        similarity = float(alike(fitted, truth))
    return {
        "correlation": float(correlation(x.reshape(1, -1), flat)),
        "nmse": float(normalised_error(e, flat)),
        "psnr_truth_range_db": float(peak_signal_to_noise(e, flat)),
        "ssim_truth_range": similarity,
        "background_noise_to_signal": float(noise_to_signal(data, truth, region)),
        "grey_scale": scale,
        "grey_offset": offset,
    }


def against_other(
    data: Tensor,  # (n, y, x) or (z, y, x)
    other: Tensor,  # the same shape
    window: Window,
) -> Scores:
    r"""Correlate the pixels of two files, of which neither is the truth.

    Parameters
    ----------
    data, other : Tensor
        Images or volumes.
    window : Window
        Pixels are taken inside of it, where it has an inside.

    Returns
    -------
    dict of str to float
        The correlation r, and the noise of one of them over its signal where they are halves with
        independent noise, :math:`\sqrt{(1 - r) / r}`.
    """
    if window.inside is not None:
        data, other = data[..., window.inside], other[..., window.inside]
    r = float(correlation(data.reshape(1, -1), other.reshape(1, -1)))
    return {
        "correlation": r,
        "noise_to_signal": math.sqrt(max(1 - r, 0.0) / r) if r > 0 else math.nan,
    }


def crossings(curve: Agreement, kind: Kind) -> Scores:
    """Where a curve falls below each threshold, in 1/Å and Å (cycles/pixel and pixels).

    Parameters
    ----------
    curve : Agreement
        Of all frequencies or of the sampled ones.
    kind : {"images", "volume"}
        Of volumes the first crossing is the resolution, of images the last: a contrast transfer
        function has zeros.

    Returns
    -------
    dict of str to float
        By column; a length is infinite where the curve never reaches the threshold.
    """
    main: Which = "first" if kind == "volume" else "last"
    other: Which = "last" if kind == "volume" else "first"
    stem = ("fsc" if kind == "volume" else "frc") + ("_sampled" if curve.sampled else "")
    unit, length = (
        ("per_angstrom", "angstrom") if curve.in_angstrom else ("cycles_per_pixel", "pixels")
    )
    found: Scores = {}
    for threshold in THRESHOLDS:
        column = f"{stem}_{threshold:g}"
        at = curve.crossing(threshold, main)
        found[f"{column}_{unit}"] = at
        found[f"{column}_{length}"] = 1 / at if at > 0 else math.inf
        found[f"{column}_{other}_{unit}"] = curve.crossing(threshold, other)
    return found
