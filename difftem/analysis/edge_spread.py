"""MTF of a slanted knife edge: edge found, spread sampled below the pixel, transformed."""

import math
from typing import NamedTuple

import torch
from torch import Tensor

_PASSES = 4
_CENTROID_WINDOW = 16.0  # pixels on each side of the edge


class EdgeMTF(NamedTuple):
    """What a slanted edge gives."""

    frequency: Tensor
    """Cycles/pixel, 0 to 0.5."""
    mtf: Tensor
    """Relative to zero frequency."""
    distance: Tensor
    """Of the bins of the edge spread function, pixels along the normal."""
    edge_spread: Tensor
    """Mean grey value in each bin; dark is before bright."""
    angle: float
    """Between the edge and the nearest pixel axis, rad, with sign."""


def slanted_edge_mtf(
    image: Tensor,  # (y, x)
    *,
    oversampling: int = 4,
    half_width: float = 24.0,  # pixels
    n_frequencies: int = 101,
    divide_pixel: bool = False,
) -> EdgeMTF:
    """Measure the MTF across a straight edge that is inclined to the pixel axes.

    The edge's place in each row is the centroid of the row's derivative; a line through them
    gives angle and place. Pixels are sorted into bins of 1/`oversampling` pixel along the normal
    (edge spread), differences of neighbouring bins (line spread) are tapered at their outer
    quarters and transformed. Bins and differences blur: each by a box of known width, whose
    sinc is divided out.

    The curve is the MTF along the edge's normal, the pixel's aperture included. difftem's
    detectors count per pixel before they blur: their H lacks the aperture,
    sinc(ω cos θ) sinc(ω sin θ), and `divide_pixel` takes it off.

    Parameters
    ----------
    image : Tensor
        One edge through its middle, dark on one side, bright on the other; rows must cross it
        (or columns, which is detected), at an angle of 1 to 20 degrees to the axis.
    oversampling : int
        Bins per pixel.
    half_width : float
        Of the edge spread, in pixels: as far as the detector scatters.
    n_frequencies : int
        Points of the curve.
    divide_pixel : bool
        Divide by the aperture of a square pixel.

    Returns
    -------
    EdgeMTF
        In float64.

    Raises
    ------
    ValueError
        If there is no edge, or it is not inclined by 1 to 20 degrees.

    References
    ----------
    ISO 12233 (2017), annex D; Burns, IS&T PICS (2000) 135.
    """
    grey = image.double()
    if grey.ndim != 2 or min(grey.shape) < 2 * half_width:
        raise ValueError(
            f"a knife edge needs an image of {2 * half_width:g} pixels or more on each side, got "
            f"{tuple(grey.shape)}"
        )
    across = (grey.mean(0).diff() ** 2).sum(), (grey.mean(1).diff() ** 2).sum()
    if across[1] > across[0]:  # the edge lies along x
        grey = grey.T
    steps = grey.shape[1] // 8
    if grey[:, :steps].mean() > grey[:, -steps:].mean():
        grey = grey.flip(1)
    slope, place = _edge_line(grey)
    angle = math.atan(slope)
    if not math.radians(1) <= abs(angle) <= math.radians(20):
        raise ValueError(
            f"the edge must be inclined by 1 to 20 degrees to a pixel axis, got "
            f"{math.degrees(angle):.2f}"
        )
    y, x = (torch.arange(n, dtype=torch.float64, device=grey.device) for n in grey.shape)
    normal = (x - (place + slope * y[:, None])) * math.cos(angle)
    distance, spread = _edge_spread(normal, grey, oversampling, half_width)
    frequency = torch.linspace(0.0, 0.5, n_frequencies, dtype=torch.float64, device=grey.device)
    line = spread.diff() * _taper(len(spread) - 1, grey)
    middle = 0.5 * (distance[1:] + distance[:-1])
    phase = -2 * math.pi * frequency[:, None] * middle
    transform = torch.complex(torch.cos(phase), torch.sin(phase)) @ line.to(torch.complex128)
    mtf = transform.abs() / transform.abs()[0]
    mtf = mtf / torch.sinc(frequency / oversampling) ** 2  # bin and difference
    if divide_pixel:
        aperture = torch.sinc(frequency * math.cos(angle)) * torch.sinc(frequency * math.sin(angle))
        mtf = mtf / aperture
    return EdgeMTF(frequency, mtf, distance, spread, angle)


def _edge_line(grey: Tensor) -> tuple[float, float]:
    """Fit x = place + slope y to the centroids of the rows' derivatives."""
    rows = torch.arange(grey.shape[0], dtype=torch.float64, device=grey.device)
    derivative = grey.diff(dim=1)
    at = torch.arange(derivative.shape[1], dtype=torch.float64, device=grey.device) + 0.5
    # The mean of all rows finds the edge among noise; its whole width is searched at first.
    slope, place = 0.0, float((derivative.mean(0) * at).sum() / derivative.mean(0).sum())
    if not math.isfinite(place):
        raise ValueError("there is no edge in the image: both sides are equally bright")
    width = float(derivative.shape[1])
    for step in range(_PASSES):
        window = _CENTROID_WINDOW + (width / 2 if step == 0 else 0.0)
        offset = at - (place + slope * rows[:, None])
        weight = derivative * torch.clamp(1 - (offset / window) ** 2, min=0.0)
        total = weight.sum(1)
        good = total > 0.5 * total.median()
        if int(good.sum()) < len(rows) // 2:
            raise ValueError("there is no straight edge across the image")
        centroid = (weight * at).sum(1)[good] / total[good]
        design = torch.stack([torch.ones_like(rows[good]), rows[good]], 1)
        fitted = torch.linalg.lstsq(design, centroid[:, None]).solution.flatten()
        place, slope = float(fitted[0]), float(fitted[1])
    return slope, place


def _edge_spread(
    normal: Tensor, grey: Tensor, oversampling: int, half_width: float
) -> tuple[Tensor, Tensor]:
    """Mean grey value and mean distance in bins along the normal."""
    n = int(2 * half_width * oversampling)
    index = torch.floor((normal + half_width) * oversampling).long().flatten()
    inside = (index >= 0) & (index < n)
    zeros = torch.zeros(n, dtype=torch.float64, device=grey.device)
    count = zeros.index_add(0, index[inside], torch.ones_like(normal.flatten()[inside]))
    total = zeros.index_add(0, index[inside], grey.flatten()[inside])
    if bool((count == 0).any()):
        raise ValueError(
            "the edge leaves bins of its spread empty: it must be longer, more inclined, or "
            f"sampled by less than {oversampling} bins per pixel"
        )
    center = (torch.arange(n, dtype=torch.float64, device=grey.device) + 0.5) / oversampling
    return center - half_width, total / count


def _taper(n: int, like: Tensor) -> Tensor:
    """One in the middle half, falling to zero at both ends."""
    position = (torch.arange(n, dtype=torch.float64, device=like.device) + 0.5) / n
    edge = torch.clamp(torch.minimum(position, 1 - position) * 4, max=1.0)
    return torch.sin(0.5 * torch.pi * edge) ** 2
