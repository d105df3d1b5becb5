"""Noisy images of nanoparticles at atomic resolution, as a LightningDataModule."""

import dataclasses
import logging
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, cast, get_args

from lightning.pytorch import LightningDataModule
from torch import Tensor
from torch.utils.data import DataLoader

from difftem.data.augment import augmented
from difftem.data.crops import check_positive
from difftem.data.item_loader import item_loader
from difftem.data.nanoparticle_images import FreshImages, NoisyNanoparticles, StoredImages
from difftem.data.near_duplicates import refuse_near_duplicates
from difftem.data.row_limits import Limits, check_limits, matches
from difftem.simulation.bank.progress import tell_progress
from difftem.simulation.nanoparticles.config import NanoparticleSetConfig, Split
from difftem.simulation.nanoparticles.contrast import CONTRASTS, ContrastClass
from difftem.simulation.nanoparticles.make_set import make_set
from difftem.simulation.nanoparticles.nanoparticle_set import NanoparticleSet
from difftem.simulation.nanoparticles.record import SETTINGS, read_record

logger = logging.getLogger(__name__)

MAX_PSNR = 40.0  # dB, of a held-out image and the training image that is most like it


class Nanoparticles(LightningDataModule):
    """Noisy and clean images of Pt on CeO2 at a few tenths of an electron per pixel.

    A batch is a dictionary: ``noisy``, ``wiener`` and ``target``, each ``(b, 1, y, x)``, in units
    of the noise's standard deviation about the mean m of the frame's counts, so that clean counts
    are m + √m target; ``electrons`` (m), ``kind`` (white, black or intermediate contrast) and
    ``pixel_size`` in Å, each ``(b,)``.

    The set of clean images is made first, if it is not there. Models of validation and test are
    none of training; a set whose held-out images show the same as those of training is refused.

    Parameters
    ----------
    folder : str, optional
        Of the set. Default: training images are simulated when they are wanted, of new models in
        every epoch.
    images : NanoparticleSetConfig, optional
        Recipe of the set. Default: that of the folder's set, or the defaults.
    batch_size : int
        Images in a batch.
    crop : int, optional
        Side of the crops for training in pixels, cut when noise and Wiener estimate are those of
        the whole image. Default: whole images.
    crops : int
        Crops of each image in a batch.
    vacuum : tuple of float
        Limits of the electrons per pixel in vacuum, drawn evenly for each training image.
    validation_vacuum : float
        The same for validation and test.
    upsample : int
        Pixels along a pixel of the clean images: 2 makes 0.0623 Å of 0.1246 Å.
    contrasts : sequence of str
        Classes of training and validation images: white, black, intermediate.
    where : mapping, optional
        Columns of the manifest and what training images may have there: two numbers, lowest and
        highest, or a list of words; a name with ``not_`` before it leaves these out instead.
    validation_where : mapping, optional
        The same for images of validation and test.
    validation_images : int, optional
        Images of validation, at most, from all over its models. Default: all.
    upright : bool
        Only flip training images left and right: the support stays at large y.
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
    >>> from difftem.data.nanoparticles import Nanoparticles
    >>> data = Nanoparticles(batch_size=4, crop=256)  # simulated as they are wanted
    >>> data.kind_names, data.config.imaging.size * data.upsample
    (('white', 'black', 'intermediate'), 704)
    """

    kind_names = CONTRASTS

    def __init__(
        self,
        folder: str | None = None,
        images: NanoparticleSetConfig | None = None,
        batch_size: int = 2,
        crop: int | None = None,
        crops: int = 1,
        vacuum: tuple[float, float] = (0.35, 0.55),
        validation_vacuum: float = 0.45,
        upsample: int = 2,
        contrasts: Sequence[ContrastClass] = ("white", "black", "intermediate"),
        where: Mapping[str, list[float] | list[str]] | None = None,
        validation_where: Mapping[str, list[float] | list[str]] | None = None,
        validation_images: int | None = 40,
        upright: bool = False,
        workers: int = 0,
        seed: int = 0,
    ) -> None:
        super().__init__()
        check_positive(
            batch_size=batch_size,
            crop=crop,
            crops=crops,
            validation_vacuum=validation_vacuum,
            upsample=upsample,
            validation_images=validation_images,
        )
        low, high = vacuum
        if not 0 < low <= high < float("inf"):
            raise ValueError(
                f"vacuum must be two positive numbers, the smaller first, got {low}, {high}"
            )
        unknown = [each for each in contrasts if each not in CONTRASTS]
        if unknown or not contrasts:
            raise ValueError(
                f"contrasts must be some of {', '.join(CONTRASTS)}, got {unknown or 'none'}"
            )
        if workers < 0:
            raise ValueError(f"workers must be 0 or more, got {workers}")
        self.folder = None if folder is None else Path(folder).expanduser()
        self.config = images or self._stored_config() or NanoparticleSetConfig()
        side = self.config.imaging.size * upsample
        if crop is not None and crop > side:
            raise ValueError(f"crop must be at most the image's side of {side} pixels, got {crop}")
        self.batch_size, self.crop, self.crops = batch_size, crop, crops
        self.vacuum, self.validation_vacuum, self.upsample = (
            (low, high),
            validation_vacuum,
            upsample,
        )
        self.contrasts = tuple(contrasts)
        self.where: Limits = dict(where or {})
        self.validation_where: Limits = dict(validation_where or {})
        if self.folder is None and (self.where or self.validation_where or len(contrasts) < 3):
            raise ValueError("contrasts, where and validation_where choose from a set: name folder")
        self.validation_images, self.upright = validation_images, upright
        self.workers, self.seed = workers, seed
        self._images: NanoparticleSet | None = None
        self._items: tuple[NoisyNanoparticles, ...] | None = None

    def prepare_data(self) -> None:
        """Make what is missing of the set, and check that held-out images are new to training."""
        if self.folder is None:
            return
        make_set(self.folder, self.config, partial(tell_progress, name="set", unit="model"))
        images = NanoparticleSet(self.folder)
        held_out = images.split("validation") + images.split("test")
        if not held_out:
            return
        pair = refuse_near_duplicates(
            lambda i: images.image(i) - 1, images.split("train"), held_out, self.folder, MAX_PSNR
        )
        logger.info(
            "set %s: %d images; held-out image %d is the nearest to training (image %d), PSNR "
            "%.1f dB",
            self.folder,
            len(images),
            pair.validation,
            pair.training,
            pair.psnr,
        )

    def setup(self, stage: str = "fit") -> None:
        """List the items of training, validation and test.

        Parameters
        ----------
        stage : str
            Not used: all stages see the same set.
        """
        if self._items is not None:
            return
        config, splits = self.config, get_args(Split)
        fixed = (self.validation_vacuum, self.validation_vacuum)
        if self.folder is None:
            models = range(config.n_models)
            sources: list[StoredImages | FreshImages] = [
                FreshImages(
                    config, [i for i in models if config.split(i) == name], new=name == "train"
                )
                for name in splits
            ]
        else:
            images = NanoparticleSet(self.folder)
            sources = [StoredImages(images, self._indices(images, name)) for name in splits]
        for name, source in zip(splits[:2], sources, strict=False):
            if not any(config.split(i) == name for i in range(config.n_models)):
                raise ValueError(
                    f"none of the {config.n_models} models is of the split {name}: give more "
                    "(images.n_models), or a smaller images.validation_every"
                )
            if not len(source):
                raise ValueError(f"no images of the split {name} are left; see contrasts and where")
        self._items = tuple(
            NoisyNanoparticles(
                source,
                self.vacuum if name == "train" else fixed,
                config.imaging.pixel_size,
                self.upsample,
                self.seed + k,
            )
            for k, (name, source) in enumerate(zip(splits, sources, strict=True))
        )

    @property
    def items(self) -> tuple[NoisyNanoparticles, ...]:
        """Items of training, of validation and of test."""
        self.setup()
        return cast(tuple[NoisyNanoparticles, ...], self._items)

    @property
    def domain(self) -> dict[str, Any]:
        """Images that a network is trained for: pixel size in Å, and electrons per pixel."""
        pixel_size = self.config.imaging.pixel_size / self.upsample
        return {"pixel_size_angstrom": pixel_size, "electrons": list(self.vacuum)}

    @property
    def provenance(self) -> dict[str, Any]:
        """What decides every item, for the account of weights that are trained on them."""
        names = ("batch_size", "crop", "crops", "vacuum", "upsample", "contrasts", "where", "seed")
        values = {name: getattr(self, name) for name in (*names, "upright")}
        return values | {"images": dataclasses.asdict(self.config)}

    def train_dataloader(self) -> DataLoader[dict[str, Tensor]]:
        """Batches in another order, with other noise, in every epoch."""
        return self._loader(0)

    def val_dataloader(self) -> DataLoader[dict[str, Tensor]]:
        """Return the same batches in every epoch."""
        return self._loader(1)

    def test_dataloader(self) -> DataLoader[dict[str, Tensor]]:
        """Images of models that neither training nor validation shows."""
        return self._loader(2)

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
        return augmented(batch, self.crop, seed, self.crops, self.upright)

    def _stored_config(self) -> NanoparticleSetConfig | None:
        """Recipe of a set that is there."""
        if self.folder is None or not (self.folder / SETTINGS).exists():
            return None
        return read_record(self.folder)

    def _indices(self, images: NanoparticleSet, split: Split) -> list[int]:
        """Images of a split that were asked for."""
        name = "where" if split == "train" else "validation_where"
        limits: Limits = getattr(self, name)
        check_limits(name, limits, images.rows)
        found = [
            i
            for i in images.split(split)
            if images.rows[i]["contrast"] in self.contrasts and matches(images.rows[i], limits)
        ]
        most = self.validation_images
        if split != "validation" or most is None or len(found) <= most:
            return found
        return [found[k * len(found) // most] for k in range(most)]

    def _loader(self, which: int) -> DataLoader[dict[str, Tensor]]:
        items = self.items[which]
        return item_loader(
            items, len(items), self.batch_size, self.seed, self.workers, self.trainer, which == 0
        )
