"""The direction of the tilt axis, from the images alone."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise

import torch
from torch import Tensor
from torch.nn.functional import avg_pool2d

from difftem.tomography.alignment import correlated_shifts
from difftem.tomography.axis_stretch import ShearFit, shear_fit
from difftem.tomography.common_line import common_lines, likeness
from difftem.tomography.flat_view import flat_view, without_noise
from difftem.tomography.geometry import turns
from difftem.tomography.resample import align_image

ALL_DEG = 90.0  # to both sides: every direction
_SIDE = 128  # pixels that images are binned to, at most twice as many
_NOISE = 0.2  # cycles/pixel
_MIDDLE_DEG = 45.0  # directions from -45 to 135 degrees: a lying and an upright axis are inside
_STEP_DEG = 6.0
_NEAR_DEG = (-2.0, 0.0, 2.0)
_DIRECTIONS_DEG = (0.0, -30.0, 30.0, -60.0, 60.0, 90.0)
_LINES_DEG = 0.5, 3.0  # steps of the search by common lines, the last and the one before
_FEWEST, _STEEPEST_DEG = 6, 85.0  # tilts
_ROUNDS, _CLOSE_DEG = 4, 0.2
_GROUPS = 8  # of tilts that are left out one after the other
_SURE = 5.0  # standard deviations of the slope of the shear
_SPREAD_DEG = 5.0
_ALONE = 0.03  # variance beside an object, of the power within


@dataclass(frozen=True)
class AxisFound:
    """A tilt axis and how well it is known.

    Attributes
    ----------
    axis_deg : float
        Direction in the images, counter-clockwise from x. It is known but for 180°.
    sd_deg : float
        Standard deviation.
    halves_deg : tuple of float
        What every other tilt gives, and the rest.
    method : str
        ``common lines`` of an object with nothing around it; ``stretch`` of a sample that goes on
        beyond the images.
    """

    axis_deg: float
    sd_deg: float
    halves_deg: tuple[float, float]
    method: str


def search_axis(
    images: Tensor,  # (n_tilts, y, x)
    tilts: Tensor,  # (n_tilts,) rad
    thickness: float,  # pixels
    centre_deg: float | None = None,
    range_deg: float = ALL_DEG,
) -> AxisFound:
    """Find the direction of the tilt axis.

    Views of the tilts, stretched as if the sample were flat, are sheared against each other by as
    much as the axis is off: the direction is sought where the shear goes through 0, all around
    first, then closely, with shifts found anew. For an object with nothing around it, which need
    not be flat, sums across the axis are compared instead (common lines).

    Parameters
    ----------
    images : Tensor
        0 where there is nothing; ``(n_tilts, y, x)``.
    tilts : Tensor
        In rad, in any order, within ±85°.
    thickness : float
        Of the sample in pixels, or more.
    centre_deg : float, optional
        Where to look; also which of two opposite directions is meant. Default: all directions,
        of which that from -45° to 135° is given.
    range_deg : float
        How far to both sides.

    Returns
    -------
    AxisFound
        The direction.

    Raises
    ------
    ValueError
        If none is found, in one line.

    References
    ----------
    Liu, Penczek, McEwen & Frank, Ultramicroscopy 58 (1995) 393.
    """
    if not 0 < range_deg <= ALL_DEG:
        raise ValueError(f"the range of axes must be above 0 and at most 90°, got {range_deg:g}")
    if len(tilts) < _FEWEST or float(tilts.abs().max()) > math.radians(_STEEPEST_DEG):
        raise ValueError(
            f"the tilt axis is searched for in at least {_FEWEST} tilts of at most "
            f"{_STEEPEST_DEG:g}°, got {len(tilts)} of up to "
            f"{math.degrees(float(tilts.abs().max())):.3g}°: tell it (--tilt-axis DEG)"
        )
    factor = max(1, min(images.shape[1:]) // _SIDE)
    small = without_noise(avg_pool2d(images.float(), factor), _NOISE)
    search = _Search(small / small.std().clamp_min(1e-30), tilts.double(), thickness / factor)
    middle = _MIDDLE_DEG if centre_deg is None else centre_deg
    if any(search.stands_alone(middle + by) for by in _DIRECTIONS_DEG if abs(by) <= range_deg):
        found = search.by_lines(search.likest(middle, range_deg))
    else:
        found = search.by_stretch(search.around(middle, range_deg))
    low, high = middle - range_deg, middle + range_deg
    if range_deg < ALL_DEG and not low <= found.axis_deg <= high:
        raise ValueError(
            f"no tilt axis from {low:g}° to {high:g}°: the best one, {found.axis_deg:.1f}°, is "
            "outside: search further, or tell the axis"
        )
    turns_over = 180.0 * round((middle - found.axis_deg) / 180.0)
    return AxisFound(
        found.axis_deg + turns_over,
        found.sd_deg,
        (found.halves_deg[0] + turns_over, found.halves_deg[1] + turns_over),
        found.method,
    )


class _Search:
    """Images, and what they say of an axis."""

    def __init__(self, images: Tensor, tilts: Tensor, thickness: float) -> None:
        self.images, self.tilts, self.thickness = images, tilts, thickness
        self.first_shifts = correlated_shifts(images, 1e-6 * tilts)  # nothing is known of stretches

    def around(self, middle: float, reach: float) -> float:
        """Direction at which the shear, summed up from the first direction on, is largest."""
        count = max(4, round(reach / _STEP_DEG))
        step = reach / count
        angles = [middle + step * i for i in range(-count, count + 1)]
        shears = [self.fit(angle, self.first_shifts).shear() for angle in angles]
        sums, total = [0.0], 0.0
        for first, second in pairwise(shears):
            total += (first + second) / 2
            sums.append(total)
        if reach == ALL_DEG:  # once around, nothing is left
            sums = [value - total * i / (len(sums) - 1) for i, value in enumerate(sums)]
        return angles[max(range(len(sums)), key=sums.__getitem__)]

    def near(self, axis: float) -> list[ShearFit]:
        """Fits next to an axis, with shifts that are found for it."""
        shifts = self.shifts(axis)
        return [self.fit(axis + by, shifts) for by in _NEAR_DEG]

    def fit(self, axis: float, shifts: Tensor) -> ShearFit:
        """Shear of the flat views."""
        views = flat_view(self.images, self.tilts, math.radians(axis), shifts)
        return shear_fit(views, self.tilts, self.thickness)

    def shifts(self, axis: float) -> Tensor:
        """By correlation, in the images as they are."""
        turn = turns(torch.tensor([math.radians(axis - 90.0)], dtype=torch.float64))[0]
        side = min(self.images.shape[1:])
        none = torch.zeros(2, dtype=torch.float64)
        turned = torch.stack([align_image(i, turn, none, (side, side)) for i in self.images])
        return correlated_shifts(turned, self.tilts) @ turn.mT

    def by_stretch(self, axis: float) -> AxisFound:
        """Find the place at which the shear is 0, and make sure that it depends on the axis."""
        fits = self.near(axis)
        for _ in range(_ROUNDS):
            zero, slope = _crossing(fits)
            if slope >= 0:
                break
            axis += max(-_STEP_DEG, min(_STEP_DEG, zero))
            fits = self.near(axis)
            if abs(zero) < _CLOSE_DEG:
                break
        slope = _crossing(fits)[1]
        left_out = [_crossing(fits, rest)[1] for rest in _rests(self.tilts.argsort())]
        if slope >= 0 or -slope < _SURE * _jackknife(left_out):
            raise ValueError(_nothing("images of different tilts are not stretched along any axis"))
        return self.judged(lambda chosen: axis + _crossing(fits, chosen)[0], "stretch")

    def judged(self, by: Callable[[Tensor], float], method: str) -> AxisFound:
        """Estimate with its uncertainty, by leaving tilts out and by halves of them."""
        order = self.tilts.argsort()
        halves = by(order[::2]), by(order[1::2])
        sd = max(_jackknife([by(rest) for rest in _rests(order)]), abs(halves[0] - halves[1]) / 2)
        if sd > _SPREAD_DEG:
            raise ValueError(
                _nothing(f"halves of the tilts say {halves[0]:.1f}° and {halves[1]:.1f}°")
            )
        return AxisFound(by(order), sd, halves, method)

    def stands_alone(self, axis: float) -> bool:
        """Whether there is nothing to both sides of the axis."""
        views = self.turned(axis, self.first_shifts)
        side = views.shape[-1]
        off = (torch.arange(side) - side // 2) / (side / 2)
        inner = (off.abs() < 0.3)[:, None] & (off.abs() < 0.3)
        rim = (off.abs() < 0.3)[:, None] & (off.abs() > 0.7) & (off.abs() < 0.8)
        there, nothing = views[:, inner], views[:, rim]
        power = (there - nothing.mean(1, keepdim=True)).square().mean()
        return float(nothing.var(1).mean()) < _ALONE * float(power)

    def turned(self, axis: float, shifts: Tensor) -> Tensor:
        """Images with the axis along y, not stretched."""
        return flat_view(self.images, 0 * self.tilts, math.radians(axis), shifts)

    def likest(self, middle: float, reach: float) -> float:
        """Direction in which sums across it are most alike, to a few degrees."""
        count = max(1, round(reach / _LINES_DEG[1]))
        angles = [middle + reach / count * i for i in range(-count, count + 1)]
        views = (self.turned(angle, self.first_shifts) for angle in angles)
        alike = [likeness(common_lines(each, self.tilts)) for each in views]
        return angles[max(range(len(alike)), key=alike.__getitem__)]

    def by_lines(self, axis: float) -> AxisFound:
        """Find the place near an axis at which sums across it are most alike."""
        step, reach = _LINES_DEG
        angles = torch.arange(axis - reach, axis + reach + step / 2, step, dtype=torch.float64)
        shifts = self.shifts(axis)
        lines = [common_lines(self.turned(a, shifts), self.tilts) for a in angles.tolist()]

        def best(chosen: Tensor) -> float:
            values = torch.tensor([likeness(each[chosen]) for each in lines], dtype=torch.float64)
            top = int(values.argmax())
            part = slice(max(0, top - 4), top + 5)
            away = angles[part] - angles[top]
            powers = torch.stack([away.square(), away, torch.ones_like(away)], 1)
            fit = torch.linalg.lstsq(powers, values[part, None]).solution[:, 0]
            vertex = float(-fit[1] / (2 * fit[0])) if float(fit[0]) < 0 else 0.0
            return float(angles[top]) + max(-2 * step, min(2 * step, vertex))

        return self.judged(best, "common lines")


def _crossing(
    fits: list[ShearFit], chosen: Tensor | slice = slice(None)
) -> tuple[float, float]:  # degrees, 1
    """Where the shear goes through 0, from the middle fit, and its slope."""
    away = torch.tensor(_NEAR_DEG, dtype=torch.float64)
    shear = torch.tensor([math.degrees(fit.shear(chosen)) for fit in fits], dtype=torch.float64)
    slope = float((away * shear).sum() / away.square().sum())
    return (-float(shear.mean()) / slope if slope else 0.0), slope


def _rests(order: Tensor) -> list[Tensor]:
    """Tilts without one group of them, for each group."""
    groups = min(_GROUPS, len(order))
    number = torch.arange(len(order))
    return [order[number % groups != group] for group in range(groups)]


def _jackknife(values: list[float]) -> float:
    """Return the standard deviation of an estimate, from those that left out a group each."""
    mean = sum(values) / len(values)
    return math.sqrt((1 - 1 / len(values)) * sum((value - mean) ** 2 for value in values))


def _nothing(why: str) -> str:
    return f"no tilt axis found: {why}: tell it (--tilt-axis DEG)"
