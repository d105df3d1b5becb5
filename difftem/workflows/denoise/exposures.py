"""What the files show: exposures of one field, frames of a movie, or images that stand alone."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from numpy.typing import ArrayLike
from torch import Tensor

from difftem.io.account import counted
from difftem.io.checks import EIGHT_BIT, check_values, clipped_shares
from difftem.io.errors import input_error
from difftem.io.frames import Frames, read_frames
from difftem.micrograph.bad_pixels import find_bad_pixels, replace_bad_pixels
from difftem.micrograph.field_of_view import FieldOfView, read_fields
from difftem.workflows.denoise.options import DenoiseOptions
from difftem.workflows.denoise.stack_kind import stack_kind

_CLIPPED = 1e-3  # of the pixels at an extreme value: more than one level of noise would show


@dataclass(frozen=True, eq=False)
class DenoiseInput:
    """What becomes one file: one image of some exposures, or a stack of images.

    Attributes
    ----------
    name : str
        Of the first file, without folder.
    files : list of Path
        That it comes from; empty of arrays.
    count : int
        Images that are denoised, each by itself.
    image : callable
        Exposures of image i, grey values without bad pixels, shape ``(n, y, x)``.
    exposures : int
        Of each image.
    shape : tuple of int
        ``(y, x)`` of an image.
    stacked : bool
        The result is a stack, even of one image.
    scale : float
        Grey values of the result over those of one exposure: the number of parts whose sum an
        image is (halves of a movie), else 1.
    frames_per_exposure : int
        Images of the file that were added up to an exposure.
    pixel_size, dose_e_per_a2 : float or None
        From the header; the dose is that of one image of the file.
    notes : list of str
        What was decided, and what is doubtful.
    """

    name: str
    files: list[Path]
    count: int
    image: Callable[[int], Tensor]
    exposures: int
    shape: tuple[int, int]
    stacked: bool
    scale: float
    frames_per_exposure: int
    pixel_size: float | None
    dose_e_per_a2: float | None
    notes: list[str]


def inputs_of_files(paths: Sequence[str | Path], options: DenoiseOptions) -> Iterator[DenoiseInput]:
    """Read files and tell what they show; one of it is in memory at a time.

    Parameters
    ----------
    paths : sequence of str or Path
        MRC or TIFF; exposures of the same field one after another.
    options : DenoiseOptions
        Of which `frames` and `fields` say what is not to be found out.

    Yields
    ------
    DenoiseInput
        In the order of the files.

    Raises
    ------
    InputError
        If a file cannot be used.
    """
    if options.frames == "separate":
        for path in paths:
            yield _alone(read_frames(path), [])
        return
    if options.frames != "auto":
        for field in read_fields(paths, options.frames, options.fields):
            yield _together(field)
        return
    pending: list[str | Path] = []
    for path in paths:
        kind, why = stack_kind(path)
        if kind == "separate":
            for field in read_fields(pending, "exposures", options.fields):
                yield _together(field)
            pending = []
            yield _alone(read_frames(path), why)
        elif kind == "movie":
            for field in read_fields(pending, "exposures", options.fields):
                yield _together(field)
            pending = []
            for field in read_fields([path], "even_odd"):
                yield _together(replace(field, notes=[*why, *field.notes]))
        else:
            pending.append(path)
    for field in read_fields(pending, "exposures", options.fields):
        yield _together(field)


def check_noise_is_whole(found: DenoiseInput, exposures: Tensor, force: bool) -> None:
    """Refuse images whose noise is no longer that of counted electrons.

    Parameters
    ----------
    found : DenoiseInput
        With what was noted on reading.
    exposures : Tensor
        Of one of its images.
    force : bool
        Go on all the same.

    Raises
    ------
    ValueError
        For 8 bits, or clipped values.
    """
    reasons = [note for note in found.notes if note.partition(": ")[2].startswith(EIGHT_BIT)]
    for share in clipped_shares(exposures[0].cpu().numpy()):
        if share > _CLIPPED:
            reasons.append(f"{found.name}: clipped: {share:.2%} of the pixels have the same value")
    if reasons and not force:
        raise ValueError(
            f"{reasons[0]}: the noise cannot be modelled; give the file that the camera wrote "
            "(--force goes on all the same); see difftem docs noise"
        )


def input_of_array(values: ArrayLike | Tensor, options: DenoiseOptions) -> DenoiseInput:
    """Take an array: one image, or exposures of one field (or images, with frames "separate").

    Parameters
    ----------
    values : array_like or Tensor
        Grey values, ``(y, x)`` or ``(n, y, x)``.
    options : DenoiseOptions
        Of which `frames` says what a stack is; ``auto`` means exposures.

    Returns
    -------
    DenoiseInput
        Without a file.

    Raises
    ------
    ValueError
        If it holds no images.
    """
    data = np.asarray(values.detach().cpu() if isinstance(values, Tensor) else values)
    if data.ndim not in (2, 3) or 0 in data.shape:
        raise ValueError(f"exposures must be (y, x) or (n, y, x), got shape {data.shape}")
    name = "array"
    stack = data.reshape(-1, *data.shape[-2:])
    notes = [f"{name}: {note}" for note in check_values(name, stack)]
    frames = Frames(Path(name), stack, None, None, [])
    if options.frames == "separate":
        return replace(_alone(frames, notes), files=[], stacked=data.ndim == 3)
    if options.frames in ("even_odd", "sum"):
        raise ValueError(f"frames {options.frames} is for files: add up the frames of an array")
    exposures = torch.stack([_clean(frames, i, notes) for i in range(len(stack))])
    return DenoiseInput(
        name,
        [],
        1,
        lambda _: exposures,
        len(exposures),
        _size(stack),
        False,
        1.0,
        1,
        None,
        None,
        notes,
    )


def _together(field: FieldOfView) -> DenoiseInput:
    """One image from all exposures of a field."""
    exposures = field.exposures
    summed = field.frames_per_exposure > 1
    return DenoiseInput(
        field.name,
        field.paths,
        1,
        lambda _: exposures,
        len(exposures),
        _size(exposures),
        False,
        float(len(exposures)) if summed else 1.0,
        field.frames_per_exposure,
        field.pixel_size,
        field.dose_e_per_a2,
        list(field.notes),
    )


def _alone(frames: Frames, why: list[str]) -> DenoiseInput:
    """Each image of a stack by itself."""
    notes = [*why, *(f"{frames.path.name}: {note}" for note in frames.notes)]
    return DenoiseInput(
        frames.path.name,
        [frames.path],
        len(frames.data),
        lambda index: _clean(frames, index, notes)[None],
        1,
        _size(frames.data),
        len(frames.data) > 1,
        1.0,
        1,
        frames.pixel_size,
        frames.dose_e_per_a2,
        notes,
    )


def _clean(frames: Frames, index: int, notes: list[str]) -> Tensor:  # (y, x)
    """Image of a stack in float32, its bad pixels replaced; says how many."""
    image = torch.from_numpy(frames.data[index].astype(np.float32))
    bad = find_bad_pixels(image)
    if bool(bad.all()):
        raise input_error(frames.path, "no good pixel")
    if number := int(bad.sum()):
        which = f" of image {index + 1}" if len(frames.data) > 1 else ""
        notes.append(
            f"{frames.path.name}: {counted(number, 'bad pixel')}{which} replaced by the mean of "
            "the neighbours"
        )
    return replace_bad_pixels(image, bad)


def _size(stack: ArrayLike | Tensor) -> tuple[int, int]:
    ny, nx = np.shape(stack)[-2:]
    return ny, nx
