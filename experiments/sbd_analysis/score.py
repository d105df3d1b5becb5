"""Frames of every scene, and what the likelihood ratios make of them."""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from tqdm import tqdm

from difftem.analysis.atomic_columns import find_columns
from difftem.analysis.column_evidence import ColumnEvidence, CountDenoiser, column_evidence
from difftem.analysis.column_ratio import column_ratios, neighbour_template, vacuum_ratios
from difftem.analysis.disc_surface import DiscSurface
from difftem.analysis.likelihood_ratio import area_under_curve, best_test
from difftem.simulation.seed import item_seed
from experiments._base.rows import Row
from experiments._base.score_cache import ScoreCache, digest
from experiments.sbd_analysis.scenes import Scene

PIXEL = 0.0623  # Å
SEARCH = 3  # pixels that a centre may move

RATIOS = ("neighbours", "denoised", "sbd")
Ratios = dict[str, list[list[float]]]  # by `RATIOS`: of each frame and site


def surface_of(config: dict[str, Any]) -> DiscSurface:
    """Make the disc of a column."""
    return DiscSurface(config["radius"] / PIXEL)


def counted(scene: Scene, kind: str, frame: int, config: dict[str, Any]) -> Tensor:  # (y, x)
    """Count the electrons of one frame of a scene."""
    image = scene.present if kind == "present" else scene.absent
    seed = item_seed(config["seed"], 1000 * scene.model + frame, kind)
    expected = (config["vacuum"] * image).clamp(min=0).float()
    return torch.poisson(expected, generator=torch.Generator().manual_seed(seed))


def ceilings(scene: Scene, config: dict[str, Any]) -> list[float]:
    """AUC of the best test of each site: both true images are known."""
    y, x = (torch.arange(n, dtype=torch.float64) for n in scene.present.shape)
    found = []
    for px, py in scene.sites.tolist():
        near = torch.hypot(y[:, None] - py, x - px) <= config["window"] / PIXEL
        images = (config["vacuum"] * each[near] for each in (scene.present, scene.absent))
        found.append(best_test(*images).auc)
    return found


def score_sites(
    denoise: CountDenoiser,
    scenes: list[Scene],
    config: dict[str, Any],
    cache: ScoreCache,
    key: str,
) -> list[Row]:
    """AUC of our ratios and of SBD's for every site, beside the ceiling."""
    rows = []
    for scene in tqdm(scenes, desc="sites", disable=None):
        ratios = {
            kind: _ratios(denoise, scene, kind, config, cache, key)
            for kind in ("present", "absent")
        }
        for site, ceiling in enumerate(ceilings(scene, config)):
            row: Row = {
                "model": scene.model,
                "site": site,
                "atoms": int(scene.atoms[site]),
                "defocus_nm": 1e3 * scene.defocus_um,
                "ceiling_auc": ceiling,
            }
            for name in RATIOS:
                there, gone = (
                    torch.tensor([frame[site] for frame in ratios[kind][name]])
                    for kind in ("present", "absent")
                )
                row[f"{name}_auc"] = area_under_curve(there, gone)
                row[f"{name}_absent_positive"] = float((gone > 0).double().mean())
            rows.append(row)
    return rows


def score_null(
    denoise: CountDenoiser,
    scenes: list[Scene],
    config: dict[str, Any],
    cache: ScoreCache,
    key: str,
) -> list[Row]:
    """p-value of every site in frames without the columns, and in some with them."""
    tested, rows = config["tested"], []
    for scene in tqdm(scenes, desc="null frames", disable=None):
        for kind in ("absent", "present"):
            for frame in range(tested[kind]):
                facts = digest(tested["drawn"], tested["level"])
                name = f"null:{key}:{_scene_key(scene, config)}:{kind}:{frame}:{facts}"
                if name not in cache:
                    found = evidence(denoise, scene, kind, frame, config)
                    cache.put(name, found.p_value.tolist())
                for site, p_value in enumerate(cache.get(name)):
                    rows.append(
                        {
                            "model": scene.model,
                            "site": site,
                            "atoms": int(scene.atoms[site]),
                            "kind": kind,
                            "frame": frame,
                            "p_value": p_value,
                        }
                    )
    return rows


def evidence(
    denoise: CountDenoiser, scene: Scene, kind: str, frame: int, config: dict[str, Any]
) -> ColumnEvidence:
    """Test the sites of one frame."""
    tested = config["tested"]
    seed = item_seed(config["seed"], 1000 * scene.model + frame, f"null of {kind}")
    counts = counted(scene, kind, frame, config)
    expected = denoise(counts)
    return column_evidence(
        denoise,
        counts,
        scene.sites,
        surface_of(config),
        vacuum=config["vacuum"],
        columns=find_columns(expected, PIXEL).positions,
        expected=expected,
        frames=tested["drawn"],
        level=tested["level"],
        search=SEARCH,
        generator=torch.Generator().manual_seed(seed),
    )


def count_denoiser(method: Callable[[Tensor], Tensor]) -> CountDenoiser:
    """Let a function of whitened values work on counts."""

    def denoise(counts: Tensor) -> Tensor:
        mean = counts.mean()
        return mean + mean.sqrt() * method((counts - mean) / mean.sqrt())

    return denoise


def _ratios(
    denoise: CountDenoiser,
    scene: Scene,
    kind: str,
    config: dict[str, Any],
    cache: ScoreCache,
    key: str,
) -> Ratios:
    """Ratios of all sites in all frames of one kind."""
    surface = surface_of(config)
    found: Ratios = {name: [] for name in RATIOS}
    for frame in range(config["frames"]):
        name = f"ratio:{key}:{_scene_key(scene, config)}:{kind}:{frame}"
        if name not in cache:
            counts = counted(scene, kind, frame, config)
            cache.put(name, _frame_ratios(counts, denoise(counts), scene, surface, config))
        for which, values in cache.get(name).items():
            found[which].append(values)
    return found


def _frame_ratios(
    counts: Tensor, expected: Tensor, scene: Scene, surface: DiscSurface, config: dict[str, Any]
) -> dict[str, list[float]]:
    """Ratios of all sites in a frame; neighbours are the columns that are found in it."""
    columns = find_columns(expected, PIXEL).positions
    template = neighbour_template(expected, scene.sites, columns, surface, search=SEARCH)
    by_template, _ = column_ratios(
        counts, expected, scene.sites, surface, template=template, search=SEARCH
    )
    denoised, centers = column_ratios(counts, expected, scene.sites, surface, search=SEARCH)
    sbd = vacuum_ratios(counts, expected, centers, surface, config["vacuum"])
    every = (by_template, denoised, sbd)
    return {name: each.tolist() for name, each in zip(RATIOS, every, strict=True)}


def _scene_key(scene: Scene, config: dict[str, Any]) -> str:
    """Name for all that decides a frame."""
    facts = [config[name] for name in ("vacuum", "radius", "seed")]
    images = [f"{float(each.std()):.5f}" for each in (scene.present, scene.absent)]
    return digest(scene.model, scene.sites.round().tolist(), images, facts)
