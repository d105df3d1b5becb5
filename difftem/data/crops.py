"""Crops of flat fields as batches, and what is known about them."""

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from typing import Any, cast

from lightning.pytorch import LightningDataModule
from torch import Tensor
from torch.utils.data import DataLoader, Dataset, DistributedSampler

from difftem.micrograph.box import Box
from difftem.pictures import draw_array, grey_limits

Batch = dict[str, Tensor]


@dataclass(frozen=True)
class CropFacts:
    """What a fit has to know about the crops, and a reader about their origin.

    Attributes
    ----------
    gain : float or None
        Grey values per electron, where known.
    read_noise : float or None
        Standard deviation of the readout in grey values, in one crop as it comes; where known.
    incident_gain : float or None
        Grey values per electron that reached the camera, where the dose is known: the gain times
        DQE(0).
    pixel_size : float or None
        Å.
    n_exposures : int
        Exposures of each field that were used.
    differences : bool
        The crops are differences of exposures, normalised so that their noise power spectrum is
        that of a single exposure with the mean that comes with it.
    aligned : bool
        The exposures show one field, in register: what differences leave is noise. Without it
        they showed nothing to align by.
    notes : list of str
        Warnings, one line each.
    boxes : tuple of Box
        Where the crops are from, one per crop of an exposure or group of differences.
    fields : tuple of str
        Names of the fields of view.
    """

    gain: float | None
    read_noise: float | None
    pixel_size: float | None
    n_exposures: int
    differences: bool
    aligned: bool = True
    incident_gain: float | None = None
    notes: list[str] = field(default_factory=list)
    boxes: tuple[Box, ...] = ()
    fields: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False)
class CropSet:
    """Crops and facts, complete.

    Attributes
    ----------
    images : Tensor
        Float32, shape ``(n, y, x)``.
    means : Tensor
        Mean grey value of the exposure behind each crop, shape ``(n,)``.
    facts : CropFacts
        About all of them.
    """

    images: Tensor
    means: Tensor
    facts: CropFacts


class Crops(LightningDataModule, ABC):
    """Crops whose noise power spectrum is s0 H(ω)² + σ², with s0 = gain x mean.

    Every loop of a Trainer sees the same crops; there is no part for validation. A batch is a
    dictionary of ``images`` ``(n, y, x)`` and ``means`` ``(n,)``.

    Parameters
    ----------
    batch_size : int, optional
        Crops in a batch. Default: all of them.

    Raises
    ------
    ValueError
        If `batch_size` is not positive.
    """

    def __init__(self, batch_size: int | None = None) -> None:
        super().__init__()
        check_positive(batch_size=batch_size)
        self.batch_size = batch_size
        self._crops: CropSet | None = None

    @abstractmethod
    def make_crops(self) -> CropSet:
        """Make or read all crops; called once."""

    def setup(self, stage: str = "fit") -> None:
        """Make the crops, the first time.

        Parameters
        ----------
        stage : str
            Not used: all stages see the same crops.
        """
        if self._crops is None:
            self._crops = self.make_crops()

    @property
    def crops(self) -> CropSet:
        """All crops."""
        self.setup()
        return cast(CropSet, self._crops)

    @property
    def facts(self) -> CropFacts:
        """What is known about the crops."""
        return self.crops.facts

    def truth(
        self,
        frequency: Tensor,  # (...) cycles/pixel
    ) -> Tensor | None:  # (...)
        """Transfer function behind the crops, where it is known."""
        return None

    def figures(self) -> dict[str, Any]:
        """Pictures of the data by name, as matplotlib figures: here the first crops."""
        return {"crops": _draw_crops(self.crops.images)}

    def train_dataloader(self) -> DataLoader[Batch]:
        """Batches of crops; of several processes each has its own, equally many batches.

        Raises
        ------
        ValueError
            If there are fewer crops than processes.
        """
        images, means = self._mine(self.crops.images), self._mine(self.crops.means)
        batches = [{"images": i, "means": m} for i, m in zip(images, means, strict=True)]
        data = cast(Dataset[Batch], batches)
        # Lightning deals a loader out, and fills it up by repeating, unless its sampler is this.
        dealt: DistributedSampler[Any] = DistributedSampler(data, 1, 0, shuffle=False)
        return DataLoader(data, batch_size=None, sampler=dealt)

    def test_dataloader(self) -> DataLoader[Batch]:
        """Return the batches of training."""
        return self.train_dataloader()

    def predict_dataloader(self) -> DataLoader[Batch]:
        """Return the batches of training."""
        return self.train_dataloader()

    def _mine(
        self,
        values: Tensor,  # (n, ...)
    ) -> tuple[Tensor, ...]:
        """Take what this process has of all crops, in batches."""
        n, trainer = len(values), self.trainer
        if trainer is None or trainer.world_size == 1:
            return values.split(self.batch_size or n)
        processes = trainer.world_size
        if n < processes:
            raise ValueError(f"{processes} processes want a crop each at least, there are {n}")
        batches = math.ceil(n // processes / (self.batch_size or n))
        return values[trainer.global_rank :: processes].tensor_split(batches)


def _draw_crops(
    images: Tensor,  # (n, y, x)
    most: int = 8,
) -> Any:
    """Draw the first crops on one grey scale, as a matplotlib figure."""
    from matplotlib.figure import Figure

    shown = images[:most]
    columns = min(4, len(shown))
    rows = -(-len(shown) // columns)
    figure = Figure(figsize=(3 * columns, 3.1 * rows), layout="constrained")
    limits = grey_limits(shown)
    for index, image in enumerate(shown):
        axes = figure.add_subplot(rows, columns, index + 1)
        draw_array(axes, image, limits)
        axes.set_title(f"crop {index + 1}", fontsize=8)
        axes.set_axis_off()
    return figure


def check_dqe0(dqe0: float | None, dose: float | None) -> None:
    """Refuse a DQE(0) that is none, or has no dose that it is a part of.

    Raises
    ------
    ValueError
        If it is not in (0, 1], or `dose` is missing.
    """
    if dqe0 is None:
        return
    if not 0 < dqe0 <= 1:
        raise ValueError(f"dqe0 must be in (0, 1], got {dqe0}")
    if dose is None:
        raise ValueError("dqe0 applies with dose only: gain counts the electrons that are counted")


def check_positive(**numbers: float | None) -> None:
    """Refuse arguments that are given and not positive and finite.

    Raises
    ------
    ValueError
        Naming the first.
    """
    for name, number in numbers.items():
        if number is not None and not (math.isfinite(number) and number > 0):
            raise ValueError(f"{name} must be positive, got {number}")
