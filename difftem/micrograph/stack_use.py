"""What the images of a stack are: exposures, flat fields, or frames of a movie to be added up."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from difftem.micrograph.alignment import SIGNIFICANT, whole_pixel_shift
from difftem.micrograph.bad_pixels import find_bad_pixels, replace_bad_pixels

FrameUse = Literal["auto", "flat", "exposures", "even_odd", "sum"]

REACH = 4  # exposures may be shifted by a fourth of the image
_MOST_EXPOSURES = 4  # a stack of more frames that show something is a movie
_MOST_FLAT = 32  # flat fields kept apart: their errors are small already, their memory is not


@dataclass(frozen=True)
class StackUse:
    """Which images of a stack are added up to one exposure each.

    Attributes
    ----------
    parts : tuple of range
        Indices behind each exposure, of equal numbers.
    flat : bool
        The exposures show nothing to align by: they are used as they lie.
    notes : list of str
        What was decided, why, and what is left out.
    """

    parts: tuple[range, ...]
    flat: bool
    notes: list[str]


def use_of_stack(data: NDArray[np.generic], frame_use: FrameUse) -> StackUse:
    """Decide what the images of a stack are.

    ``auto`` looks whether they show anything to align by: even and odd frames of a movie do,
    even where its single frames are too noisy, and so do exposures of one field; images of vacuum
    do not. These need no alignment, and each is a flat field of its own.

    Parameters
    ----------
    data : ndarray
        Shape ``(n, y, x)``.
    frame_use : {"auto", "flat", "exposures", "even_odd", "sum"}
        As of `difftem.micrograph.field_of_view.read_fields`.

    Returns
    -------
    StackUse
        Parts and account.
    """
    n = len(data)
    if n == 1:
        return StackUse((range(1),), False, [])
    if frame_use != "auto":
        return _told(n, frame_use)
    if n <= _MOST_EXPOSURES:
        peak = max(_peak(data, [0], [index]) for index in range(1, n))
        usual: FrameUse = "exposures"
    else:
        peak = _peak(data, range(0, n - n % 2, 2), range(1, n - n % 2, 2))
        usual = "even_odd"
    said = f"correlation peak {peak:.1f}, needed {SIGNIFICANT:g} standard deviations"
    if peak > SIGNIFICANT:
        use = _told(n, usual)
        if usual == "exposures":
            return use
        what = (
            f"the {n} images are taken for frames of a movie, since even and odd ones show the "
            f"same ({said}): they are added up to two halves (--frames flat: each by itself)"
        )
        return StackUse(use.parts, False, [what, *use.notes])
    use = _told(n, "flat")
    what = (
        f"the {n} images are taken for flat fields, as they show nothing to align by ({said}): all "
        "are used without alignment (--frames even_odd: it is a movie)"
    )
    return StackUse(use.parts, True, [what, *use.notes])


def _told(n: int, frame_use: FrameUse) -> StackUse:
    """Parts of a stack whose use is known."""
    notes = []
    if frame_use == "sum":
        return StackUse((range(n),), False, [])
    if frame_use == "even_odd":
        if n % 2:
            notes.append(f"the last of {n} frames is left out, so that both halves are alike")
        return StackUse(tuple(range(start, n - n % 2, 2) for start in (0, 1)), False, notes)
    step = -(-n // _MOST_FLAT) if frame_use == "flat" else 1
    parts = tuple(range(at, at + step) for at in range(0, n - step + 1, step))
    if step > 1:
        rest = n - step * len(parts)
        notes.append(
            f"every {step} of {n} flat fields are added up"
            + (f", the last {rest} are left out" if rest else "")
        )
    return StackUse(parts, frame_use == "flat", notes)


def _peak(data: NDArray[np.generic], one: Sequence[int], other: Sequence[int]) -> float:
    """Significance of the correlation of two sums."""
    first, second = (_clean(sum_frames(data, part)) for part in (one, other))
    return whole_pixel_shift(first, second, min(first.shape) // REACH).significance


def _clean(image: Tensor) -> Tensor:
    """Replace bad pixels; an image without a good one shows nothing."""
    bad = find_bad_pixels(image) if bool(torch.isfinite(image).any()) else image.isnan()
    return torch.zeros_like(image) if bool(bad.all()) else replace_bad_pixels(image, bad)


def sum_frames(data: NDArray[np.generic], part: Sequence[int]) -> Tensor:  # (y, x)
    """Add up images of a stack in float32."""
    total = np.zeros(data.shape[1:], dtype=np.float32)
    for index in part:
        total += data[index]
    return torch.from_numpy(total)
