"""Methods of `difftem denoise` as its users get them: trained, loaded, weighed."""

import inspect
import json
import os
import sys
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path

import torch
from torch import Tensor, nn

from difftem.micrograph.whitened import WhitenedExposures
from difftem.workflows.denoise import prepare
from difftem.workflows.denoise.load_network import load_network
from difftem.workflows.denoise.methods import METHODS
from difftem.workflows.denoise.options import DenoiseOptions
from experiments._base.denoisers import (
    NamedDenoiser,
    Run,
    balanced_run,
    network_key,
    training_seconds,
)
from experiments._base.score_cache import digest, source_digest

_PREPARED = (
    "difftem.workflows.denoise.prepare",
    "difftem.workflows.denoise.balance",
    "difftem.functional.ring_balance",
    "difftem.functional.wiener",
)


# Methods whose weights come with no package: a variable of the environment names their file.
OWN_WEIGHTS = {"noise2noise": "DIFFTEM_NOISE2NOISE", "topaz_trained": "DIFFTEM_TOPAZ_MODEL"}


def users_methods(names: Sequence[str], minutes: float | None = None) -> list[NamedDenoiser]:
    """Methods by name, as far as difftem has them.

    Parameters
    ----------
    names : sequence of str
        Of `METHODS`, and "constant": the mean image.
    minutes : float, optional
        Of training of those that are trained on the image itself.
    """
    found = []
    for name in names:
        if name == "constant":
            found.append(NamedDenoiser(name, name, _constant))
        elif name in OWN_WEIGHTS and not os.environ.get(OWN_WEIGHTS[name]):
            print(f"{name}: ${OWN_WEIGHTS[name]} names no weights: left out", file=sys.stderr)
        elif name in METHODS:
            found.append(_users_method(name, minutes if name in prepare.SELF_TRAINED else None))
        else:
            print(f"difftem has no method {name}: left out", file=sys.stderr)
    return found


def with_weights(weights: str, name: str) -> NamedDenoiser:
    """Network of a file, weighed as the shipped one is."""
    network = load_network(weights).eval()
    key = f"{network_key(network)}-{source_digest(*_PREPARED)}"
    return NamedDenoiser(name, key, balanced_run(network), training_seconds(network))


def fits(name: str, exposures: int) -> bool:
    """Whether a method can do with so many exposures."""
    return name not in METHODS or METHODS[name].least_exposures <= exposures


def other_methods(names: Sequence[str]) -> list[str]:
    """Methods of difftem that are not among these."""
    return [name for name in METHODS if name not in names]


def _constant(
    exposures: Tensor,
    electrons: float,
    generator: torch.Generator | None,
    pixel_size: float | None,
) -> Tensor:
    return torch.zeros_like(exposures[0])


def _users_method(name: str, minutes: float | None) -> NamedDenoiser:
    module, _, attribute = METHODS[name].place.partition(":")
    defined = inspect.getmodule(getattr(import_module(module), attribute))
    key = f"{name}-{source_digest(module, defined.__name__ if defined else module, *_PREPARED)}"
    seconds = 0.0
    if METHODS[name].trained:
        network = _network(name)
        key, seconds = f"{key}-{network_key(network)}", training_seconds(network)
    if name in OWN_WEIGHTS:
        path = Path(os.environ[OWN_WEIGHTS[name]]).expanduser()
        key, seconds = f"{key}-{digest(path.read_bytes())}", _seconds_beside(path)
    if minutes is not None:
        key += f"-{minutes:g} min"
    return NamedDenoiser(name, key, _run_of(name, minutes), seconds)


def _seconds_beside(weights: Path) -> float:
    """Read from the account beside weights how long they were trained; 0 where it does not say."""
    path = weights.with_suffix(".json")
    if not path.is_file():
        return 0.0
    account = json.loads(path.read_text("utf-8"))
    return float(account.get("training", account).get("seconds", 0.0))


def _network(name: str) -> nn.Module:
    """Load the network of a method that was trained before."""
    field = WhitenedExposures(torch.zeros(1, 8, 8), 1.0, 0.0, torch.ones(8, 5), None)
    return prepare.trained_network(DenoiseOptions(method=name), [field]).network


def _run_of(name: str, minutes: float | None) -> Run:
    def run(
        exposures: Tensor,
        electrons: float,
        generator: torch.Generator | None,
        pixel_size: float | None,
    ) -> Tensor:
        noise = torch.ones(exposures.shape[-2], exposures.shape[-1] // 2 + 1)
        white = WhitenedExposures(exposures, electrons, 0.0, noise, pixel_size)
        options = DenoiseOptions(method=name, minutes=minutes)
        ready = prepare.trained_network(options, [white]) if METHODS[name].trained else None
        generator = generator or torch.Generator().manual_seed(0)
        with torch.inference_mode(False):
            method = prepare.prepared_method(name, options, white, ready, generator)
            estimate = method(exposures, electrons, generator).detach()
        return estimate - estimate.mean()  # users' images keep their mean

    return run
