"""Training pairs of the setting alone: other scenes of the same virus under the same microscope."""

from pathlib import Path
from typing import Any

import torch
from lightning.pytorch import LightningDataModule
from torch import Tensor
from torch.utils.data import DataLoader, Dataset
from tqdm import tqdm

from difftem.data.augment import augmented
from difftem.data.epoch_sampler import EpochSampler
from difftem.data.noisy_items import expose
from difftem.scene.synthetic.draw import Draw
from difftem.simulation.seed import item_seed
from experiments.denoise_dose.setting import clean_scene, electrons_per_pixel, setting

TRAINING, VALIDATION = 100_000, 200_000  # seeds of the first scenes; that which is scored is below


class SettingItems(Dataset[dict[str, Tensor]]):
    """Noisy images of clean ones; an index is ``(epoch, number)``, and both decide the noise.

    Parameters
    ----------
    clean : Tensor
        Intensity over its mean, shape ``(n, y, x)``.
    electrons : tuple of float
        Limits per pixel, drawn log-uniformly.
    repeats : int
        Times that an epoch shows each image.
    seed : int
        Of the noise.
    """

    def __init__(
        self, clean: Tensor, electrons: tuple[float, float], repeats: int, seed: int
    ) -> None:
        self.clean, self.electrons, self.repeats, self.seed = clean, electrons, repeats, seed

    def __len__(self) -> int:
        return len(self.clean) * self.repeats

    def __getitem__(self, index: tuple[int, int]) -> dict[str, Tensor]:
        epoch, number = index
        seed = item_seed(self.seed, number, f"noise of epoch {epoch}")
        draw = Draw(torch.Generator().manual_seed(seed))
        clean = self.clean[number % len(self.clean)] - 1
        transfer = torch.ones(clean.shape[0], clean.shape[1] // 2 + 1)
        return expose(clean, None, transfer, draw.log_uniform(*self.electrons), 0.0, draw)


class SettingPairs(LightningDataModule):
    """Noisy and clean images of the setting that `experiments.denoise_dose` scores, other scenes.

    A batch is that of `difftem.data.simulated_pairs.SimulatedPairs` without kinds.

    Parameters
    ----------
    structures : str
        Folder of ``2OM3.pdb``.
    folder : str
        Where clean images are kept.
    scenes, validation_scenes : int
        Of training and of validation; some 0.4 s each, once.
    doses_e_per_nm2 : tuple of float
        Limits of the dose of a whole image, drawn log-uniformly.
    batch_size : int
        Images.
    crop : int, optional
        Side of the crops for training in pixels. Default: whole images.
    size : int, optional
        Side of the images in pixels; less than that of the setting in tests only.
    seed : int
        Of noise, order and augmentation.
    """

    def __init__(
        self,
        structures: str = "../shared/data/structures",
        folder: str = "runs/denoise_dose",
        scenes: int = 160,
        validation_scenes: int = 8,
        doses_e_per_nm2: tuple[float, float] = (100.0, 100_000.0),
        batch_size: int = 4,
        crop: int | None = None,
        size: int | None = None,
        seed: int = 0,
    ) -> None:
        super().__init__()
        if min(scenes, validation_scenes, batch_size) < 1:
            raise ValueError("scenes, validation_scenes and batch_size must be 1 or more")
        self.structures, self.folder = Path(structures), Path(folder)
        self.numbers = {TRAINING: scenes, VALIDATION: validation_scenes}
        low, high = doses_e_per_nm2
        self.electrons = electrons_per_pixel(low), electrons_per_pixel(high)
        self.batch_size, self.crop, self.size, self.seed = batch_size, crop, size, seed
        self.clean: dict[int, Tensor] = {}

    def prepare_data(self) -> None:
        """Make the clean images that are missing."""
        for first, number in self.numbers.items():
            for seed in tqdm(range(first, first + number), desc="clean scenes", disable=None):
                self._scene(seed)

    def setup(self, stage: str = "fit") -> None:
        """Read the clean images."""
        for first, number in self.numbers.items():
            scenes = [self._scene(seed) for seed in range(first, first + number)]
            self.clean[first] = torch.stack(scenes)

    @property
    def provenance(self) -> dict[str, Any]:
        """What decides every item, for the account of weights."""
        return {
            "setting": setting(),
            "scenes": self.numbers[TRAINING],
            "electrons": list(self.electrons),
            "batch_size": self.batch_size,
            "crop": self.crop,
            "seed": self.seed,
        }

    def train_dataloader(self) -> DataLoader[dict[str, Tensor]]:
        """Batches in another order, with other noise, in every epoch."""
        repeats = max(1, self.batch_size // self.numbers[TRAINING])
        items = SettingItems(self.clean[TRAINING], self.electrons, repeats, self.seed)
        return self._loader(items, shuffle=True)

    def val_dataloader(self) -> DataLoader[dict[str, Tensor]]:
        """Return the same batches in every epoch."""
        items = SettingItems(self.clean[VALIDATION], self.electrons, 2, self.seed + 1)
        return self._loader(items, shuffle=False)

    def _loader(self, items: SettingItems, shuffle: bool) -> DataLoader[dict[str, Tensor]]:
        processes, rank = 1, 0
        if self.trainer is not None:
            processes, rank = self.trainer.world_size, self.trainer.global_rank
        sampler = EpochSampler(len(items), self.seed, shuffle, processes, rank)
        return DataLoader(items, self.batch_size if shuffle else 1, sampler=sampler)

    def on_after_batch_transfer(
        self, batch: dict[str, Tensor], dataloader_idx: int
    ) -> dict[str, Tensor]:
        """Turn, flip and crop batches of training."""
        if self.trainer is None or not self.trainer.training:
            return batch
        seed = self.seed + 104729 * self.trainer.global_step + self.trainer.global_rank
        return augmented(batch, self.crop, seed)

    def _scene(self, seed: int) -> Tensor:  # (y, x)
        clean, _ = clean_scene(self.structures, self.folder / "scenes", seed)
        return clean[: self.size, : self.size]
