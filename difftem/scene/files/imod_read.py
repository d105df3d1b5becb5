"""IMOD's and SerialEM's files of a tilt series: angles (.tlt, .rawtlt, .mdoc), transforms (.xf)."""

import math
import re
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from difftem.io.account import counted, give_account
from difftem.io.errors import input_error
from difftem.io.text import read_text

_STEEPEST_DEG = 180.0
# Within it no series is of use in degrees, and all are in radians.
_RADIANS = math.pi / 2 + 0.02


@dataclass(frozen=True, eq=False)
class StageTilts:
    """Tilts, and what else a file of them says.

    Attributes
    ----------
    tilts_deg : Tensor
        In degrees, ``(n_tilts,)``.
    tilt_axis_deg : float or None
        Direction of the axis, counter-clockwise from x.
    pixel_size : float or None
        Å.
    """

    tilts_deg: Tensor
    tilt_axis_deg: float | None = None
    pixel_size: float | None = None


def read_tilts(path: str | Path) -> StageTilts:
    """Read the angles of a tilt series in the order of its images.

    Parameters
    ----------
    path : str or Path
        SerialEM's ``.mdoc``, or text with an angle in degrees on each line.

    Returns
    -------
    StageTilts
        In any order; of an ``.mdoc`` with the axis and the pixel size where it has them.

    Raises
    ------
    InputError
        If there is no angle, one is no number or beyond 180°, or they look like radians.
    """
    path = Path(path)
    found = _read_mdoc(path) if path.suffix.lower() == ".mdoc" else _read_lines(path)
    steepest = float(found.tilts_deg.abs().max())
    if steepest > _STEEPEST_DEG:
        raise input_error(path, f"an angle of {steepest:g}°, at most 180° are allowed")
    if len(found.tilts_deg) > 2 and 0 < steepest <= _RADIANS:
        raise input_error(
            path,
            f"angles of at most {steepest:.4g}: are they in radians? Degrees are expected",
        )
    lowest, highest = float(found.tilts_deg.min()), float(found.tilts_deg.max())
    taken = [counted(len(found.tilts_deg), "angle"), f"{lowest:g}° to {highest:g}°"]
    if not _is_sorted(found.tilts_deg):
        taken.append("in no order")
    if found.tilt_axis_deg is not None:
        taken.append(f"tilt axis at {found.tilt_axis_deg:g}° from x")
    give_account(path, taken)
    return found


def read_xf(
    path: str | Path,
    shape: tuple[int, int],
) -> tuple[Tensor, Tensor]:  # (n, 2, 2), (n, 2) pixels
    """Read transforms, and turn them around: where aligned images lie in those that were taken.

    Parameters
    ----------
    path : str or Path
        IMOD's ``.xf``: six numbers a line, A11 A12 A21 A22 DX DY.
    shape : tuple of int
        Rows and columns (y, x) of the images, aligned and not.

    Returns
    -------
    matrices, shifts : Tensor
        M and s of M a + s, from pixel n // 2; see `difftem.tomography.geometry`.

    Raises
    ------
    InputError
        If a line has other than six numbers, or a transform cannot be turned around.

    References
    ----------
    IMOD's manual, pages of xfinfo and newstack.
    """
    path = Path(path)
    rows = [_numbers(path, number, line, 6) for number, line in _lines(path)]
    table = torch.tensor(rows, dtype=torch.float64)
    matrices = table[:, :4].reshape(-1, 2, 2)
    flat = (torch.linalg.det(matrices).abs() < 1e-3).nonzero()
    if len(flat):
        raise input_error(path, f"line {int(flat[0]) + 1}: a transform that flattens the image")
    back = torch.linalg.inv(matrices)
    # From IMOD's middle, n / 2 from the image's edge, to the middle of pixel n // 2.
    to_origin = torch.tensor([n // 2 - (n - 1) / 2 for n in reversed(shape)], dtype=torch.float64)
    moved = (back @ (to_origin - table[:, 4:])[..., None]).squeeze(-1) - to_origin
    give_account(path, [counted(len(rows), "transform")])
    return back, moved


def _is_sorted(tilts: Tensor) -> bool:
    steps = tilts.diff()
    return bool((steps >= 0).all() or (steps <= 0).all())


def _read_lines(path: Path) -> StageTilts:
    """One angle a line."""
    angles = [_numbers(path, number, line, 1)[0] for number, line in _lines(path)]
    return StageTilts(torch.tensor(angles, dtype=torch.float64))


def _read_mdoc(path: Path) -> StageTilts:
    """TiltAngle of each section, RotationAngle and PixelSpacing of the first that has them."""
    text = read_text(path)
    head, *sections = re.split(r"^\[ZValue\s*=.*$", text, flags=re.MULTILINE)
    angles = [_entry(path, section, "TiltAngle") for section in sections]
    if not sections or None in angles:
        which = next((i for i, each in enumerate(angles) if each is None), 0)
        missing = f"section [ZValue = {which}] has no TiltAngle" if sections else "no [ZValue = ..]"
        raise input_error(path, f"{missing}: not the .mdoc of a tilt series")
    axis = _entry(path, sections[0], "RotationAngle")
    if axis is None:
        told = re.search(r"Tilt axis angle\s*=\s*([-+0-9.]+)", head)
        axis = None if told is None else float(told[1]) + 90.0
    pixel_size = _entry(path, head, "PixelSpacing") or _entry(path, sections[0], "PixelSpacing")
    tilts = torch.tensor([each or 0.0 for each in angles], dtype=torch.float64)
    return StageTilts(tilts, axis, pixel_size or None)


def _entry(path: Path, text: str, name: str) -> float | None:
    """Take a number of a section."""
    found = re.search(rf"^{name}\s*=\s*(\S+)\s*$", text, flags=re.MULTILINE)
    if found is None:
        return None
    try:
        value = float(found[1])
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise input_error(path, f"{name} must be a number, got {found[1]!r}")
    return value


def _lines(path: Path) -> list[tuple[int, str]]:
    """Lines that hold something, with their numbers."""
    numbered = enumerate(read_text(path).splitlines(), start=1)
    lines = [(number, line) for number, line in numbered if line.strip()]
    if not lines:
        raise input_error(path, "is empty, expected a line for each image")
    return lines


def _numbers(path: Path, number: int, line: str, count: int) -> list[float]:
    """Take so many numbers of a line."""
    words = line.split()
    try:
        values = [float(word) for word in words]
    except ValueError:
        values = []
    if len(values) != count or not all(map(math.isfinite, values)):
        many = "a number" if count == 1 else f"{count} numbers"
        raise input_error(path, f"line {number}: expected {many}, got {line.strip()[:40]!r}")
    return values
