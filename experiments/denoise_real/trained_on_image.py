"""Networks that are trained on the part of a micrograph that they are shown."""

from collections.abc import Callable

import torch
from torch import Tensor, nn

from difftem.micrograph.whitened import WhitenedExposures
from difftem.workflows.denoise.adapt import adaptation
from difftem.workflows.denoise.load_network import load_network
from experiments._base.denoisers import NamedDenoiser, balanced_run, network_key
from experiments._base.score_cache import source_digest

CODE = (
    "difftem.workflows.denoise.adapt",
    "difftem.workflows.denoise.image_training",
    "difftem.workflows.denoise.balance",
    "difftem.functional.ring_balance",
)


def adapted(weights: str, name: str, seconds: float) -> NamedDenoiser:
    """Fine-tune a network on what it is shown, then weigh it by what was held out of that."""
    network = load_network(weights)
    key = f"{network_key(network)}-{seconds:g}-{source_digest(*CODE)}"
    return NamedDenoiser(f"adapt {seconds:g} s, {name}", key, _training(lambda: network, seconds))


def _training(
    begin: Callable[[], nn.Module], seconds: float
) -> Callable[[Tensor, float, torch.Generator | None, float | None], Tensor]:
    """Train, then denoise."""

    def run(
        exposures: Tensor,
        electrons: float,
        generator: torch.Generator | None,
        pixel_size: float | None,
    ) -> Tensor:
        noise = torch.ones(exposures.shape[-2], exposures.shape[-1] // 2 + 1)
        white = WhitenedExposures(exposures, electrons, 0.0, noise, pixel_size)
        found = adaptation(begin(), white, seconds / 60)
        print(found.sentence())
        where = found.held_out[0] if found.kept else None
        return balanced_run(found.network.eval(), where)(
            exposures, electrons, generator, pixel_size
        )

    return run


def split_alone(seconds: float) -> NamedDenoiser:
    """Train a network on nothing but splits of what it is shown."""
    from difftem.workflows.denoise.self_trained import split

    def run(
        exposures: Tensor,
        electrons: float,
        generator: torch.Generator | None,
        pixel_size: float | None,
    ) -> Tensor:
        return split(exposures, electrons, generator, minutes=seconds / 60)

    code = source_digest("difftem.workflows.denoise.self_trained", *CODE)
    return NamedDenoiser(f"split {seconds:g} s", f"split-{seconds:g}-{code}", run)
