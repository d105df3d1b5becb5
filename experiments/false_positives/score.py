"""Blank images, and what is drawn into them."""

import math
import os
import sys
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor
from tqdm import tqdm

from difftem.micrograph.whitened import WhitenedExposures
from difftem.workflows.denoise.exposures import input_of_array
from difftem.workflows.denoise.noise import find_noise
from difftem.workflows.denoise.options import DenoiseOptions
from experiments._base.denoisers import NamedDenoiser
from experiments._base.rows import Row
from experiments._base.score_cache import ScoreCache, digest, source_digest
from experiments.denoise_blank.run import BLANKS, blank, visible_specks


def whitened_blank(what: str, camera: str, seed: int, config: dict[str, Any]) -> WhitenedExposures:
    """Take an image of nothing, and whiten it as a user's is: by what is found in it."""
    pixel_size = config["cameras"][camera][1]
    options = DenoiseOptions(method="wiener", pixel_size=pixel_size)
    found = input_of_array(blank(what, camera, seed, config).numpy(), options)
    exposures = found.image(0)
    return find_noise(exposures, options, found).whiten(exposures, pixel_size)


def numbers(estimate: Tensor, electrons: float, visible: float) -> Row:
    """Count specks, and say how much light was drawn where there is none."""
    contrast = (estimate - estimate.mean()) / math.sqrt(electrons)
    return {
        "specks_per_mpx": visible_specks(estimate, visible) / (estimate.numel() / 1e6),
        "largest_percent_of_mean": 100 * float(contrast.abs().max()),
        "rms_percent_of_mean": 100 * float(contrast.square().mean().sqrt()),
        "share_of_noise_power": float(estimate.var()),
    }


def score_blanks(
    denoisers: Sequence[NamedDenoiser], config: dict[str, Any], cache: ScoreCache
) -> list[Row]:
    """Score all methods on the same blank images; one that lacks a package is left out."""
    code = source_digest(__name__, "experiments.denoise_blank.run")
    shape = [config[name] for name in ("size", "defocus_um", "ice_thickness_nm", "visible")]
    cases = [(c, w, s) for c in config["cameras"] for w in BLANKS for s in config["seeds"]]
    rows = []
    for camera, what, seed in tqdm(cases, desc="blank images", disable=None):
        key = digest(camera, config["cameras"][camera], what, seed, shape, code)
        white: WhitenedExposures | None = None
        for denoiser in denoisers:
            name = f"{denoiser.key}:{key}"
            if name not in cache:
                white = white or whitened_blank(what, camera, seed, config)
                generator, start = torch.Generator().manual_seed(seed), sum(os.times()[:4])
                try:
                    estimate = denoiser.run(
                        white.values, white.electrons, generator, white.pixel_size
                    )
                except (ImportError, ValueError) as error:
                    print(f"{denoiser.name}: {error}: left out", file=sys.stderr)
                    continue
                found = numbers(estimate, white.electrons, config["visible"])
                cache.put(name, found | {"cpu_seconds": round(sum(os.times()[:4]) - start, 3)})
            facts = {"method": denoiser.name, "camera": camera, "blank": what, "seed": seed}
            rows.append(facts | cache.get(name))
    return rows
