"""Scores of denoisers on noisy images with known truth."""

from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from tqdm import tqdm

from difftem.functional.fourier_ring import agreed_frequency, ring_correlation, ring_products
from difftem.functional.grid import frequency_grid, radius
from difftem.functional.image_error import correlation, normalised_error, peak_signal_to_noise
from difftem.functional.mtf import apply_transfer
from difftem.functional.ring_curve import Rings
from experiments._base.denoisers import NamedDenoiser
from experiments._base.score_cache import ScoreCache, digest, source_digest
from experiments.denoise_simulated.images import NoisyImage, camera_blurred, noisy_image
from experiments.denoise_simulated.scenes import CleanScene, clean_image

Row = dict[str, Any]


def inside_ring(image: Tensor, pixel_size: float, config: dict[str, Any]) -> Tensor:
    """Frequencies below the ring of ice."""
    q = radius(frequency_grid((image.shape[-2], image.shape[-1]), pixel_size, half=True))
    return (q < 1 / config["ring_from"]).to(image)


def score(
    estimate: Tensor, image: NoisyImage, pixel_size: float, config: dict[str, Any]
) -> dict[str, float]:
    """Errors below the ring of ice and in all, with and without ice in the truth."""
    inner = inside_ring(estimate, pixel_size, config)
    below, truth = apply_transfer(estimate, inner), apply_transfer(image.truth, inner)
    curve = ring_correlation(ring_products(below, truth, config["n_rings"]))
    return {
        "nmse": float(normalised_error(below, truth)),
        "nmse_all": float(normalised_error(estimate, image.truth)),
        "nmse_ice": float(normalised_error(estimate, image.with_ice)),
        "correlation": float(correlation(below, truth)),
        "frc_half": agreed_frequency(curve),
    }


def best_radial(
    image: NoisyImage,
    inner: Tensor,  # (y, x // 2 + 1)
) -> float:
    """Error of the best radial filter in hindsight: none knows the ice and the truth better."""
    x, truth = (apply_transfer(each, inner) for each in (image.values, image.truth))
    a, b = torch.fft.rfft2(x.double()), torch.fft.rfft2(truth.double())
    rings = Rings((x.shape[-2], x.shape[-1]), a.real)
    smooth = rings.neighbours(0.04)
    cross = rings.total((a.conj() * b).real) @ smooth
    gain = (cross / (rings.total(a.abs().square()) @ smooth).clamp(min=1e-12)).clamp(0.0, 1.0)
    return float(normalised_error(apply_transfer(x.double(), rings.spread(gain)), truth))


def score_scenes(
    denoisers: list[NamedDenoiser],
    wanted: list[CleanScene],
    config: dict[str, Any],
    folder: Path,
    cache: ScoreCache,
) -> list[Row]:
    """Score all methods on all scenes, doses and seeds, each on the same arrays."""
    code = source_digest(
        "experiments.denoise_simulated.images",
        "difftem.functional.structured_ice",
        "difftem.functional.image_error",
        "difftem.functional.fourier_ring",
        __name__,
    )
    items = [
        (scene, dose, seed)
        for scene in wanted
        for dose in config["doses"]
        for seed in config["seeds"]
    ]
    rows = []
    for scene, dose, seed in tqdm(items, desc="images", disable=None):
        clean, key = clean_image(scene, config | config["kinds"][scene.kind], folder)
        key = digest(key, asdict(scene)["camera"], dose, seed, config["ring_from"], code)

        def draw(
            clean: Tensor = clean, scene: CleanScene = scene, dose: float = dose, seed: int = seed
        ) -> NoisyImage:
            return noisy_image(clean, scene, dose, seed)

        facts = {"scene": scene.name, "kind": scene.kind, "dose": dose, "seed": seed}
        rows += _score_image(draw, denoisers, facts, key, scene.pixel_size, config, cache)
    return rows


def score_tmv_setting(
    denoisers: list[NamedDenoiser],
    scene: CleanScene,
    config: dict[str, Any],
    folder: Path,
    cache: ScoreCache,
) -> list[Row]:
    """Score PSNR and correlation in the images of the paper's camera, blurred as the truth is."""
    setting = config["tmv_setting"]
    code = source_digest("experiments.denoise_simulated.images", __name__)
    clean, scene_key = clean_image(scene, config | config["kinds"][scene.kind], folder)
    clean = 1 + setting["contrast"] * (clean - 1)
    rows = []
    for dose, exposures in setting["doses_e_per_nm2"]:
        electrons = dose * exposures * (scene.pixel_size / 10) ** 2
        for seed in config["seeds"]:
            key = digest(scene_key, setting["mtf"], setting["contrast"], electrons, seed, code)
            for denoiser in denoisers:
                name = f"{denoiser.key}:{key}"
                if name not in cache:
                    cache.put(
                        name, _blurred_score(denoiser, clean, setting["mtf"], electrons, seed)
                    )
                facts = {"dose": f"({dose},{exposures})", "seed": seed, "method": denoiser.name}
                rows.append(facts | cache.get(name))
    return rows


def _blurred_score(
    denoiser: NamedDenoiser, clean: Tensor, mtf: dict[str, float], electrons: float, seed: int
) -> dict[str, float]:
    """Score behind the camera's blur."""
    image, blur = camera_blurred(clean, mtf, electrons, seed)
    estimate = denoiser.run(
        image.values[None], electrons, torch.Generator().manual_seed(seed), None
    )
    estimate, truth = apply_transfer(estimate, blur), apply_transfer(image.truth, blur)
    return {
        "psnr": float(peak_signal_to_noise(estimate, truth)),
        "correlation": float(correlation(estimate, truth)),
    }


def _score_image(
    draw: Callable[[], NoisyImage],
    denoisers: list[NamedDenoiser],
    facts: Row,
    key: str,
    pixel_size: float,
    config: dict[str, Any],
    cache: ScoreCache,
) -> list[Row]:
    """Score all methods on one image, which is drawn only where a score is missing."""
    image: NoisyImage | None = None
    rows = []
    best = f"best radial filter:{key}"
    if best not in cache:
        image = draw()
        cache.put(best, best_radial(image, inside_ring(image.values, pixel_size, config)))
    facts = {**facts, "best": cache.get(best)}
    for denoiser in denoisers:
        name = f"{denoiser.key}:{key}"
        if name not in cache:
            image = image or draw()
            generator = torch.Generator().manual_seed(facts["seed"])
            estimate = denoiser.run(image.values[None], image.electrons, generator, pixel_size)
            cache.put(name, score(estimate, image, pixel_size, config))
        rows.append({**facts, "method": denoiser.name, **cache.get(name)})
    return rows
