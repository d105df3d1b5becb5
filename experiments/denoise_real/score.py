"""Scores of methods on splits of real micrographs: what they predict of what they have not seen."""

import math
import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor
from tqdm import tqdm

from difftem.analysis.held_out import HeldOutLikelihood, band_masks, banded_log_likelihood
from difftem.functional.exposure_parts import ExposurePart
from difftem.functional.mtf import apply_transfer
from difftem.functional.unsupervised_error import block_means, unsupervised_error_map
from difftem.metrics.held_out_table import held_out_table
from difftem.metrics.truth_table import truth_table
from experiments._base.denoisers import NamedDenoiser
from experiments._base.score_cache import ScoreCache, digest, source_digest
from experiments.denoise_real.micrographs import RealRegion

UMSE, UMSE_LOW = "uMSE", "uMSE below 0.15"
_LOW = ("below 0.03", "0.03-0.15")
HALVES = (
    "frc_halves_0.143_cycles_per_pixel",
    "frc_half_raw_0.143_cycles_per_pixel",
    "residual_variance",
    "residual_chi2_per_ring",
)
AGAINST_INPUT = ("paper_mm_ssim", "paper_mm_psnr_db", "paper_mm_mse", "paper_mm_ffl")
CODE = (
    "difftem.functional.count_split",
    "difftem.functional.exposure_parts",
    "difftem.functional.unsupervised_error",
    "difftem.analysis.held_out",
    "difftem.metrics.truth_table",
    "difftem.metrics.held_out_table",
)


@dataclass(frozen=True, eq=False)
class RegionScores:
    """Scores of one method on one region.

    Attributes
    ----------
    camera, region, method : str
        Which.
    blocks : dict of Tensor
        Of each band ``(seeds, blocks)`` in nats/1000 pixels; `UMSE` and `UMSE_LOW` in variances of
        the noise of the whole image.
    numbers : dict of float
        Agreement with the method's own input, processor seconds; of small regions also what
        halves and the residual tell.
    electrons : float
        Per pixel of the whole image.
    """

    camera: str
    region: str
    method: str
    blocks: dict[str, Tensor]
    numbers: dict[str, float] = field(default_factory=dict)
    electrons: float = math.nan

    def mean(self) -> HeldOutLikelihood:
        """Mean over the splits, block by block."""
        return HeldOutLikelihood({name: value.mean(0) for name, value in self.blocks.items()})


def score_region(
    denoisers: Sequence[NamedDenoiser],
    region: RealRegion,
    config: dict[str, Any],
    cache: ScoreCache,
) -> list[RegionScores]:
    """Score all methods on the same splits of a region; one that lacks a package is left out."""
    code = source_digest(*CODE, __name__)
    found: dict[str, list[dict[str, Any]]] = {}
    seeds = config["seeds"] if region.seeds is None else region.seeds
    for seed in tqdm(seeds, desc=f"{region.camera} {region.name}", disable=None):
        for denoiser in denoisers:
            key = digest(denoiser.key, region.key, config["fraction"], seed, config["block"], code)
            if key not in cache:
                try:
                    scores = _score(denoiser, region, config, seed)
                    if seed == seeds[0] and len(region.values) <= config["halves_up_to"]:
                        scores["numbers"] |= _halves(denoiser, region)
                except (ImportError, ValueError) as error:
                    print(f"{denoiser.name}: {error}: left out", file=sys.stderr)
                    continue
                cache.put(key, scores)
            found.setdefault(denoiser.name, []).append(cache.get(key))
    return [
        RegionScores(
            region.camera,
            region.name,
            name,
            {
                band: torch.tensor([each["blocks"][band] for each in own])
                for band in own[0]["blocks"]
            },
            _mean_numbers([each["numbers"] for each in own]),
            region.white.electrons,
        )
        for name, own in found.items()
    ]


def _score(
    denoiser: NamedDenoiser, region: RealRegion, config: dict[str, Any], seed: int
) -> dict[str, Any]:
    """Denoise one part of a split, and compare with the other."""
    parts = region.split(config["fraction"], seed)
    electrons, pixel_size = parts.fraction * region.white.electrons, region.white.pixel_size
    generator, start = torch.Generator().manual_seed(seed), sum(os.times()[:4])
    estimate = denoiser.run(parts.kept[None], electrons, generator, pixel_size)
    seconds = sum(os.times()[:4]) - start
    masks = band_masks((estimate.shape[0], estimate.shape[1]), pixel_size)
    expected = estimate * math.sqrt((1 - parts.fraction) / parts.fraction)
    blocks = banded_log_likelihood(expected, parts.held_out, masks, config["block"]).blocks
    blocks |= _squared_errors(estimate, parts, region, masks, config["block"], seed)
    agreement = truth_table(estimate, parts.kept, electrons, AGAINST_INPUT)
    return {
        "blocks": {name: [round(x, 5) for x in v.tolist()] for name, v in blocks.items()},
        "numbers": agreement | {"cpu_seconds": round(seconds, 3)},
    }


def _halves(denoiser: NamedDenoiser, region: RealRegion) -> dict[str, float]:
    """FRC of both denoised halves and of a half with the other as it is; the residual's power."""

    def method(x: Tensor, electrons: float, generator: torch.Generator | None) -> Tensor:
        return denoiser.run(x, electrons, generator, region.white.pixel_size)

    generator = torch.Generator().manual_seed(0)
    pixel_size = region.white.pixel_size
    whole = region.values[None]
    return held_out_table(
        method, whole, region.white.electrons, generator, pixel_size, columns=HALVES
    )


def _mean_numbers(numbers: Sequence[dict[str, float]]) -> dict[str, float]:
    """Mean over the splits that have a number."""
    names = dict.fromkeys(name for each in numbers for name in each)
    having = {name: [each[name] for each in numbers if name in each] for name in names}
    return {name: sum(values) / len(values) for name, values in having.items()}


def _squared_errors(
    estimate: Tensor,  # (y, x)
    parts: Any,
    region: RealRegion,
    masks: dict[str, Tensor],
    block: int,
    seed: int,
) -> dict[str, Tensor]:
    """Unbiased squared errors without a truth, of an image of all electrons, block by block."""
    copy = parts.held_out[None] / math.sqrt(1 - parts.fraction)
    every = ExposurePart(region.values[None], region.white.electrons, 1.0)
    of_signal = every.copies(torch.Generator().manual_seed(1000 + seed))
    images = (estimate / math.sqrt(parts.fraction), copy, of_signal)
    low = (masks[_LOW[0]] | masks[_LOW[1]]).to(estimate)
    low_images = [apply_transfer(each, low) for each in images]
    return {
        UMSE: block_means(unsupervised_error_map(*images), block),
        UMSE_LOW: block_means(unsupervised_error_map(*low_images), block),
    }
