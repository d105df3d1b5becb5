"""The crops of one field of view: picked, or where a list says."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor
from torch.nn.functional import avg_pool2d

from difftem.io.box_list import read_boxes
from difftem.io.errors import input_error
from difftem.micrograph.background import pick_windows, score_windows
from difftem.micrograph.box import Box
from difftem.micrograph.field_of_view import FieldOfView

MAX_BAD = 1e-3  # fraction of replaced pixels in a crop: their share of the power that is lost
_OVERVIEW = 512  # pixels


@dataclass(frozen=True, eq=False)
class Picked:
    """Boxes of one field of view, and what a figure of them needs.

    Attributes
    ----------
    name : str
        Of the field.
    overview : Tensor
        Mean of the exposures, binned, shape ``(y, x)``.
    binning : int
        Pixels of the exposure per pixel of the overview.
    origin : tuple of int
        Row and column of the exposure at the first pixel of the overview.
    boxes : tuple of Box
        Used, best first.
    contrast, rings : float
        Median over all windows of the field, rings 0 where they do not stand out from noise; NaN
        where the boxes were given.
    notes : list of str
        Warnings.
    """

    name: str
    overview: Tensor
    binning: int
    origin: tuple[int, int]
    boxes: tuple[Box, ...]
    contrast: float
    rings: float
    notes: list[str]


def pick(
    field: FieldOfView,
    number: int,
    size: int,
    n: int,
    boxes: str | Path | None = None,
    pixel_size: float | None = None,
) -> Picked:
    """Choose boxes of a field.

    Parameters
    ----------
    field : FieldOfView
        Exposures in register.
    number : int
        Of the field, for `Box.field`.
    size : int
        Side in pixels.
    n : int
        How many at most, if they are picked.
    boxes : str or Path, optional
        List of boxes: all of them are taken.
    pixel_size : float, optional
        Å, for the check of the list.

    Returns
    -------
    Picked
        Boxes in pixels of the first exposure.

    Raises
    ------
    InputError
        If the field is smaller than a crop, or the list is not usable, or no window is.
    """
    image = field.exposures.mean(0)
    ny, nx = image.shape
    if min(ny, nx) < size:
        what = "the part that all exposures show" if len(field.exposures) > 1 else "the image"
        raise input_error(
            field.path, f"{what}, {nx} x {ny} pixels (x, y), is smaller than a crop of {size}"
        )
    top, left = field.origin
    notes = []
    usual = math.nan, math.nan
    if boxes is None:
        windows = score_windows(image, field.bad, size, MAX_BAD)
        usual = float(windows.contrast.median()), _clear(windows.rings)
        indices = [] if field.flat else pick_windows(windows, size, n)
        chosen = (
            _tiles(field, number, size)[:n]
            if field.flat
            else [
                Box(
                    number,
                    int(windows.corner[i, 0]) + top,
                    int(windows.corner[i, 1]) + left,
                    size,
                    *(float(v[i]) for v in (windows.contrast, windows.rings, windows.score)),
                )
                for i in indices
            ]
        )
        if not chosen:
            raise input_error(
                field.path,
                f"no window of {size} pixels is usable: bad pixels in all of them; give boxes",
            )
    else:
        # A list counts in pixels of the first exposure, of which `image` is a part.
        shape = (ny + top, nx + left)
        corners = read_boxes(boxes, field.name, pixel_size, size, shape)
        for y, x in corners:
            if y < top or x < left:
                raise input_error(
                    boxes, f"crop at {x} {y} is outside of what all exposures of {field.name} show"
                )
        chosen = [Box(number, y, x, size) for y, x in corners]
        spoilt = sum(bool(_share(field, box) > MAX_BAD) for box in chosen)
        if spoilt:
            notes.append(f"{field.name}: {spoilt} boxes have more than {MAX_BAD:.1%} bad pixels")
        if shared := _overlapping(corners, size):
            notes.append(
                f"{field.name}: {shared} of {len(corners)} crops overlap others: their noise "
                "counts more than once, and errors come out too small"
            )
    binning = max(1, -(-max(ny, nx) // _OVERVIEW))
    overview = avg_pool2d(image[None, None], binning)[0, 0]
    return Picked(field.name, overview, binning, field.origin, tuple(chosen), *usual, notes)


def _tiles(field: FieldOfView, number: int, size: int) -> list[Box]:
    """Side by side, with the good pixels that a crop needs: one part of a flat field is as good."""
    (ny, nx), (top, left) = field.exposures.shape[-2:], field.origin
    starts = (range(n % size // 2, n - size + 1, size) for n in (ny, nx))
    rows, columns = (list(each) for each in starts)
    boxes = [Box(number, y + top, x + left, size, score=0.0) for y in rows for x in columns]
    return [box for box in boxes if float(_share(field, box)) <= MAX_BAD]


def cut(field: FieldOfView, boxes: Sequence[Box]) -> Tensor:  # (e, n, y, x)
    """Crops of all exposures of a field."""
    top, left = field.origin
    crops = [
        field.exposures[
            :, box.y - top : box.y - top + box.size, box.x - left : box.x - left + box.size
        ]
        for box in boxes
    ]
    return torch.stack(crops, 1)


def _clear(rings: Tensor) -> float:
    """Median, or 0 if it is below three standard errors; one window in four is independent."""
    middle = rings.median()
    error = 1.4826 * 1.25 * (rings - middle).abs().median() * 2 / len(rings) ** 0.5
    return float(middle) if middle > 3 * error else 0.0


def _overlapping(corners: Sequence[tuple[int, int]], size: int) -> int:
    """Count the crops that share pixels with another one."""
    corner = torch.tensor(corners)
    return sum(int(((corner - one).abs() < size).all(-1).sum()) > 1 for one in corner)


def _share(field: FieldOfView, box: Box) -> Tensor:
    """Fraction of bad pixels in a box."""
    y, x = box.y - field.origin[0], box.x - field.origin[1]
    return field.bad[y : y + box.size, x : x + box.size].double().mean()
