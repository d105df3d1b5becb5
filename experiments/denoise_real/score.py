"""Held-out log likelihood of methods on splits of real micrographs."""

import math
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from tqdm import tqdm

from difftem.analysis.held_out import HeldOutLikelihood, band_masks, banded_log_likelihood
from experiments._base.denoisers import NamedDenoiser
from experiments._base.score_cache import ScoreCache, digest, source_digest
from experiments.denoise_real.micrographs import RealRegion


@dataclass(frozen=True, eq=False)
class RegionScores:
    """Scores of one method on one region: of each band ``(seeds, blocks)`` in nats/1000 pixels."""

    camera: str
    region: str
    method: str
    blocks: dict[str, Tensor]

    def mean(self) -> HeldOutLikelihood:
        """Mean over the splits, block by block."""
        return HeldOutLikelihood({name: value.mean(0) for name, value in self.blocks.items()})

    def rows(self) -> list[dict[str, Any]]:
        """Mean of every band and split."""
        facts = {"camera": self.camera, "region": self.region, "method": self.method}
        return [
            {**facts, "band": band, "split": seed, "nats_per_1000_pixels": round(float(value), 5)}
            for band, values in self.blocks.items()
            for seed, value in enumerate(values.mean(1))
        ]


def score_region(
    denoisers: list[NamedDenoiser],
    region: RealRegion,
    config: dict[str, Any],
    cache: ScoreCache,
) -> list[RegionScores]:
    """Score all methods on the same splits of a region."""
    fraction = config["fraction"]
    code = source_digest("difftem.functional.count_split", "difftem.analysis.held_out", __name__)
    masks = band_masks((region.values.shape[0], region.values.shape[1]), region.white.pixel_size)
    found: dict[str, list[dict[str, list[float]]]] = {each.name: [] for each in denoisers}
    for seed in tqdm(config["seeds"], desc=f"{region.camera} {region.name}", disable=None):
        parts = None
        for denoiser in denoisers:
            key = digest(denoiser.key, region.key, fraction, seed, config["block"], code)
            if key not in cache:
                parts = parts or region.split(fraction, seed)
                generator = torch.Generator().manual_seed(seed)
                electrons = fraction * region.white.electrons
                estimate = denoiser.run(
                    parts.kept[None], electrons, generator, region.white.pixel_size
                )
                expected = estimate * math.sqrt((1 - fraction) / fraction)
                scores = banded_log_likelihood(expected, parts.held_out, masks, config["block"])
                rounded = {k: [round(x, 5) for x in v.tolist()] for k, v in scores.blocks.items()}
                cache.put(key, rounded)
            found[denoiser.name].append(cache.get(key))
    return [
        RegionScores(
            region.camera,
            region.name,
            name,
            {band: torch.tensor([each[band] for each in seeds]) for band in seeds[0]},
        )
        for name, seeds in found.items()
    ]
