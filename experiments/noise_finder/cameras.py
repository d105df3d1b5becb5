"""Cameras drawn at random, and their images."""

import math
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from difftem.functional.grid import frequency_grid, radius
from difftem.functional.mtf import apply_transfer
from difftem.io.mtf_curve import mtf_by_name
from difftem.modules.mtf import MTF, IdealMTF

_BLOBS = 0.025  # cycles/pixel


@dataclass(frozen=True)
class DrawnCamera:
    """What is true of an image."""

    name: str
    mtf: MTF
    electrons: float
    gain: float

    def power(self, frequency: Tensor) -> Tensor:
        """Noise power in grey values squared."""
        with torch.no_grad():
            return self.gain**2 * self.electrons * self.mtf(frequency) ** 2


def draw_cameras(config: dict[str, Any], generator: torch.Generator) -> list[DrawnCamera]:
    """Draw as many cameras as the configuration says."""

    def between(limits: list[float]) -> float:
        low, high = limits
        return low + (high - low) * float(torch.rand((), generator=generator))

    def logarithmic(limits: list[float]) -> float:
        return math.exp(between([math.log(limit) for limit in limits]))

    curves: list[tuple[str, MTF]] = [("white", IdealMTF())] * config["white"]
    for family, entry in config["coloured"].items():
        limits = {key: value for key, value in entry.items() if key != "number"}
        for _ in range(entry["number"]):
            drawn = {key: between(value) for key, value in limits.items()}
            curves.append((family, mtf_by_name(family, drawn)))
    curves += [(name, mtf_by_name(name)) for name in config["presets"]]
    return [
        DrawnCamera(name, mtf, logarithmic(config["electrons"]), logarithmic(config["gain"]))
        for name, mtf in curves
    ]


def image(
    camera: DrawnCamera, config: dict[str, Any], generator: torch.Generator
) -> Tensor:  # (n, y, x)
    """Image random blobs."""
    side, n = config["side"], config["exposures_per_camera"]
    q = radius(frequency_grid((side, side), 1.0, half=True)).float()
    blobs = torch.fft.rfft2(torch.randn(side, side, generator=generator))
    blobs = torch.fft.irfft2(blobs * torch.exp(-((q / _BLOBS) ** 2)), s=(side, side))
    contrast = config["specimen"] * (blobs - blobs.mean()) / blobs.std()
    rate = camera.electrons * (1 + contrast).clamp(min=0.0)
    counts = torch.poisson(rate.expand(n, side, side), generator)
    with torch.no_grad():
        return camera.gain * apply_transfer(counts, camera.mtf.transfer((side, side), counts))
