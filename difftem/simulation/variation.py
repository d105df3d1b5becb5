"""What changes from micrograph to micrograph: one rule for every key."""

import dataclasses
from collections.abc import Mapping
from typing import Any

import torch

from difftem.simulation.scene_config import SceneConfig
from difftem.simulation.seed import item_seed
from difftem.simulation.variation_config import ALWAYS_DRAWN, KEYS, VariationConfig

AMOUNTS = ("count", "per_um3", "micromolar", "fraction")


def varied(config: SceneConfig, index: int) -> tuple[SceneConfig, dict[str, float]]:
    """Draw the configuration of one micrograph: what its ranges give replaces the fixed values.

    A value depends on the seed, the micrograph's number and its own key alone: what else varies
    does not change it. Defocus, dose and ice are drawn where the micrograph is made.

    Parameters
    ----------
    config : SceneConfig
        Of the set.
    index : int
        Number of the micrograph.

    Returns
    -------
    tuple
        The micrograph's configuration, and what was drawn by its key; x and y of what has two.
    """
    drawn: dict[str, float] = {}
    for name, limits in given_ranges(config.variation).items():
        if name in ALWAYS_DRAWN:
            continue
        shares = _shares(config.seed, index, name)
        if name == "beam_tilt_mrad":
            pair = tuple(_between(limits, share) for share in shares)
            config = replaced(config, name, pair)
            drawn |= dict(zip(("beam_tilt_x_mrad", "beam_tilt_y_mrad"), pair, strict=True))
        else:
            drawn[name] = _between(limits, shares[0])
            config = replaced(config, name, drawn[name])
    for particle, limits in config.variation.particles.items():
        share = _shares(config.seed, index, f"particles {particle}")[0]
        key = amount_of(config, particle)
        low, high = limits
        value: float = _between(limits, share)
        if key == "count":
            value = min(int(low) + int(share * (int(high) - int(low) + 1)), int(high))
        else:
            drawn[f"{particle}.{key}"] = value
        config = with_amount(config, particle, value)
    return config, drawn


def given_ranges(variation: VariationConfig) -> dict[str, tuple[float, float]]:
    """Ranges that are set, by key."""
    values = {each.name: getattr(variation, each.name) for each in dataclasses.fields(variation)}
    return {n: v for n, v in values.items() if v is not None and not isinstance(v, Mapping)}


def replaced(config: SceneConfig, name: str, value: Any) -> SceneConfig:
    """Put a value where the key of a range belongs."""
    section, _, key = KEYS[name].partition(".")
    changed: dict[str, Any] = {
        section: dataclasses.replace(getattr(config, section), **{key: value})
    }
    return dataclasses.replace(config, **changed)


def amount_of(config: SceneConfig, particle: str) -> str:
    """Key that says how many of a particle there are."""
    (found,) = (each for each in config.particles if each.name == particle)
    return next(name for name in AMOUNTS if getattr(found, name) is not None)


def with_amount(config: SceneConfig, particle: str, value: float) -> SceneConfig:
    """Give a particle another amount."""
    changed: dict[str, Any] = {amount_of(config, particle): value}
    particles = [
        dataclasses.replace(each, **changed) if each.name == particle else each
        for each in config.particles
    ]
    return dataclasses.replace(config, particles=particles)


def _shares(seed: int, index: int, name: str) -> list[float]:
    """Two random numbers of a micrograph and a key."""
    generator = torch.Generator().manual_seed(item_seed(seed, index, f"variation {name}"))
    found: list[float] = torch.rand(2, generator=generator, dtype=torch.float64).tolist()
    return found


def _between(limits: tuple[float, float], share: float) -> float:
    return limits[0] + share * (limits[1] - limits[0])
