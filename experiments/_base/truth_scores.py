"""Scores of methods on exposures whose truth is known, each computed once."""

import os
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from difftem.functional.mtf import apply_transfer
from difftem.metrics.truth_table import truth_table
from experiments._base.denoisers import NamedDenoiser
from experiments._base.score_cache import ScoreCache
from experiments._base.users_methods import fits

Row = dict[str, Any]


@dataclass(frozen=True, eq=False)
class Exposed:
    """What methods are given, and what they should find.

    Attributes
    ----------
    exposures : Tensor
        Whitened, shape ``(n, y, x)``.
    electrons : float
        Per pixel and exposure.
    truth : Tensor
        Of one exposure, whitened, shape ``(y, x)``.
    pixel_size : float or None
        Å.
    blur : Tensor or None
        The camera's, ``(y, x // 2 + 1)``, which scores are taken behind.
    """

    exposures: Tensor
    electrons: float
    truth: Tensor
    pixel_size: float | None = None
    blur: Tensor | None = None

    def seen(self, image: Tensor) -> Tensor:  # (y, x)
        """Show an image as the camera does."""
        return image if self.blur is None else apply_transfer(image, self.blur)


def denoised(
    denoiser: NamedDenoiser, exposed: Exposed, seed: int
) -> tuple[Tensor, float]:  # (y, x), s
    """Denoise, and take the time: processor seconds of this process and its children."""
    generator = torch.Generator().manual_seed(seed)
    start = sum(os.times()[:4])
    estimate = denoiser.run(exposed.exposures, exposed.electrons, generator, exposed.pixel_size)
    return estimate, sum(os.times()[:4]) - start


def score_exposed(
    draw: Callable[[], Exposed],
    denoisers: Sequence[NamedDenoiser],
    facts: Row,
    key: str,
    columns: Sequence[str],
    cache: ScoreCache,
    exposures: int = 1,
    known_only: bool = False,
) -> list[Row]:
    """Score all methods on the same exposures, which are drawn only where a score is missing.

    A method that needs what is not installed is left out, and says so; with `known_only`, one that
    has no score yet.
    """
    exposed: Exposed | None = None
    rows = []
    for denoiser in denoisers:
        if not fits(denoiser.name, exposures):
            continue
        name = f"{denoiser.key}:{key}"
        if name not in cache and known_only:
            continue
        if name not in cache:
            exposed = exposed or draw()
            try:
                estimate, seconds = denoised(denoiser, exposed, facts["seed"])
            except (ImportError, ValueError) as error:
                print(f"{denoiser.name}: {error}: left out", file=sys.stderr)
                continue
            found = truth_table(
                exposed.seen(estimate), exposed.seen(exposed.truth), exposed.electrons, columns
            )
            cache.put(name, found | {"cpu_seconds": round(seconds, 3)})
        costs = {"training_seconds": denoiser.training_seconds}
        rows.append({"method": denoiser.name, **facts, **cache.get(name), **costs})
    return rows
