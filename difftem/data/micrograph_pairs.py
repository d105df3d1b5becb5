"""Batches of pairs with independent noise, cut from micrographs."""

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from pathlib import Path

import torch
from lightning.pytorch import LightningDataModule
from torch.utils.data import DataLoader, DistributedSampler

from difftem.data.crops import Batch, check_positive
from difftem.data.pair_crops import PairCrops
from difftem.data.whole_pairs import PairSource
from difftem.io.errors import input_error
from difftem.micrograph.camera_noise import find_camera_noise
from difftem.micrograph.field_of_view import FieldOfView, FieldUse, read_fields
from difftem.micrograph.stack_use import FrameUse
from difftem.micrograph.whitened import WhitenedExposures

_STRIP = 6  # a sixth of the rows at least is for validation
_EPOCHS = 1_000_000


class MicrographPairs(LightningDataModule, ABC):
    """Crops of micrographs in pairs, whitened by the noise that the micrographs themselves show.

    A batch is a dictionary of whitened values, each ``(b, 1, y, x)``: ``noisy`` with noise of
    variance 1, ``wiener``, Wiener's estimate from the whole of it, ``target`` with other noise, and
    ``weight``, 0 where pixels are held out, else 1; and ``(b,)`` the ``electrons`` per pixel of
    ``noisy`` and ``target_noise``, the variance of the target's noise. The last rows of every
    image, a sixth of them or one crop, are for validation only. An item depends on seed, epoch and
    index only.

    Parameters
    ----------
    paths : list of str, or str
        MRC or TIFF files; exposures of the same field one after another.
    size : int
        Side of a crop in pixels; not less than the network sees.
    n : int
        Crops in an epoch.
    n_validation : int
        Crops for validation, the same each time.
    frames : {"auto", "exposures", "even_odd", "sum"}
        What the images of a stack are: exposures of one field; frames of a movie, added up to an
        even and an odd half, or to one image.
    fields : {"auto", "same", "separate"}
        Whether files show the same field. auto: if their correlation has a peak.
    gain : float, optional
        Grey values per electron; checked against the noise.
    dose : float, optional
        Electrons per pixel in an exposure; checked against the noise.
    pixel_size : float, optional
        Å; overrules the header.
    batch_size : int
        Crops in a batch.
    seed : int
        Of pairs, places and turns.
    workers : int
        Processes that make batches.

    Raises
    ------
    ValueError
        For an argument outside its range.

    Examples
    --------
    >>> import torch
    >>> from difftem.data.exposure_pairs import ExposurePairs  # a class of this kind
    >>> from difftem.io.mrc import write_mrc
    >>> rate = torch.full((2, 128, 128), 20.0)  # e/pixel
    >>> write_mrc("field.mrc", torch.poisson(rate, generator=torch.Generator().manual_seed(0)), 1.0)
    >>> data = ExposurePairs("field.mrc", size=64, n=8, n_validation=2, frames="exposures")
    >>> data.setup()
    >>> batch = next(iter(data.val_dataloader()))
    >>> tuple(batch["noisy"].shape), [round(each) for each in batch["electrons"].tolist()]
    ((2, 1, 64, 64), [20, 20])
    """

    def __init__(
        self,
        paths: list[str] | str,
        size: int = 256,
        n: int = 1024,
        n_validation: int = 32,
        frames: FrameUse = "auto",
        fields: FieldUse = "auto",
        gain: float | None = None,
        dose: float | None = None,
        pixel_size: float | None = None,
        batch_size: int = 8,
        seed: int = 0,
        workers: int = 0,
    ) -> None:
        super().__init__()
        self.paths = [paths] if isinstance(paths, str | Path) else list(paths)
        if not self.paths:
            raise ValueError("paths must name a file or more, got none")
        check_positive(size=size, n=n, n_validation=n_validation, batch_size=batch_size)
        check_positive(gain=gain, dose=dose, pixel_size=pixel_size)
        if workers < 0:
            raise ValueError(f"workers must not be negative, got {workers}")
        self.size, self.n, self.n_validation = size, n, n_validation
        self.frames, self.fields = frames, fields
        self.gain, self.dose, self.pixel_size = gain, dose, pixel_size
        self.batch_size, self.seed, self.workers = batch_size, seed, workers
        self.notes: list[str] = []
        self._sources: list[PairSource] = []

    @abstractmethod
    def make_source(self, whitened: WhitenedExposures) -> PairSource:
        """Make pairs of a field; `ValueError` says why there are none."""

    def setup(self, stage: str = "fit") -> None:
        """Read and whiten all files, the first time.

        Parameters
        ----------
        stage : str
            Not used: all stages have the same images.
        """
        if self._sources:
            return
        for field in read_fields(self.paths, self.frames, self.fields):
            try:
                self._sources.append(self.make_source(self._whiten(field)))
            except ValueError as error:
                raise input_error(field.path, error) from None
            ny = self._sources[-1].shape[0]
            if ny - self._strip(ny) < self.size or self._sources[-1].shape[1] < self.size:
                raise input_error(
                    field.path,
                    f"is too small for crops of {self.size} pixels and as many rows for "
                    "validation: give a smaller size",
                )

    def train_dataloader(self) -> DataLoader[Batch]:
        """Crops that change from epoch to epoch."""
        crops = self._crops([slice(0, -self._strip(s.shape[0])) for s in self._sources], 0)
        processes, rank = 1, 0
        if self.trainer is not None:
            processes, rank = self.trainer.world_size, self.trainer.global_rank
        return self._loader(crops, _EpochSampler(self.n, processes, rank))

    def val_dataloader(self) -> DataLoader[Batch]:
        """Crops of the rows that training does not see."""
        crops = self._crops([slice(-self._strip(s.shape[0]), None) for s in self._sources], 1)
        return self._loader(crops, range(self.n_validation))

    def _whiten(self, field: FieldOfView) -> WhitenedExposures:
        """Find the camera's noise and take its colour off."""
        pixel_size = field.pixel_size if self.pixel_size is None else self.pixel_size
        noise = find_camera_noise(
            field.exposures, gain=self.gain, dose_e_per_pixel=self.dose, pixel_size=pixel_size
        )
        lines = [noise.sentence(), *noise.notes, *noise.warnings]
        self.notes += [*field.notes, *(f"{field.name}: {line}" for line in lines)]
        return noise.whiten(field.exposures, pixel_size)

    def _strip(self, rows: int) -> int:
        """Rows for validation."""
        return max(self.size, rows // _STRIP)

    def _crops(self, rows: Sequence[slice], part: int) -> PairCrops:
        """Items from some rows; part 0 and 1 share no random number."""
        weights = []
        for source, inside in zip(self._sources, rows, strict=True):
            weights.append(torch.zeros(source.shape))
            weights[-1][inside] = 1.0
        n = self.n * _EPOCHS
        return PairCrops(self._sources, weights, self.size, n, 2 * self.seed + part, rows)

    def _loader(self, crops: PairCrops, order: "_EpochSampler | range") -> DataLoader[Batch]:
        """Batches of items."""
        return DataLoader(
            crops,
            self.batch_size,
            sampler=order,
            num_workers=self.workers,
            persistent_workers=self.workers > 0,
        )


class _EpochSampler(DistributedSampler[int]):
    """Indices that follow one another through all epochs; Lightning tells it the epoch."""

    def __init__(self, n: int, processes: int, rank: int) -> None:
        super().__init__(range(n), processes, rank, shuffle=False, drop_last=True)  # type: ignore[arg-type]  # of a data set only the length is used
        self.n = n

    def __len__(self) -> int:
        return self.n // self.num_replicas

    def __iter__(self) -> Iterator[int]:
        first = self.epoch * self.n
        end = first + len(self) * self.num_replicas
        return iter(range(first + self.rank, end, self.num_replicas))
