"""Simulated pairs: clean micrographs of a bank, with noise that is drawn on the fly."""

import dataclasses
import logging
from pathlib import Path
from typing import Any, Literal, cast

from lightning.pytorch import LightningDataModule
from torch import Tensor
from torch.utils.data import DataLoader

from difftem.data.augment import augmented
from difftem.data.crops import check_positive
from difftem.data.item_loader import item_loader
from difftem.data.near_duplicates import refuse_near_duplicates
from difftem.data.noisy_items import KIND_NAMES, NoiseRecipe, NoisyItems
from difftem.simulation.bank.bank import Bank, make_bank
from difftem.simulation.bank.config import BankConfig
from difftem.simulation.bank.progress import tell_progress

logger = logging.getLogger(__name__)

VALIDATION_ELECTRONS = (1.0, 4.0, 15.0, 40.0, 150.0)


class SimulatedPairs(LightningDataModule):
    """Noisy and clean images of everything that an electron microscope shows.

    A batch is a dictionary: ``noisy``, ``wiener`` and ``target``, each ``(b, 1, y, x)``, in units
    of the noise's standard deviation; ``electrons`` (effective, per pixel), ``kind`` (index into
    `difftem.data.noisy_items.KIND_NAMES`) and ``pixel_size`` in Å, each ``(b,)``; of noisy targets
    also ``clean``, what they show, ``(b, 1, y, x)``. An item is
    decided by seed, epoch and its number, whichever worker or process makes it.

    The bank of clean micrographs is made first, if it is not there: about a second an item on one
    core. Items of validation show molecules of their own, with the same noise in every epoch.

    Parameters
    ----------
    folder : str
        Of the bank.
    bank : BankConfig, optional
        Its recipe.
    batch_size : int
        Images in a batch.
    crop : int, optional
        Side of the crops for training in pixels, cut when noise and Wiener estimate are those of
        the whole image; no smaller than the network's receptive field. Default: whole images.
    crops : int
        Crops of each image in a batch, each turned another way: to draw an image's noise takes
        about as long as a training step of a small network on two crops of it.
    electrons : tuple of float
        Limits of the electrons per pixel, drawn log-uniformly.
    textures : float
        Share of the images that show random textures instead of a specimen.
    ice : bool
        Draw structured ice, by the item's thickness and lens.
    smooth_ice : float
        Share of the training images in ice whose ice shows no structure.
    ice_in_target : bool
        Let the target show it.
    gradients : float
        Share of the images whose brightness varies over the field.
    target : {"clean", "noisy"}
        What training sees: the image without noise, or another exposure of it (Noise2Noise).
    validation_items : int, optional
        Items of the bank for validation, at most. Default: all that are kept for it.
    workers : int
        Processes that draw noise; 0 draws it in this one.
    seed : int
        Of noise, order and augmentation.

    Raises
    ------
    ValueError
        For an argument outside its range.

    Examples
    --------
    >>> from difftem.data.simulated_pairs import SimulatedPairs
    >>> data = SimulatedPairs("bank", batch_size=4, crop=256)
    >>> len(data.bank.training()), len(data.bank.validation())  # items of the bank, once it is made
    (1225, 175)
    """

    kind_names = KIND_NAMES

    def __init__(
        self,
        folder: str,
        bank: BankConfig | None = None,
        batch_size: int = 2,
        crop: int | None = None,
        crops: int = 1,
        electrons: tuple[float, float] = (0.5, 200.0),
        textures: float = 0.15,
        ice: bool = True,
        smooth_ice: float = 0.15,
        ice_in_target: bool = False,
        gradients: float = 0.3,
        target: Literal["clean", "noisy"] = "clean",
        validation_items: int | None = 40,
        workers: int = 0,
        seed: int = 0,
    ) -> None:
        super().__init__()
        check_positive(
            batch_size=batch_size, crop=crop, crops=crops, validation_items=validation_items
        )
        self.config = bank or BankConfig()
        low, high = electrons
        if not 0 < low <= high < float("inf"):
            raise ValueError(
                f"electrons must be two positive numbers, the smaller first, got {low}, {high}"
            )
        shares = {"textures": textures, "smooth_ice": smooth_ice, "gradients": gradients}
        for name, share in shares.items():
            if not 0 <= share <= 1:
                raise ValueError(f"{name} must be a share in [0, 1], got {share}")
        if target not in ("clean", "noisy"):
            raise ValueError(f"target must be clean or noisy, got {target!r}")
        if crop is not None and crop > self.config.size:
            raise ValueError(
                f"crop must be at most the bank's size of {self.config.size} pixels, got {crop}"
            )
        if workers < 0:
            raise ValueError(f"workers must be 0 or more, got {workers}")
        self.bank = Bank(Path(folder).expanduser(), self.config)
        if not self.bank.training() or not self.bank.validation():
            raise ValueError(
                f"bank: n_items must exceed validation_every of {self.config.validation_every}, so "
                f"that there are items for validation, got {self.config.n_items}"
            )
        self.recipe = NoiseRecipe(
            (low, high), textures, ice, smooth_ice, ice_in_target, gradients, target == "noisy"
        )
        self.batch_size, self.crop, self.workers, self.seed = batch_size, crop, workers, seed
        self.crops = crops
        self.validation_items = validation_items
        self._items: tuple[NoisyItems, NoisyItems] | None = None

    def prepare_data(self) -> None:
        """Make what is missing of the bank, and check that validation is new to training."""
        make_bank(self.bank.folder, self.config, tell_progress)
        bank = self.bank
        pair = refuse_near_duplicates(
            lambda i: bank.read(i).contrast, bank.training(), bank.validation(), bank.folder
        )
        logger.info(
            "bank %s: %d items; validation item %d is the nearest to training (item %d), PSNR "
            "%.1f dB",
            self.bank.folder,
            len(self.bank),
            pair.validation,
            pair.training,
            pair.psnr,
        )

    def setup(self, stage: str = "fit") -> None:
        """List the items of training and validation.

        Parameters
        ----------
        stage : str
            Not used: all stages see the same bank.
        """
        if self._items is not None:
            return
        training: list[tuple[int, float | None]] = [(i, None) for i in self.bank.training()]
        kept = self.bank.validation()[: self.validation_items]
        doses = len(VALIDATION_ELECTRONS)
        validation: list[tuple[int, float | None]] = [
            (item, VALIDATION_ELECTRONS[k % doses]) for k, item in enumerate(kept)
        ]
        plain = dataclasses.replace(self.recipe, textures=0.0, smooth_ice=0.0, gradients=0.0)
        self._items = (
            NoisyItems(self.bank, training, self.seed, self.recipe),
            NoisyItems(self.bank, validation, self.seed + 1, plain),
        )

    @property
    def provenance(self) -> dict[str, Any]:
        """What decides every item, for the account of weights that are trained on them."""
        values = dataclasses.asdict(self.recipe)
        names = ("batch_size", "crop", "crops", "seed")
        return values | {
            **{name: getattr(self, name) for name in names},
            "bank": self.config.recipe(),
            "bank_items": self.config.n_items,
            "bank_sha256": self.config.key(),
        }

    @property
    def items(self) -> tuple[NoisyItems, NoisyItems]:
        """Items of training and of validation."""
        self.setup()
        return cast(tuple[NoisyItems, NoisyItems], self._items)

    def train_dataloader(self) -> DataLoader[dict[str, Tensor]]:
        """Batches in another order, with other noise, in every epoch."""
        return self._loader(self.items[0], shuffle=True)

    def val_dataloader(self) -> DataLoader[dict[str, Tensor]]:
        """Return the same batches in every epoch, at 1, 4, 15, 40 and 150 e/pixel in turn."""
        return self._loader(self.items[1], shuffle=False)

    def _loader(self, items: NoisyItems, shuffle: bool) -> DataLoader[dict[str, Tensor]]:
        return item_loader(
            items, len(items), self.batch_size, self.seed, self.workers, self.trainer, shuffle
        )

    def on_after_batch_transfer(
        self, batch: dict[str, Tensor], dataloader_idx: int
    ) -> dict[str, Tensor]:
        """Turn, flip and crop batches of training.

        Parameters
        ----------
        batch : dict
            On its device.
        dataloader_idx : int
            Not used.

        Returns
        -------
        dict
            With other images of the same kind.
        """
        if self.trainer is None or not self.trainer.training:
            return batch
        seed = self.seed + 104729 * self.trainer.global_step + self.trainer.global_rank
        return augmented(batch, self.crop, seed, self.crops)
