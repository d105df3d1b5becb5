"""Fields of view: exposures of the same place, from one file or several, brought into register."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path
from typing import Literal

import torch
from torch import Tensor

from difftem.io.errors import input_error
from difftem.io.frames import Frames, read_frames
from difftem.micrograph.alignment import SIGNIFICANT, Shift, whole_pixel_shift
from difftem.micrograph.bad_pixels import find_bad_pixels, replace_bad_pixels
from difftem.micrograph.lines import find_lines
from difftem.micrograph.stack_use import REACH, FrameUse, sum_frames, use_of_stack

FieldUse = Literal["auto", "same", "separate"]

_RESIDUAL = 0.25  # pixels below which a shift is a whole one


@dataclass(frozen=True, eq=False)
class FieldOfView:
    """Exposures of one place.

    Attributes
    ----------
    name : str
        Of the first file, without folder.
    path : Path
        First file.
    paths : list of Path
        All files.
    exposures : Tensor
        Grey values where all exposures have some, bad pixels replaced, shape ``(e, y, x)``.
    bad : Tensor
        Pixels that were replaced in any exposure, shape ``(y, x)``.
    origin : tuple of int
        Row and column of the first exposure that is ``[0, 0]`` here.
    frames_per_exposure : int
        Images of the file that were added up.
    pixel_size, dose_e_per_a2 : float or None
        From the header; the dose is that of one image of the file.
    flat : bool
        The images of a stack that show nothing to align by; they lie as in their file.
    notes : list of str
        Warnings, each with the name of its file.
    """

    name: str
    path: Path
    paths: list[Path]
    exposures: Tensor
    bad: Tensor
    origin: tuple[int, int]
    frames_per_exposure: int
    pixel_size: float | None
    dose_e_per_a2: float | None
    flat: bool
    notes: list[str]


@dataclass(frozen=True, eq=False)
class _Loaded:
    """A file's exposures, cleaned."""

    frames: Frames
    images: Tensor  # (e, y, x)
    bad: Tensor  # (e, y, x)
    frames_per_exposure: int
    dose_e_per_a2: float | None
    flat: bool
    notes: list[str]


def read_fields(
    paths: Sequence[str | Path],
    frame_use: FrameUse = "auto",
    field_use: FieldUse = "auto",
) -> Iterator[FieldOfView]:
    """Read files and group them by what they show; one group is in memory at a time.

    Parameters
    ----------
    paths : sequence of str or Path
        Image files; exposures of the same field one after another.
    frame_use : {"auto", "flat", "exposures", "even_odd", "sum"}
        What the images of a stack are: flat fields without anything to align by; exposures of
        one field; frames of a movie, added up to an even and an odd half, or to one image.
        ``auto``: flat fields where they show nothing to align by, else exposures up to four, and
        a movie in two halves.
    field_use : {"auto", "same", "separate"}
        Whether files show the same field. ``auto``: neighbours in the list do whose correlation
        has a peak of 7 standard deviations.

    Yields
    ------
    FieldOfView
        In the order of the files.

    Raises
    ------
    InputError
        If a file cannot be used, or exposures of a field are equal, or differ in size, pixel
        size or number of frames.
    """
    group: list[_Loaded] = []
    for path in paths:
        loaded = _load(path, frame_use)
        if group and not _belongs(group[0], loaded, field_use):
            yield _register(group)
            group = []
        group.append(loaded)
    if group:
        yield _register(group)


def _load(path: str | Path, frame_use: FrameUse) -> _Loaded:
    """Read a file, add up its frames as wanted, and replace its bad pixels."""
    frames = read_frames(path)
    n = len(frames.data)
    use = use_of_stack(frames.data, frame_use)
    notes = [*frames.notes, *use.notes]
    images, masks = [], []
    for part in use.parts:
        image = sum_frames(frames.data, part)
        bad = find_bad_pixels(image)
        if bool(bad.all()):
            raise input_error(path, "no good pixel")
        images.append(replace_bad_pixels(image, bad))
        masks.append(bad)
        if count := int(bad.sum()):
            not_finite = int((~torch.isfinite(image)).sum())
            which = f" of image {len(images)}" if len(use.parts) > 1 else ""
            notes.append(
                f"{count} bad pixels{which} ({not_finite} not finite, {count - not_finite} hot or "
                "dead) replaced by the mean of their neighbours"
            )
    notes += find_lines(images[0]).notes
    named = [f"{frames.path.name}: {note}" for note in notes]
    # The header of a movie has the dose of all frames; that of a stack can mean anything.
    is_whole = n == 1 or len(use.parts[0]) > 1
    dose = frames.dose_e_per_a2 / n if is_whole and frames.dose_e_per_a2 is not None else None
    stack, bad = torch.stack(images), torch.stack(masks)
    return _Loaded(frames, stack, bad, len(use.parts[0]), dose, use.flat, named)


def _belongs(first: _Loaded, other: _Loaded, field_use: FieldUse) -> bool:
    """Whether a file shows the field of another one."""
    if field_use == "separate":
        return False
    same_size = first.images.shape[-2:] == other.images.shape[-2:]
    if field_use == "auto":
        if not same_size:
            return False
        one, two = (loaded.images.sum(0) for loaded in (first, other))
        return whole_pixel_shift(one, two, min(one.shape) // REACH).is_significant
    if not same_size:
        (ny, nx), (my, mx) = first.images.shape[-2:], other.images.shape[-2:]
        raise input_error(
            other.frames.path,
            f"is {mx} x {my} pixels (x, y), {first.frames.path.name} of the same field {nx} x {ny}",
        )
    sizes = first.frames.pixel_size, other.frames.pixel_size
    if sizes[0] and sizes[1] and abs(sizes[0] - sizes[1]) > 0.01 * sizes[0]:
        raise input_error(
            other.frames.path,
            f"pixel size is {sizes[1]:g} Å, {first.frames.path.name} of the same field has "
            f"{sizes[0]:g} Å",
        )
    return True


def _check_exposures(group: list[_Loaded]) -> None:
    """Refuse exposures that are one and the same: their difference is rounding, not noise."""
    exposures = [
        (loaded, f"image {number}", image)
        for loaded in group
        for number, image in enumerate(loaded.images, start=1)
    ]
    for (one, which, image), (other, which_other, again) in combinations(exposures, 2):
        if torch.equal(image, again):
            first = which if one is other else f"{which} of {one.frames.path}"
            raise input_error(
                other.frames.path,
                f"{which_other} is the same exposure as {first}, number by number: give it once",
            )


def check_frames(path: str | Path, number: int, first: str, expected: int) -> None:
    """Refuse an exposure that adds up another number of frames than the first one.

    Parameters
    ----------
    path : str or Path
        File of the exposure.
    number : int
        Of its frames in an exposure.
    first : str
        Name of the file to compare with.
    expected : int
        Frames in an exposure of that file.

    Raises
    ------
    InputError
        If they differ: dose and read noise of an image of the file would mean two things.
    """
    if number != expected:
        raise input_error(
            path,
            f"has {number} frames in an exposure, {first} {expected}: give files of equal numbers "
            "of frames",
        )


def _register(group: list[_Loaded]) -> FieldOfView:
    """Align all exposures of a field with the first one and keep what they share."""
    first_count = group[0].frames_per_exposure
    for loaded in group[1:]:
        check_frames(
            loaded.frames.path, loaded.frames_per_exposure, group[0].frames.path.name, first_count
        )
    first = group[0].frames
    images = torch.cat([loaded.images for loaded in group])
    bad = torch.cat([loaded.bad for loaded in group])
    _check_exposures(group)
    notes = [note for loaded in group for note in loaded.notes]
    reach = min(images.shape[-2:]) // REACH
    shifts = [Shift(0, 0, (0.0, 0.0), float("inf"))]
    flat = all(loaded.flat for loaded in group)
    for number, image in enumerate(images[1:], start=2):
        if flat:
            shifts.append(shifts[0])
            continue
        shift = whole_pixel_shift(images[0], image, reach)
        if not shift.is_significant:
            notes.append(
                f"{first.path.name}: exposure {number} shows nothing to align by: correlation "
                f"peak {shift.significance:.1f}, needed {SIGNIFICANT:g} standard deviations"
            )
            shift = Shift(0, 0, (0.0, 0.0), shift.significance)
        elif shift.y or shift.x or max(map(abs, shift.residual)) > _RESIDUAL:
            notes.append(
                f"{first.path.name}: exposure {number} is shifted by {shift.y}, {shift.x} whole "
                f"pixels (y, x), {shift.residual[0]:+.2f}, {shift.residual[1]:+.2f} are left: "
                "interpolation would filter the noise"
            )
        shifts.append(shift)
    ys, xs = [shift.y for shift in shifts], [shift.x for shift in shifts]
    ny, nx = images.shape[-2:]
    top, left = -min(ys), -min(xs)
    height, width = ny - max(ys) + min(ys), nx - max(xs) + min(xs)

    def aligned(stack: Tensor) -> Tensor:
        return torch.stack(
            [
                a[top + y : top + y + height, left + x : left + x + width]
                for a, y, x in zip(stack, ys, xs, strict=True)
            ]
        )

    return FieldOfView(
        name=first.path.name,
        path=first.path,
        paths=[loaded.frames.path for loaded in group],
        exposures=aligned(images),
        bad=aligned(bad).any(0),
        origin=(top, left),
        frames_per_exposure=first_count,
        pixel_size=first.pixel_size,
        dose_e_per_a2=group[0].dose_e_per_a2,
        flat=flat,
        notes=notes,
    )
