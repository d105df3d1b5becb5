"""Scores of all methods over dose, projections and seeds, on the same arrays."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tqdm import tqdm

from experiments._base.denoisers import NamedDenoiser
from experiments._base.rows import Row
from experiments._base.score_cache import ScoreCache, digest, source_digest
from experiments._base.truth_scores import Exposed, score_exposed
from experiments._base.users_methods import other_methods, users_methods, with_weights
from experiments.denoise_dose.setting import clean_scene, electrons_per_pixel, expose

CODE = (
    "experiments.denoise_dose.setting",
    "difftem.metrics.truth_table",
    "difftem.functional.image_error",
    "difftem.functional.fourier_ring",
)


def all_settings(config: dict[str, Any]) -> list[tuple[float, int]]:
    """Doses and projections: those of the short table first."""
    short = [(float(dose), n) for dose, n in config["key_settings"]]
    grid = [(float(dose), n) for dose in config["doses_e_per_nm2"] for n in config["projections"]]
    return list(dict.fromkeys([*short, *grid]))


def chosen_methods(
    config: dict[str, Any], weights: str | None
) -> tuple[list[NamedDenoiser], list[NamedDenoiser]]:
    """Methods that run everywhere, and those that run in the short table only."""
    named = config["methods"]
    everywhere = users_methods(named["everywhere"])
    if weights:
        everywhere.append(with_weights(weights, config["exactly"]))
    others = other_methods([*named["everywhere"], *named["left_out"]])
    return everywhere, users_methods(others, config["minutes"])


def score_settings(
    everywhere: Sequence[NamedDenoiser],
    short: Sequence[NamedDenoiser],
    config: dict[str, Any],
    structures: Path,
    folder: Path,
    known_only: bool = False,
) -> list[Row]:
    """Score everything that has no score yet, unless only what is known is wanted."""
    cache = ScoreCache(folder / "scores.jsonl")
    clean, scene_key = clean_scene(structures, folder)
    code = source_digest(*CODE)
    keys = [(float(dose), n) for dose, n in config["key_settings"]]
    items = [(dose, n, seed) for dose, n in all_settings(config) for seed in config["seeds"]]
    rows = []
    for dose, n, seed in tqdm(items, desc="images", disable=None):

        def draw(dose: float = dose, n: int = n, seed: int = seed) -> Exposed:
            return expose(clean, electrons_per_pixel(dose), n, seed)

        facts = {"dose_e_per_nm2": dose, "projections": n, "seed": seed}
        methods = [*everywhere, *(short if (dose, n) in keys else [])]
        key = digest(scene_key, dose, n, seed, config["columns"], code)
        rows += score_exposed(draw, methods, facts, key, config["columns"], cache, n, known_only)
    return rows
