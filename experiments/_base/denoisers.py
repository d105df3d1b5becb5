"""Denoisers by name, each with a key that changes with its code or weights."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from difftem.baselines.topaz import topaz_model
from difftem.baselines.topaz_environment import find_topaz
from difftem.workflows.denoise.balance import balance
from difftem.workflows.denoise.load_network import load_network
from difftem.workflows.denoise.methods import METHODS
from difftem.workflows.denoise.network_method import NetworkMethod
from difftem.workflows.denoise.noise2noise import noise2noise_weights
from experiments._base.score_cache import digest, source_digest

# (exposures (n, y, x) whitened, e/pixel, generator, pixel size in Å) -> (y, x), of one exposure
Run = Callable[[Tensor, float, torch.Generator | None, float | None], Tensor]


@dataclass(frozen=True)
class NamedDenoiser:
    """What is scored.

    Attributes
    ----------
    name : str
        In tables.
    key : str
        Of its code or weights: scores are kept under it.
    run : callable
        The method.
    training_seconds : float
        That were spent before it saw an image.
    """

    name: str
    key: str
    run: Run
    training_seconds: float = 0.0


def baselines(names: Sequence[str]) -> list[NamedDenoiser]:
    """Methods of difftem by name, as far as it has them; keyed by their module and weights.

    Weights of noise2noise and topaz_trained are those that environment variables name; what lacks
    weights or a program is said and left out.
    """
    found = []
    for name in names:
        if name not in METHODS:
            print(f"difftem has no method {name}: left out")
            continue
        try:
            weights = _weights(name)
        except ValueError as error:
            print(f"{name} is left out: {error}")
            continue
        method = METHODS[name].load()
        module = METHODS[name].place.partition(":")[0]
        key = f"{name}-{source_digest(module, 'difftem.functional.wiener')}"
        seconds = 0.0
        if weights is not None:
            key += f"-{digest(weights.read_bytes())}"
            seconds = _account_seconds(weights)

        def run(
            exposures: Tensor,
            electrons: float,
            generator: torch.Generator | None,
            pixel_size: float | None,
            method: Callable[..., Tensor] = method,
        ) -> Tensor:
            return method(exposures, electrons, generator)

        found.append(NamedDenoiser(name, key, run, seconds))
    return found


def _weights(name: str) -> Path | None:
    """File of weights that a method will load, if it has any; fails where it cannot run."""
    if name.startswith("topaz"):
        find_topaz()
    if name == "topaz_trained":
        return topaz_model()
    return noise2noise_weights() if name == "noise2noise" else None


def _account_seconds(weights: Path) -> float:
    """Tell how long weights were trained, by the JSON file beside them."""
    beside = weights.with_suffix(".json")
    account = json.loads(beside.read_text("utf-8")) if beside.exists() else {}
    return float(account.get("training", {}).get("seconds", 0.0))


def trained(weights: str, name: str, balanced: bool = True) -> list[NamedDenoiser]:
    """Network of a file or a shipped name: as users get it, and as ``--no-balance`` gives it.

    Users get of it what held-out electrons confirm (`difftem.workflows.denoise.balance`).
    """
    network = load_network(weights).eval()
    key = network_key(network)
    result = [NamedDenoiser(f"{name}, no balance", key, _network_run(network))]
    if balanced:
        code = source_digest("difftem.functional.ring_balance", "difftem.workflows.denoise.balance")
        result.append(NamedDenoiser(name, f"{key}-{code}", balanced_run(network)))
    return result


def network_key(network: nn.Module) -> str:
    """Name for what a network computes."""
    state = [value.detach().cpu().numpy().tobytes() for value in network.state_dict().values()]
    return digest(*state, source_digest("difftem.functional.wiener").encode())


def training_seconds(network: nn.Module) -> float:
    """Tell how long a network was trained, by the account of its weights."""
    account: dict[str, Any] = getattr(network, "account", {})
    return float(account.get("training", {}).get("seconds", 0.0))


def weights_label(weights: str) -> str:
    """Name of weights in tables."""
    return Path(weights).stem


@torch.no_grad()
def _run(network: nn.Module, exposures: Tensor, electrons: float) -> Tensor:
    return NetworkMethod(network)(exposures, electrons)


def _network_run(network: nn.Module) -> Run:
    """Run a network as `difftem denoise` does."""
    return lambda exposures, electrons, generator, pixel_size: _run(network, exposures, electrons)


def balanced_run(network: nn.Module, where: Tensor | None = None, trained: bool = True) -> Run:
    """Weigh a network against Wiener's filter by a split of the image itself."""

    def run(
        exposures: Tensor,
        electrons: float,
        generator: torch.Generator | None,
        pixel_size: float | None,
    ) -> Tensor:
        def method(x: Tensor, m: float, g: torch.Generator | None = None) -> Tensor:
            return _run(network, x, m)

        weighed = balance(method, pixel_size=pixel_size, where=where, trained=trained)
        return weighed(exposures, electrons, generator)

    return run
