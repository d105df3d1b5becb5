"""The DiffTEM paper's denoiser on a single exposure: with the results of others as more inputs.

It cannot be fitted to one exposure. T, N and T+N are read here as: the exposure, and what Topaz,
Noise2Noise or both made of it. The optimum of the paper's loss is the average of its inputs, which
is what is scored.
"""

from collections.abc import Sequence

import torch
from torch import Tensor

from experiments._base.denoisers import NamedDenoiser, Run

SETTINGS = {
    "paper T": ("topaz",),
    "paper N": ("noise2noise",),
    "paper T+N": ("topaz", "noise2noise"),
}


def paper_settings(denoisers: Sequence[NamedDenoiser]) -> list[NamedDenoiser]:
    """Form the settings whose methods are there."""
    known = {each.name: each for each in denoisers}
    result = []
    for name, others in SETTINGS.items():
        if all(other in known for other in others):
            chosen = [known[other] for other in others]
            key = "-".join([name, *(each.key for each in chosen)])
            result.append(NamedDenoiser(name, key, _average_with(chosen)))
    return result


def _average_with(others: Sequence[NamedDenoiser]) -> Run:
    def run(
        exposures: Tensor,
        electrons: float,
        generator: torch.Generator | None,
        pixel_size: float | None,
    ) -> Tensor:
        found = [each.run(exposures, electrons, generator, pixel_size) for each in others]
        return torch.stack([*exposures, *found]).mean(0)

    return run
