"""Frames of nanoparticles at half an electron per pixel: held-out models, and SBD's own image."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from scipy.spatial import cKDTree
from torch import Tensor

from difftem.data.row_limits import Limits, matches
from difftem.functional.poisson import sample_poisson
from difftem.functional.published_error import SBD_VACUUM
from difftem.functional.resample import cosine_resample
from difftem.functional.upsample import fourier_upsample
from difftem.io.tiff import read_tiff
from difftem.simulation.nanoparticles.nanoparticle_set import NanoparticleSet

REGIONS = ("vacuum", "particle", "surface", "interface", "support")
PIXEL_SIZE = 0.0623  # Å: of the networks
SBD_PIXEL_SIZE = 0.0489  # Å: of SBD's image as it is published
RIM = 3.0  # Å around columns that are theirs; beyond is vacuum


@dataclass(frozen=True, eq=False)
class Frame:
    """A noisy frame, and what it shows.

    Attributes
    ----------
    name : str
        Decides it, with the folder it is from.
    model, seed : int
        Of the specimen and of the noise.
    clean : Tensor
        Intensity, 1 in vacuum, shape ``(y, x)``.
    counts : Tensor
        Electrons, shape ``(y, x)``.
    vacuum : float
        Mean electrons per pixel there.
    regions : Tensor or None
        Index into `REGIONS` of every pixel.
    """

    name: str
    model: int
    seed: int
    clean: Tensor
    counts: Tensor
    vacuum: float
    regions: Tensor | None

    @property
    def electrons(self) -> float:
        """Mean of the counts."""
        return float(self.counts.mean())

    @property
    def whitened(self) -> Tensor:  # (y, x)
        """Counts as networks take them: noise of variance 1."""
        return (self.counts - self.electrons) / math.sqrt(self.electrons)

    def intensity(self, estimate: Tensor) -> Tensor:  # (y, x)
        """Bring a whitened estimate to intensities, 1 in vacuum."""
        return (self.electrons + math.sqrt(self.electrons) * estimate) / self.vacuum


def expose(
    clean: Tensor,  # (y, x)
    name: str,
    model: int,
    seed: int,
    vacuum: float = SBD_VACUUM,
    regions: Tensor | None = None,
) -> Frame:
    """Count electrons of a clean image."""
    generator = torch.Generator().manual_seed(1_000_003 * (seed + 1) + model)
    counts = sample_poisson((vacuum * clean).clamp(min=0), generator=generator)
    where = f"{name}, seed {seed}, vacuum {vacuum:g}"
    return Frame(where, model, seed, clean, counts, vacuum, regions)


def region_map(
    positions: Tensor,  # (n, 2) pixels: x, y
    regions: Tensor,  # (n,)
    shape: tuple[int, int],
    pixel_size: float = PIXEL_SIZE,
) -> Tensor:  # (y, x)
    """Give every pixel the region of the column next to it, and what is far from all to vacuum.

    Parameters
    ----------
    positions : Tensor
        Of columns, x and y.
    regions : Tensor
        Index into `difftem.scene.nanoparticle.columns.REGIONS` of each.
    shape : tuple of int
        ``(y, x)`` of the image.
    pixel_size : float
        Å.

    Returns
    -------
    Tensor
        Index into `REGIONS`.
    """
    y, x = torch.meshgrid(*(torch.arange(n) for n in shape), indexing="ij")
    pixels = torch.stack([x.flatten(), y.flatten()], 1).numpy()
    distance, nearest = cKDTree(positions.numpy()).query(pixels)
    found = 1 + regions[torch.from_numpy(nearest)]
    found[torch.from_numpy(distance) > RIM / pixel_size] = 0
    return found.reshape(shape)


def held_out_frames(
    folder: str | Path,
    models: int,
    seeds: Sequence[int],
    vacuum: float = SBD_VACUUM,
    where: Limits | None = None,
) -> Iterator[Frame]:
    """Expose images of models that no training has seen.

    Parameters
    ----------
    folder : str or Path
        Of a set that ``difftem generate`` made.
    models : int
        So many of the split "test" at most, the first.
    seeds : sequence of int
        Of the noise; each takes another defocus of a model, in turn.
    vacuum : float
        Electrons per pixel.
    where : dict, optional
        Columns of the manifest and what they may hold (`difftem.data.row_limits`).

    Yields
    ------
    Frame
        Seed after seed of every model.
    """
    found = NanoparticleSet(folder)
    by_model: dict[int, list[int]] = {}
    for i, row in enumerate(found.rows):
        if row["split"] == "test" and matches(row, where or {}):
            by_model.setdefault(int(row["model"]), []).append(i)
    for model in sorted(by_model)[:models]:
        for seed in seeds:
            index = by_model[model][seed % len(by_model[model])]
            yield expose_image(found, index, seed, vacuum)


def expose_image(
    found: NanoparticleSet, index: int, seed: int, vacuum: float = SBD_VACUUM
) -> Frame:
    """Expose an image of a set at the networks' pixel size."""
    clean = 1 + fourier_upsample(found.image(index) - 1, 2)
    columns = found.columns(index)
    shape = (clean.shape[-2], clean.shape[-1])
    regions = region_map(
        shape[0] / found.config.imaging.size * columns.positions, columns.regions, shape
    )
    model = int(found.rows[index]["model"])
    return expose(clean, f"model {model}, image {index}", model, seed, vacuum, regions)


def sbd_frames(
    path: str | Path, seeds: Sequence[int], vacuum: float = SBD_VACUUM
) -> Iterator[Frame]:
    """Expose SBD's own clean image at the networks' pixel size; never to be trained on."""
    clean = torch.from_numpy(read_tiff(Path(path)).data.astype("float32")).squeeze() / SBD_VACUUM
    ratio = SBD_PIXEL_SIZE / PIXEL_SIZE
    ny, nx = (round(n * ratio) for n in clean.shape)
    factor = math.sqrt(clean.numel() / (ny * nx))
    resized = cosine_resample(clean, (ny, nx)) / factor
    for seed in seeds:
        yield expose(resized, "SBD's image", -1, seed, vacuum)
