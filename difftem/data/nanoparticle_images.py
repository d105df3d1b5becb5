"""Noisy and clean images of nanoparticles, from a set or simulated when they are wanted."""

import dataclasses
from collections.abc import Sequence
from typing import Protocol

import torch
from torch import Tensor
from torch.utils.data import Dataset

from difftem.data.noisy_items import expose
from difftem.functional.upsample import fourier_upsample
from difftem.scene.synthetic.draw import Draw
from difftem.simulation.nanoparticles.config import NanoparticleSetConfig
from difftem.simulation.nanoparticles.contrast import CONTRASTS
from difftem.simulation.nanoparticles.item import Row, image_model
from difftem.simulation.nanoparticles.nanoparticle_set import NanoparticleSet
from difftem.simulation.seed import item_seed


class CleanImages(Protocol):
    """Where clean images come from."""

    def __len__(self) -> int: ...

    def clean(self, epoch: int, number: int) -> tuple[Tensor, Row]:
        """Intensity, 1 in vacuum, shape ``(y, x)``, and its line of the manifest."""


class StoredImages:
    """Images of a set.

    Parameters
    ----------
    images : NanoparticleSet
        The set.
    indices : sequence of int
        Which of its images.
    """

    def __init__(self, images: NanoparticleSet, indices: Sequence[int]) -> None:
        self.images, self.indices = images, list(indices)

    def __len__(self) -> int:
        return len(self.indices)

    def clean(self, epoch: int, number: int) -> tuple[Tensor, Row]:
        """Read an image; the same in every epoch."""
        index = self.indices[number]
        return self.images.image(index), self.images.rows[index]


class FreshImages:
    """Images that are simulated when they are wanted, one of each model.

    Parameters
    ----------
    config : NanoparticleSetConfig
        Recipe.
    models : sequence of int
        Numbers of the models of an epoch.
    new : bool
        Whether every epoch has models of its own; otherwise images are kept.
    """

    def __init__(self, config: NanoparticleSetConfig, models: Sequence[int], new: bool) -> None:
        imaging = dataclasses.replace(config.imaging, n_defocus=1, spread_defocus=True)
        self.config = dataclasses.replace(config, imaging=imaging)
        self.models, self.new = list(models), new
        self._kept: dict[int, tuple[Tensor, Row]] = {}

    def __len__(self) -> int:
        return len(self.models)

    def clean(self, epoch: int, number: int) -> tuple[Tensor, Row]:
        """Simulate an image, or take one that is kept."""
        if number in self._kept:
            return self._kept[number]
        config = self.config
        if self.new:
            seed = item_seed(config.seed, epoch, "models of an epoch") >> 32
            config = dataclasses.replace(config, seed=seed)
        made = image_model(config, self.models[number])
        found = made.images[0], made.rows[0]
        if not self.new:
            self._kept[number] = found
        return found


class NoisyNanoparticles(Dataset[dict[str, Tensor]]):
    """Pairs of noisy and clean images, whitened by the mean of the frame's counts.

    An index is ``(epoch, number)``: with the seed it decides the noise.

    Parameters
    ----------
    source : CleanImages
        Clean images.
    vacuum : tuple of float
        Limits of the electrons per pixel in vacuum, drawn evenly.
    pixel_size : float
        Of the clean images in Å.
    upsample : int
        Pixels of the noisy image along a pixel of the clean one.
    seed : int
        Of all noise.
    """

    def __init__(
        self,
        source: CleanImages,
        vacuum: tuple[float, float],
        pixel_size: float,
        upsample: int,
        seed: int,
    ) -> None:
        self.source, self.vacuum, self.seed = source, vacuum, seed
        self.pixel_size, self.upsample = pixel_size, upsample

    def __len__(self) -> int:
        return len(self.source)

    def __getitem__(self, index: tuple[int, int]) -> dict[str, Tensor]:
        epoch, number = index
        image, row = self.source.clean(epoch, number)
        seed = item_seed(self.seed, number, f"noise of epoch {epoch}")
        draw = Draw(torch.Generator().manual_seed(seed))
        fine = fourier_upsample(image - 1, self.upsample)
        exposed = expose(fine, None, None, draw.uniform(*self.vacuum), 0.0, draw)
        pixel_size = self.pixel_size / self.upsample
        return {
            **exposed,
            "kind": torch.tensor(CONTRASTS.index(str(row["contrast"]))),
            "pixel_size": torch.tensor(pixel_size, dtype=torch.float32),
        }
