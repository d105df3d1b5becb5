"""Background crops of real micrographs."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from difftem.data.crops import CropFacts, Crops, CropSet, check_dqe0, check_positive
from difftem.io.account import counted
from difftem.io.errors import input_error
from difftem.micrograph.background import MIN_SIZE
from difftem.micrograph.box import Box
from difftem.micrograph.contrasts import contrasts
from difftem.micrograph.crop_checks import check_crops, excess_noise
from difftem.micrograph.field_of_view import FieldOfView, FieldUse, check_frames, read_fields
from difftem.micrograph.figure import draw_picking
from difftem.micrograph.picking import Picked, cut, pick
from difftem.micrograph.stack_use import FrameUse

_DOSE_TOLERANCE = 0.25  # of a header's dose against the gain that was given


@dataclass(frozen=True, eq=False)
class _Part:
    """Crops of one field, before it is known which are good enough."""

    picked: Picked
    crops: Tensor  # (e, n, y, x)
    levels: Tensor  # (e,) grey values
    frames_per_exposure: int
    pixel_size: float | None
    header_dose: float | None  # e/pixel in an image of the file
    flat: bool


class RealCrops(Crops):
    """Background crops of micrographs, stacks of exposures, or movies.

    Crops are picked automatically by local variance and Thon rings
    (`difftem.micrograph.background.score_windows`), or taken where a list says. Of two or
    more exposures of a field the crops are differences: what the exposures share, ice and
    specimen, cancels, and the noise stays. Exposures are shifted by whole pixels only, because
    interpolation would filter the noise. Bad pixels are replaced by the mean of their neighbours.
    `facts.notes` says all that is doubtful.

    Parameters
    ----------
    paths : list of str, or str
        MRC or TIFF files (8 or 16 bit, float; stacks, several pages; ``.gz``); exposures of the
        same field one after another. The images of a field, in float32, are in memory at once.
    size : int
        Side of a crop in pixels.
    n : int
        Crops to pick at most, over all files: the best are taken.
    boxes : str, optional
        List of boxes instead: EMAN .box (x y width height), RELION .star with coordinates, or
        .csv with x, y. All are used.
    gain : float, optional
        Grey values per electron.
    dose : float, optional
        Instead of the gain: electrons that reach a pixel in an image of the file (one frame of a
        movie). It gives the gain with `dqe0` only.
    dqe0 : float, optional
        DQE(0) in (0, 1], the part of them that is counted; 1 where each one is.
    read_noise : float, optional
        Standard deviation of the readout in an image of the file, in grey values.
    pixel_size : float, optional
        Å; overrules the header.
    frames : {"auto", "flat", "exposures", "even_odd", "sum"}
        What the images of a stack are: flat fields without anything to align by; exposures of
        one field; frames of a movie, added up to an even and an odd half, or to one image. auto:
        flat fields where they show nothing to align by, else exposures up to four, and even_odd.
    fields : {"auto", "same", "separate"}
        Whether files show the same field. auto: if their correlation has a peak.
    differences : bool, optional
        Take differences of exposures. Without it: if every field has two or more.
    batch_size : int, optional
        Crops in a batch. Default: all of them.

    Raises
    ------
    ValueError
        For an argument outside its range, or gain and dose together.

    Examples
    --------
    >>> import torch
    >>> from difftem.data.real_crops import RealCrops
    >>> from difftem.io.mrc import write_mrc
    >>> rate = torch.full((2, 128, 128), 20.0)  # e/pixel
    >>> write_mrc("flat.mrc", torch.poisson(rate, generator=torch.Generator().manual_seed(0)), 1.0)
    >>> data = RealCrops("flat.mrc", size=64, n=4, frames="flat")
    >>> tuple(data.crops.images.shape), data.facts.differences
    ((4, 64, 64), True)
    """

    def __init__(
        self,
        paths: list[str] | str,
        size: int = 256,
        n: int = 50,
        boxes: str | None = None,
        gain: float | None = None,
        dose: float | None = None,
        dqe0: float | None = None,
        read_noise: float | None = None,
        pixel_size: float | None = None,
        frames: FrameUse = "auto",
        fields: FieldUse = "auto",
        differences: bool | None = None,
        batch_size: int | None = None,
    ) -> None:
        super().__init__(batch_size)
        self.paths = [paths] if isinstance(paths, str | Path) else list(paths)
        if not self.paths:
            raise ValueError("paths must name a file or more, got none")
        if size < MIN_SIZE:
            raise ValueError(f"size must be at least {MIN_SIZE} pixels, got {size}")
        check_positive(n=n, gain=gain, dose=dose, pixel_size=pixel_size)
        if gain is not None and dose is not None:
            raise ValueError(f"give gain or dose, not both; got gain {gain} and dose {dose}")
        check_dqe0(dqe0, dose)
        if read_noise is not None and not 0 <= read_noise < float("inf"):
            raise ValueError(f"read_noise must not be negative, got {read_noise}")
        self.size, self.n, self.boxes = size, n, boxes
        self.gain, self.dose, self.dqe0, self.read_noise = gain, dose, dqe0, read_noise
        self.pixel_size, self.frames, self.fields = pixel_size, frames, fields
        self.differences = differences
        self._pictures: list[Picked] = []

    @property
    def pictures(self) -> list[Picked]:
        """Overview and boxes of each field, for a figure."""
        self.setup()
        return self._pictures

    def figures(self) -> dict[str, Any]:
        """Draw the crops, and where they are from."""
        return super().figures() | {"boxes": draw_picking(self.pictures)}

    def make_crops(self) -> CropSet:
        """Read all files, choose and cut."""
        notes: list[str] = []
        parts = []
        for number, field in enumerate(read_fields(self.paths, self.frames, self.fields)):
            parts.append(self._part(field, number))
            first = parts[0].picked.name
            check_frames(field.path, field.frames_per_exposure, first, parts[0].frames_per_exposure)
            notes += field.notes + parts[-1].picked.notes
        chosen = self._best(parts, notes)
        self._pictures = [
            replace(part.picked, boxes=tuple(own)) for part, own in zip(parts, chosen, strict=True)
        ]
        n_exposures = min(len(part.crops) for part in parts)
        use_differences = self._use_differences(parts, notes)
        images, means, boxes = [], [], []
        for part, own in zip(parts, chosen, strict=True):
            if not own:
                continue
            crops = part.crops[:, [part.picked.boxes.index(box) for box in own]]
            mixed = crops, crops.double().mean((-2, -1))
            if use_differences:
                mixed = contrasts(crops, part.levels)
            known = self.gain is not None or self.dose is not None
            check_crops(part.picked.name, own, *mixed, known)
            images.append(mixed[0].flatten(0, 1))
            means.append(mixed[1].flatten())
            boxes += own
        crops, mean = torch.cat(images), torch.cat(means).float()
        gain, incident = self._gains(parts, notes)
        summed = parts[0].frames_per_exposure
        read_noise = None if self.read_noise is None else self.read_noise * summed**0.5
        if not use_differences and self.boxes is None:
            notes.append(self._structure())
        if gain is not None:
            notes += excess_noise(crops, mean, gain, read_noise or 0.0)
        facts = CropFacts(
            gain=gain,
            read_noise=read_noise,
            pixel_size=parts[0].pixel_size,
            n_exposures=n_exposures,
            differences=use_differences,
            aligned=not any(part.flat for part in parts),
            incident_gain=incident,
            notes=list(dict.fromkeys(notes)),
            boxes=tuple(boxes),
            fields=tuple(part.picked.name for part in parts),
        )
        return CropSet(crops, mean, facts)

    def _part(self, field: FieldOfView, number: int) -> _Part:
        """Crops of a field."""
        pixel_size = field.pixel_size if self.pixel_size is None else self.pixel_size
        if (
            self.pixel_size is not None
            and field.pixel_size is not None
            and abs(field.pixel_size - self.pixel_size) > 0.01 * self.pixel_size
        ):
            field.notes.append(
                f"{field.name}: pixel size is {field.pixel_size:g} Å in the header, "
                f"{self.pixel_size:g} Å is used as told"
            )
        picked = pick(field, number, self.size, self.n, self.boxes, pixel_size)
        levels = field.exposures.mean((-2, -1))
        if not bool((levels > 0).all()):
            if self.gain is not None or self.dose is not None:
                raise input_error(
                    field.path,
                    f"the mean grey value is {float(levels.min()):g}: not raw counts, so gain or "
                    "dose cannot set the noise level; leave them out",
                )
            field.notes.append(
                f"{field.name}: the mean grey value is {float(levels.min()):g}, not raw counts"
            )
            levels = torch.ones_like(levels)
        area = None if pixel_size is None else pixel_size**2
        in_header = field.dose_e_per_a2
        dose = None if area is None or in_header is None else in_header * area
        crops = cut(field, picked.boxes)
        return _Part(picked, crops, levels, field.frames_per_exposure, pixel_size, dose, field.flat)

    def _best(self, parts: Sequence[_Part], notes: list[str]) -> list[list[Box]]:
        """Choose the boxes of each field that are among the best of all."""
        everything = [box for part in parts for box in part.picked.boxes]
        if self.boxes is None:
            everything = sorted(everything, key=lambda box: box.score)[: self.n]
            if len(everything) < self.n:
                notes.append(
                    f"{counted(len(everything), 'window')} of {self.size} x {self.size} pixels can "
                    f"be used (at most {self.n} are taken)"
                )
        return [[box for box in everything if box.field == k] for k in range(len(parts))]

    def _use_differences(self, parts: Sequence[_Part], notes: list[str]) -> bool:
        """Whether all fields have exposures to subtract."""
        single = [part.picked.name for part in parts if len(part.crops) < 2]
        if self.differences and single:
            raise ValueError(f"differences need two exposures of {single[0]}, got one")
        if self.differences is None and single and len(single) < len(parts):
            notes.append(f"no differences: {', '.join(single)} has a single exposure")
        return not single if self.differences is None else self.differences

    def _gains(self, parts: Sequence[_Part], notes: list[str]) -> tuple[float | None, float | None]:
        """Gain as told, or from dose and DQE(0), and that of all electrons, where the dose is told.

        A header's dose is only compared.
        """
        level = float(torch.cat([part.levels for part in parts]).mean())
        level /= parts[0].frames_per_exposure
        gain = self.gain
        incident = None if self.dose is None else level / self.dose
        if incident is not None and self.dqe0 is not None:
            gain = incident / self.dqe0
        header = parts[0].header_dose
        if header is not None:
            expected = level / header
            told = gain if incident is None else incident
            if told is None:
                notes.append(
                    f"the header's dose of {header:.3g} e/pixel would mean {expected:.4g} grey "
                    "values per electron: give gain, or dose and dqe0, to use it"
                )
            elif abs(told / expected - 1) > _DOSE_TOLERANCE:
                notes.append(
                    f"gain {told:.4g} does not agree with {expected:.4g} from the header's dose"
                )
        return gain, incident

    def _structure(self) -> str:
        """Say how much structure single exposures keep."""
        contrast = max(picture.contrast for picture in self._pictures)
        rings = max(picture.rings for picture in self._pictures) ** 0.5
        return (
            "single exposures: structure stays in the low frequencies (8 x 8 blocks vary by "
            f"{contrast:.1%}, "
            + (f"Thon rings by {rings:.1%})" if rings else "no Thon rings seen)")
        )
