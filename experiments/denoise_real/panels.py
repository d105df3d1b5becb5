"""Pictures of real micrographs, raw and denoised."""

from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from experiments._base.denoisers import NamedDenoiser
from experiments._base.panels import draw_rows, low_passed
from experiments.denoise_real.micrographs import RealRegion


def draw_panels(
    denoisers: list[NamedDenoiser],
    regions: list[RealRegion],
    config: dict[str, Any],
    folder: Path,
) -> list[Path]:
    """Draw the last region of each micrograph whole, and a crop of it in all pixels."""
    last = list(config["regions"])[-1]
    size = config["panel"][0]
    files = []
    for region in (each for each in regions if each.name == last or each.seeds is not None):
        images = {"low-passed": low_passed(region.values)}
        for denoiser in denoisers:
            if denoiser.name in config["panel_methods"]:
                images[denoiser.name] = denoiser.run(
                    region.values[None],
                    region.white.electrons,
                    torch.Generator().manual_seed(0),
                    region.white.pixel_size,
                )
        row, column = (
            min(at, n - size)
            for at, n in zip(config["panel"][1:], region.values.shape, strict=True)
        )
        crop = (slice(row, row + size), slice(column, column + size))
        lines = [
            ("whole, binned", {name: _binned(image) for name, image in images.items()}),
            ("crop", {name: image[crop] for name, image in images.items()}),
        ]
        name = region.camera.lower().replace(" ", "_")
        files.append(folder / f"{name}.png")
        draw_rows(lines, files[-1], f"{region.camera}, {region.name}", 4.0, 75)
    return files


def _binned(image: Tensor, n: int = 2) -> Tensor:
    """Mean of n x n pixels."""
    return torch.nn.functional.avg_pool2d(image[None], n)[0]
