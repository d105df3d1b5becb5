"""Real micrographs, whitened as `difftem denoise` whitens them, and their splits."""

import math
from dataclasses import dataclass, field
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
    seeds: tuple[int, ...] | None = None  # of the splits; None: those of the configuration

    @property
    def key(self) -> str:
        """Of the values."""
        return digest(self.values.numpy().tobytes())

    def split(self, fraction: float, seed: int) -> Parts:
        """Split by electrons; the same for all methods."""
        return split_whitened(self.values, fraction, torch.Generator().manual_seed(seed))


@dataclass(frozen=True, eq=False)
class RealPair(RealRegion):
    """Two registered scans of one field: a method sees one, and is judged by the other.

    They are the halves of an image of all electrons, whose whitened values are `values`.

    Attributes
    ----------
    scans : Tensor
        Whitened, shape ``(2, y, x)``.
    """

    scans: Tensor = field(default_factory=lambda: torch.zeros(2, 0, 0))

    def split(self, fraction: float, seed: int) -> Parts:
        """Show the first scan and hold out the second, or the other way round."""
        shown, other = (self.scans[0], self.scans[1]) if seed == 0 else self.scans.flip(0)
        return Parts(shown, other, 0.5)


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


def read_pairs(folder: Path, config: dict[str, Any]) -> list[RealRegion]:
    """Read registered pairs of scans that are there, whitened as exposures of a field."""
    pairs: list[RealRegion] = []
    for name, file in config["pairs"].items():
        if not (folder / file).is_file():
            print(f"{folder}: no {file}: the pair {name} is left out")
            continue
        options = DenoiseOptions(method=config["reference"], frames="exposures", force=True)
        found = next(inputs_of_files([folder / file], options))
        exposures = found.image(0)
        noise = find_noise(exposures, options, found)
        white = noise.whiten(exposures, found.pixel_size)
        size = config["pair_size"]
        scans = white.values[:2, :size, :size].contiguous()
        whole = WhitenedExposures(
            scans.sum(0, keepdim=True) / math.sqrt(2),
            2 * white.electrons,
            white.mean,
            white.noise,
            white.pixel_size,
        )
        pairs.append(
            RealPair(name, f"{size}²", whole.values[0], whole, noise.sentence(), (0, 1), scans)
        )
    return pairs
