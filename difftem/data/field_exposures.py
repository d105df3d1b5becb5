"""All exposures of one field as a batch, in electrons."""

import math
from dataclasses import dataclass
from typing import cast

from lightning.pytorch import LightningDataModule
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from difftem.data.crops import Batch, check_positive
from difftem.io.errors import input_error
from difftem.micrograph.camera_noise import find_camera_noise
from difftem.micrograph.field_of_view import read_fields
from difftem.micrograph.stack_use import FrameUse


@dataclass(frozen=True)
class FieldFacts:
    """What is known about the exposures of a field.

    Attributes
    ----------
    electrons : float
        Effective electrons per pixel in each.
    notes : list of str
        What was measured and assumed, one line each.

    Examples
    --------
    >>> from difftem.data.field_exposures import FieldFacts
    >>> facts = FieldFacts(electrons=20.0, notes=["grey values are counts"])
    >>> facts.electrons, len(facts.notes)
    (20.0, 1)
    """

    electrons: float
    notes: list[str]


class FieldExposures(LightningDataModule):
    """Exposures of one field in electrons per pixel: an epoch is one batch of all of them.

    Grey values are divided by the gain that is told, or that level and mean of the noise tell. A
    batch is a dictionary of ``exposures``, ``(n, y, x)``.

    Parameters
    ----------
    paths : list of str, or str
        MRC or TIFF files of one field.
    frames : {"auto", "exposures", "even_odd", "sum"}
        What the images of a stack are: exposures; frames of a movie, added up to an even and an
        odd half, or to one image.
    whiten : bool
        Undo the camera's blur of its noise; else exposures stay blurred, and the model is told
        the MTF.
    gain : float, optional
        Grey values per electron, without an offset. Whitened exposures take that of the noise, and
        it is only compared.
    dose : float, optional
        Electrons per pixel in an exposure; checked against the noise.
    crop : int, optional
        Side in pixels of the middle that is used. Default: all.

    Raises
    ------
    ValueError
        For an argument outside its range.

    Examples
    --------
    >>> import torch
    >>> from difftem.data.field_exposures import FieldExposures
    >>> from difftem.io.mrc import write_mrc
    >>> rate = torch.full((2, 128, 128), 20.0)  # e/pixel
    >>> write_mrc("field.mrc", torch.poisson(rate, generator=torch.Generator().manual_seed(0)), 1.0)
    >>> data = FieldExposures("field.mrc", frames="exposures")
    >>> tuple(data.exposures.shape), round(data.facts.electrons)
    ((2, 128, 128), 20)
    """

    def __init__(
        self,
        paths: list[str] | str,
        frames: FrameUse = "auto",
        whiten: bool = True,
        gain: float | None = None,
        dose: float | None = None,
        crop: int | None = None,
    ) -> None:
        super().__init__()
        self.paths = [paths] if isinstance(paths, str) else list(paths)
        if not self.paths:
            raise ValueError("paths must name a file or more, got none")
        check_positive(gain=gain, dose=dose, crop=crop)
        self.frames, self.whiten, self.gain, self.dose, self.crop = frames, whiten, gain, dose, crop
        self._exposures: Tensor | None = None
        self._facts = FieldFacts(math.nan, [])

    @property
    def exposures(self) -> Tensor:  # (n, y, x) e/pixel
        """All exposures."""
        self.setup()
        return cast(Tensor, self._exposures)

    @property
    def facts(self) -> FieldFacts:
        """What is known about them."""
        self.setup()
        return self._facts

    def setup(self, stage: str = "fit") -> None:
        """Read the files, the first time.

        Parameters
        ----------
        stage : str
            Not used: all stages have the same exposures.

        Raises
        ------
        InputError
            If the files show several fields, or are smaller than the crop.
        """
        if self._exposures is not None:
            return
        field = next(iter(read_fields(self.paths, self.frames, "same")))
        try:
            noise = find_camera_noise(
                field.exposures,
                gain=self.gain,
                dose_e_per_pixel=self.dose,
                pixel_size=field.pixel_size,
            )
        except ValueError as error:
            raise input_error(field.path, error) from None
        if self.whiten:
            values = noise.whiten(field.exposures).values
            counts = noise.electrons + math.sqrt(noise.electrons) * values
        elif self.gain is not None:
            counts = field.exposures / self.gain
        else:
            means = field.exposures.mean((-2, -1), keepdim=True)
            counts = noise.electrons + (field.exposures - means) / noise.gain
        self._exposures = self._middle(counts, field.name)
        lines = [noise.sentence(), *noise.notes, *noise.warnings]
        notes = [*field.notes, *(f"{field.name}: {line}" for line in lines)]
        self._facts = FieldFacts(float(self._exposures.mean()), notes)

    def train_dataloader(self) -> DataLoader[Batch]:
        """One batch of all exposures, the same for every process."""
        return DataLoader(cast(Dataset[Batch], [{"exposures": self.exposures}]), batch_size=None)

    def _middle(self, counts: Tensor, name: str) -> Tensor:
        """Cut out the middle."""
        if self.crop is None:
            return counts
        ny, nx = counts.shape[-2:]
        if self.crop > min(ny, nx):
            raise input_error(name, f"is {ny} x {nx} pixels: crop must not be {self.crop}")
        y, x = (ny - self.crop) // 2, (nx - self.crop) // 2
        return counts[:, y : y + self.crop, x : x + self.crop].contiguous()
