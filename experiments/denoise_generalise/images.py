"""Noisy images of a setting in which one thing differs from the base."""

import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from difftem.functional.grid import frequency_grid, radius
from difftem.functional.mtf import apply_transfer
from experiments.denoise_simulated.images import NoisyImage, noisy_image
from experiments.denoise_simulated.scenes import CleanScene, clean_image

Setting = dict[str, Any]


def all_settings(config: dict[str, Any]) -> list[tuple[str, Any, Setting]]:
    """Axis, value and whole setting, one for each value of each axis."""
    return [
        (axis, value, config["base"] | {axis: value})
        for axis, values in config["axes"].items()
        for value in values
    ]


def scene_of(setting: Setting, config: dict[str, Any], structures: Path) -> CleanScene | None:
    """Scene without noise; None where the structure's file is missing."""
    kind = config["kinds"][setting["kind"]]
    source = structures / kind["file"]
    if not source.is_file():
        return None
    side = config["size"] * setting["pixel_size"]
    number = round(config["covered"] * (side / kind["diameter"]) ** 2)
    return CleanScene(
        setting["kind"],
        str(source.resolve()),
        setting["pixel_size"],
        setting["defocus_um"],
        config["ice_nm"],
        min(max(number, 1), config["most"]),
        config["size"],
        config["scene_seed"],
        config["camera"],
    )


def make_noisy(
    scene: CleanScene, setting: Setting, seed: int, config: dict[str, Any], folder: Path
) -> NoisyImage:
    """Draw ice, electrons and readout, and whiten them as well as the camera is known."""
    clean, _ = clean_image(scene, config | config["kinds"][scene.kind], folder)
    image = noisy_image(
        clean,
        replace(scene, ice_nm=max(setting["ice"] * scene.ice_nm, 1e-6)),
        setting["dose"],
        seed,
    )
    return with_read_noise(image, setting["read_noise"], seed)


def with_read_noise(image: NoisyImage, share: float, seed: int) -> NoisyImage:
    """Add readout of so many standard deviations of the shot noise; the sum has variance 1.

    What is found in such an image are its effective electrons: m / (1 + share²).
    """
    if share == 0:
        return image
    generator = torch.Generator().manual_seed(10_000 + seed)
    scale = 1 / math.sqrt(1 + share**2)
    readout = share * torch.randn(image.values.shape, generator=generator)
    return NoisyImage(
        scale * (image.values + readout),
        scale * image.truth,
        scale * image.with_ice,
        scale**2 * image.electrons,
    )


def wrong_whitening(shape: tuple[int, int], error: float) -> Tensor:  # (y, x // 2 + 1)
    """Amplitude that noise has after whitening by a curve that is wrong towards Nyquist."""
    q = radius(frequency_grid(shape, 1.0, half=True))
    return (1 + error * (2 * q).clamp(max=1.0)).float()


def denoised_with_error(
    run: Any, image: NoisyImage, error: float, seed: int, pixel: float
) -> Tensor:
    """Denoise what was whitened by a wrong curve, and undo the whitening by the same curve."""
    amplitude = wrong_whitening((image.values.shape[0], image.values.shape[1]), error)
    values = image.values if error == 0 else apply_transfer(image.values, amplitude)
    estimate: Tensor = run(
        values[None], image.electrons, torch.Generator().manual_seed(seed), pixel
    )
    return estimate if error == 0 else apply_transfer(estimate, 1 / amplitude)
