"""Pictures of noisy, denoised and clean simulated micrographs."""

from pathlib import Path
from typing import Any

import torch

from experiments._base.denoisers import NamedDenoiser
from experiments._base.panels import draw_rows, low_passed
from experiments.denoise_simulated.images import noisy_image
from experiments.denoise_simulated.scenes import CleanScene, clean_image


def draw_panels(
    denoisers: list[NamedDenoiser],
    wanted: list[CleanScene],
    config: dict[str, Any],
    runs: Path,
    folder: Path,
) -> None:
    """Draw all scenes at the doses of `panel_doses`, one file a dose."""
    for dose in config["panel_doses"]:
        rows = []
        for scene in wanted:
            clean, _ = clean_image(scene, config | config["kinds"][scene.kind], runs)
            image = noisy_image(clean, scene, dose, seed=0)
            shown = {"low-passed": low_passed(image.values)}
            for denoiser in denoisers:
                if denoiser.name != "average":
                    generator = torch.Generator().manual_seed(0)
                    shown[denoiser.name] = denoiser.run(
                        image.values[None], image.electrons, generator, scene.pixel_size
                    )
            rows.append((scene.name, shown | {"truth": image.truth}))
        draw_rows(rows, folder / f"simulated_{dose:g}.png", f"{dose:g} e/pixel")
