"""Real micrographs, whitened as `difftem denoise` whitens them, and their splits."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from difftem.functional.count_split import Parts, split_whitened
from difftem.io.errors import InputError
from difftem.micrograph.whitened import WhitenedExposures
from difftem.workflows.denoise.exposures import inputs_of_files
from difftem.workflows.denoise.noise import find_noise
from difftem.workflows.denoise.options import DenoiseOptions
from experiments._base.score_cache import digest


@dataclass(frozen=True, eq=False)
class RealRegion:
    """Part of a whitened micrograph.

    Attributes
    ----------
    camera, name : str
        Of the camera and of the region.
    values : Tensor
        Whitened, shape ``(y, x)``.
    white : WhitenedExposures
        Of the whole micrograph.
    sentence : str
        What was found of the camera.
    """

    camera: str
    name: str
    values: Tensor
    white: WhitenedExposures
    sentence: str

    @property
    def key(self) -> str:
        """Of the values."""
        return digest(self.values.numpy().tobytes())

    def split(self, fraction: float, seed: int) -> Parts:
        """Split by electrons; the same for all methods."""
        return split_whitened(self.values, fraction, torch.Generator().manual_seed(seed))


def read_regions(folder: Path, config: dict[str, Any]) -> list[RealRegion]:
    """Read and whiten all micrographs; refuses a folder without them in one line."""
    missing = [name for name in config["micrographs"].values() if not (folder / name).is_file()]
    if missing:
        raise InputError(
            f"{folder}: no {', '.join(missing)}; they are crops of the micrographs in the tests of "
            "mrcfile 1.5.4 (see the README): name their folder by --micrographs"
        )
    regions = []
    for camera, file in config["micrographs"].items():
        options = DenoiseOptions(method=config["reference"])
        found = next(inputs_of_files([folder / file], options))
        exposures = found.image(0)
        noise = find_noise(exposures, options, found)
        white = noise.whiten(exposures, found.pixel_size)
        for name, (size, row, column) in config["regions"].items():
            values = white.values[0, row : row + size, column : column + size].contiguous()
            regions.append(RealRegion(camera, name, values, white, noise.sentence()))
    return regions
