"""Scores of the paper's denoiser, of its optimum, and of the average it converges to."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor
from tqdm import tqdm

from difftem.baselines.paper import fit_rate
from difftem.functional.image_error import correlation, peak_signal_to_noise
from difftem.functional.mtf import apply_transfer
from difftem.functional.wave_fit import optimal_rate
from difftem.workflows.denoise.methods import METHODS
from experiments._base.score_cache import ScoreCache, digest, source_digest
from experiments.denoise_dose.setting import clean_scene, electrons_per_pixel, expose

Row = dict[str, Any]
AVERAGE, EXACT = "average", "optimum in closed form"


@dataclass(frozen=True, eq=False)
class PaperCase:
    """Exposures as the camera writes them, and what they show.

    Attributes
    ----------
    exposures : Tensor
        Electrons per pixel behind the camera's blur, shape ``(n, y, x)``.
    whitened : Tensor
        The same, whitened.
    electrons : float
        Per pixel of an exposure.
    truth : Tensor
        Electrons per pixel behind the blur, without noise, shape ``(y, x)``.
    blur : Tensor
        The camera's transfer function, shape ``(y, x // 2 + 1)``.
    """

    exposures: Tensor
    whitened: Tensor
    electrons: float
    truth: Tensor
    blur: Tensor


def paper_case(
    clean: Tensor,  # (y, x)
    dose: float,  # e/nm²
    projections: int,
    seed: int,
) -> PaperCase:
    """Draw the exposures that experiments/denoise_dose scores, before they are whitened."""
    m = electrons_per_pixel(dose)
    shown = expose(clean, m, projections, seed)
    exposures, truth = (shown.seen(m + m**0.5 * x) for x in (shown.exposures, shown.truth))
    assert shown.blur is not None
    return PaperCase(exposures, shown.exposures, m, truth, shown.blur)


def scores(
    seen: Tensor,  # (y, x) e/pixel
    case: PaperCase,
) -> dict[str, float]:
    """Compare an image, behind the blur, with the truth and with the average of the exposures."""
    average = case.exposures.mean(0)
    varies, average_varies = seen - seen.mean(), average - average.mean()
    return {
        "psnr": float(peak_signal_to_noise(seen, case.truth)),
        "correlation": float(correlation(seen, case.truth)),
        "with_average": float(correlation(seen, average)),
        "contrast": float((varies * average_varies).mean() / average_varies.square().mean()),
        "brightness": float(seen.mean() / average.mean()),
    }


def images_of(
    case: PaperCase, config: Row, names: Sequence[str], seed: int
) -> tuple[dict[str, Tensor], dict[str, list[Row]]]:
    """Make the images behind the blur, and curves over the steps, of methods by name."""
    images, curves = {}, {}
    for name in names:
        generator = torch.Generator().manual_seed(seed)
        if name == AVERAGE:
            images[name] = case.exposures.mean(0)
        elif name == EXACT:
            rate = optimal_rate(case.exposures, case.blur).clamp(min=0.0)
            images[name] = apply_transfer(rate, case.blur)
        elif name in config["optimisers"]:
            curve: list[Row] = []

            def told(step: int, rate: Tensor, curve: list[Row] = curve) -> None:
                if step % config["every"] == 0:
                    found = scores(apply_transfer(rate, case.blur), case)
                    curve.append({"step": step, **found})

            rate = fit_rate(
                case.exposures,
                case.blur,
                steps=config["steps"],
                samples=config["samples"],
                generator=generator,
                told=told,
                **config["optimisers"][name],
            )
            images[name], curves[name] = apply_transfer(rate, case.blur), curve
        else:
            estimate = METHODS[name].load()(case.whitened, case.electrons, generator)
            m = case.electrons
            images[name] = apply_transfer(m + m**0.5 * estimate, case.blur)
    return images, curves


def names_at(config: Row, setting: Sequence[float], seed: int = 0) -> list[str]:
    """Name the methods that are run at a setting with a seed."""
    optimisers = list(config["optimisers"])
    names = [AVERAGE, EXACT, *(optimisers if setting in config["compared"] else optimisers[:1])]
    told_more = setting in config["priors_at"] and seed == config["seeds"][0]
    return names + (config["priors"] if told_more else [])


def score_all(
    config: Row, structures: Path, folder: Path, cache: ScoreCache
) -> tuple[list[Row], dict[str, Tensor]]:
    """Score all methods at all settings and seeds; give the images that are drawn, too."""
    clean, scene = clean_scene(structures, folder / "scenes")
    code = source_digest(
        "difftem.baselines.paper",
        "difftem.losses.surrogate",
        "difftem.functional.wave_fit",
        __name__,
    )
    cases = [
        (setting, seed, name)
        for setting in config["settings"]
        for seed in config["seeds"]
        for name in names_at(config, setting, seed)
    ]
    rows = []
    drawn: dict[str, Tensor] = {}
    for setting, seed, name in tqdm(cases, desc="images", disable=None):
        options = {k: config[k] for k in ("steps", "samples", "every")}
        of = config["optimisers"].get(name) or _source(name)
        key = digest(scene, setting, seed, name, of, options, code)
        path = folder / f"image_{key}.npy"
        wanted = setting == config["panel"]["setting"] and seed == config["panel"]["seed"]
        if key not in cache or (wanted and not path.is_file()):
            case = paper_case(clean, *setting, seed)
            images, curves = images_of(case, config, [name], seed)
            if wanted:
                np.save(path, images[name].numpy())
                drawn["truth"] = case.truth
            cache.put(key, {"end": scores(images[name], case), "curve": curves.get(name, [])})
        if wanted:
            drawn.setdefault("truth", paper_case(clean, *setting, seed).truth)
            drawn[name] = torch.from_numpy(np.load(path))
        found = cache.get(key)
        facts = {"setting": setting, "seed": seed, "method": name}
        rows.append({**facts, **found["end"], "curve": found["curve"]})
    return rows, drawn


def _source(name: str) -> str:
    """Name for the text of a method."""
    if name in (AVERAGE, EXACT):
        return name
    return json.dumps([name, source_digest(METHODS[name].place.partition(":")[0])])
