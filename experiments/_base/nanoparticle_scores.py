"""Scores of frames of nanoparticles: whole, and by region."""

import math
import time
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from statistics import mean, stdev
from typing import Any

import torch
from torch import Tensor

from difftem.functional.image_error import peak_signal_to_noise
from difftem.functional.published_error import SBD_VACUUM, clipped_peak_signal_to_noise
from difftem.metrics.structural_similarity import truth_range_similarity
from difftem.workflows.denoise.methods import METHODS
from experiments._base.denoisers import NamedDenoiser
from experiments._base.nanoparticle_frames import PIXEL_SIZE, REGIONS, Frame
from experiments._base.rows import Row, pick, values_of
from experiments._base.score_cache import ScoreCache, digest, source_digest

_NONE = 1e-20  # of a squared error
CODE = ("experiments._base.nanoparticle_frames", "experiments._base.nanoparticle_scores")


def scores(frame: Frame, estimate: Tensor) -> Row:
    """Compare a whitened estimate with the clean image.

    Parameters
    ----------
    frame : Frame
        Of which it is.
    estimate : Tensor
        Whitened, shape ``(y, x)``.

    Returns
    -------
    dict
        ``sbd`` (PSNR in SBD's definition, dB), ``range`` (PSNR by the range of the truth, dB),
        ``ssim``; and of every region SBD's PSNR of its pixels, NaN without any.
    """
    found, clean = (SBD_VACUUM * each for each in (frame.intensity(estimate), frame.clean))
    row: Row = {
        "sbd": float(clipped_peak_signal_to_noise(found, clean)),
        "range": float(peak_signal_to_noise(found, clean)),
        "ssim": float(truth_range_similarity(found, clean)),
    }
    error = (found.double().clamp(0, 1) - clean.double().clamp(0, 1)).square()
    for i, name in enumerate(REGIONS):
        inside = None if frame.regions is None else frame.regions == i
        some = inside is not None and bool(inside.any())
        row[name] = -10 * math.log10(float(error[inside].mean()) + _NONE) if some else math.nan
    return row


def constant() -> NamedDenoiser:
    """Mean of the frame."""
    return NamedDenoiser("constant", "constant", lambda x, *_: torch.zeros_like(x[0]))


def classical(wanted: dict[str, dict[str, Any]]) -> list[NamedDenoiser]:
    """Methods of difftem by name, with their options.

    Parameters
    ----------
    wanted : dict
        Name to options of the function.

    Returns
    -------
    list of NamedDenoiser
        In this order, ``constant`` first.
    """
    found = [constant()]
    for name, options in wanted.items():
        method: Callable[..., Tensor] = partial(METHODS[name].load(), **(options or {}))
        code = source_digest(METHODS[name].place.partition(":")[0], "difftem.functional.wiener")

        def run(
            exposures: Tensor,
            electrons: float,
            generator: torch.Generator | None,
            pixel_size: float | None,
            method: Callable[..., Tensor] = method,
        ) -> Tensor:
            return method(exposures, electrons, generator)

        found.append(NamedDenoiser(name, f"{name}-{digest(options, code)}", run))
    return found


def score_frames(
    denoisers: Sequence[NamedDenoiser],
    frames: Iterable[Frame],
    cache: ScoreCache,
    kind: str,
) -> list[Row]:
    """Score methods on frames; what is known is not computed again.

    Parameters
    ----------
    denoisers : sequence of NamedDenoiser
        Methods.
    frames : iterable of Frame
        Of one kind.
    cache : ScoreCache
        Of all scores.
    kind : str
        For the rows.

    Returns
    -------
    list of dict
        ``frames``, ``method``, ``model``, ``seed``, ``vacuum_e_per_pixel``, ``seconds``, and
        `scores`.
    """
    rows, code = [], source_digest(*CODE)
    for frame in frames:
        content = digest(frame.counts.numpy().tobytes(), frame.clean.numpy().tobytes(), code)
        for denoiser in denoisers:
            key = f"{denoiser.key}:{content}"
            if key not in cache:
                generator = torch.Generator().manual_seed(frame.seed)
                start = time.process_time()
                with torch.no_grad():
                    estimate = denoiser.run(
                        frame.whitened[None], frame.electrons, generator, PIXEL_SIZE
                    )
                seconds = round(time.process_time() - start, 3)
                cache.put(key, {"seconds": seconds, **scores(frame, estimate)})
            facts = {"frames": kind, "method": denoiser.name, "model": frame.model}
            facts |= {"seed": frame.seed, "vacuum_e_per_pixel": frame.vacuum}
            rows.append(facts | cache.get(key))
    return rows


def averages(rows: Sequence[Row], method: str, column: str) -> dict[Any, float]:
    """Mean of a score over the noises of every model; of one model, each noise by itself."""
    key = "model" if len(values_of(rows, "model")) > 1 else "seed"
    groups: dict[Any, list[float]] = {}
    for row in pick(rows, method=method):
        if not math.isnan(row[column]):
            groups.setdefault(row[key], []).append(row[column])
    return {each: mean(values) for each, values in groups.items()}


def mean_and_error(values: Sequence[float]) -> tuple[float, float]:
    """Mean of independent values and its standard error; NaN of none."""
    if not values:
        return math.nan, math.nan
    return mean(values), stdev(values) / math.sqrt(len(values)) if len(values) > 1 else math.nan


def difference(
    rows: Sequence[Row], method: str, reference: str, column: str
) -> tuple[float, float]:
    """Mean over models by how much a method is above another on the same frames, and its error.

    Models are independent of one another, the noises of one are not: where there is one model, the
    error is that over its noises.
    """
    a, b = (
        {(row["model"], row["seed"]): row[column] for row in pick(rows, method=name)}
        for name in (method, reference)
    )
    paired = [
        {"method": "", "model": model, "seed": seed, column: a[model, seed] - b[model, seed]}
        for model, seed in a
        if (model, seed) in b
    ]
    return mean_and_error([*averages(paired, "", column).values()])
