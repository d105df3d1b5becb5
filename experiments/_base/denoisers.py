"""Denoisers by name, each with a key that changes with its code or weights."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from importlib import import_module
from pathlib import Path

import torch
from torch import Tensor, nn

from difftem.functional.count_split import split_exposure
from difftem.functional.ring_balance import balanced, ring_balance
from difftem.functional.wiener import wiener_estimate
from experiments._base.score_cache import digest, source_digest

# (exposures (n, y, x) whitened, electrons per pixel, generator) -> (y, x) in units of one exposure
Denoiser = Callable[[Tensor, float, torch.Generator | None], Tensor]
LATTICE = 32  # pixels: sides of what a network sees are multiples of it
SPLIT = 0.8  # of the electrons: what the balance of rings is judged by


@dataclass(frozen=True)
class NamedDenoiser:
    """What is scored.

    Attributes
    ----------
    name : str
        In tables.
    key : str
        Of its code or weights: scores are kept under it.
    run : Denoiser
        The function.
    """

    name: str
    key: str
    run: Denoiser


def baseline(name: str, place: str) -> NamedDenoiser:
    """Denoiser of the package by ``module:function``, keyed by the module's text."""
    module, _, function = place.partition(":")
    run: Denoiser = getattr(import_module(module), function)
    return NamedDenoiser(name, source_digest(module, "difftem.functional.wiener"), run)


def network_denoisers(weights: str, name: str = "sbd") -> list[NamedDenoiser]:
    """Trained network of a file or a shipped name, plain and balanced against Wiener's filter."""
    from difftem.io.weights import load_network

    network = load_network(weights).eval()
    state = [value.detach().cpu().numpy().tobytes() for value in network.state_dict().values()]
    key = f"{digest(*state)}-{source_digest('difftem.functional.wiener')}"
    balance = source_digest("difftem.functional.ring_balance", __name__)
    return [
        NamedDenoiser(name, key, partial(whole_image, network)),
        NamedDenoiser(f"{name}, balanced", f"{key}-{balance}", partial(balanced_image, network)),
    ]


def weights_label(weights: str) -> str:
    """Name of weights in tables."""
    return Path(weights).stem


@torch.no_grad()
def whole_image(
    network: nn.Module,
    exposures: Tensor,  # (n, y, x)
    electrons: float,
    generator: torch.Generator | None = None,
) -> Tensor:  # (y, x)
    """Let a network see an image at once, without tiles."""
    root = math.sqrt(len(exposures))
    values = exposures.mean(0) * root
    inputs = torch.stack([values, wiener_estimate(values)])[None]
    ny, nx = values.shape
    pads = [(-n) % LATTICE for n in (nx, ny)]
    padded = nn.functional.pad(inputs, (0, pads[0], 0, pads[1]), mode="reflect")
    return network(padded)[0, 0, :ny, :nx] / root


def balanced_image(
    network: nn.Module,
    exposures: Tensor,  # (n, y, x)
    electrons: float,
    generator: torch.Generator | None = None,
) -> Tensor:  # (y, x)
    """Believe the network ring by ring as far as it predicts a held-out part of the image."""
    generator = generator or torch.Generator().manual_seed(0)
    n = len(exposures)
    root = math.sqrt(n)
    values = exposures.mean(0) * root
    parts = split_exposure(values, n * electrons, SPLIT, generator)
    kept = SPLIT * n * electrons
    reference = wiener_estimate(parts.kept)
    correction = whole_image(network, parts.kept[None], kept) - reference
    gain = ring_balance(correction[None], (parts.target - reference)[None], SPLIT / (1 - SPLIT))
    estimate = whole_image(network, values[None], n * electrons)
    return balanced(wiener_estimate(values), estimate, gain) / root
