"""MTF of a slanted knife edge: edge found, spread sampled below the pixel, curve fitted."""

import math
from typing import NamedTuple

import torch
from torch import Tensor

from difftem.analysis.edge_curve import fit_edge_spread

_PASSES = 4
_CENTROID_WINDOW = 16.0  # pixels on each side of the edge
_MIN_SIDE = 48  # pixels
_ANGLE_ERROR = 0.1  # degrees
_NEAR, _DENSE = 4.0, 16.0  # pixels from the edge that must be, and are, sampled below the pixel
_BINS, _FEWEST = 8, 4  # per pixel there: used, and needed
_SIDES = 8.0  # pixels from the edge where its sides begin
_BLUR = 2.0  # pixels over which the noise changes from one side's to the other's
_LEAST_NOISE = 0.05  # of the noisier side's: no side's tail is trusted more, whatever its noise


class EdgeMTF(NamedTuple):
    """What a slanted edge gives.

    Examples
    --------
    >>> import math
    >>> import torch
    >>> from difftem.analysis.edge_spread import slanted_edge_mtf
    >>> from difftem.micrograph.edge import distance
    >>> image = (distance((64, 64), angle_deg=5.0) < 0).float()
    >>> round(math.degrees(abs(slanted_edge_mtf(image).angle)), 1)  # to the nearest pixel axis
    5.0
    """

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
    half_width: float = 96.0,  # pixels
    n_frequencies: int = 101,
    divide_pixel: bool = False,
) -> EdgeMTF:
    """Measure the MTF across a straight edge that is inclined to the pixel axes.

    The edge's place in each row is the centroid of the row's derivative; a line through them
    gives angle and place. Pixels are sorted into bins along the normal, eighths of a pixel near
    the edge (edge spread), and the curve is fitted whose edge spread agrees with theirs
    (`difftem.analysis.edge_curve.fit_edge_spread`).

    The curve is the MTF along the edge's normal, the pixel's aperture included. difftem's
    detectors count per pixel before they blur: their H lacks the aperture,
    sinc(ω cos θ) sinc(ω sin θ), and `divide_pixel` takes it off.

    Parameters
    ----------
    image : Tensor
        One edge through its middle, dark on one side, bright on the other; rows must cross it
        (or columns, which is detected), at an angle of 1 to 20 degrees to the axis.
    half_width : float
        Of the edge spread, in pixels: as far as the detector scatters, where the image has it.
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

    Examples
    --------
    >>> import torch
    >>> from difftem.analysis.edge_spread import slanted_edge_mtf
    >>> from difftem.micrograph.edge import distance
    >>> sigma = 1.0  # pixel: a Gaussian blur, of which the edge spread is an error function
    >>> image = torch.erfc(distance((96, 96), angle_deg=5.0) / sigma / 2**0.5)
    >>> found = slanted_edge_mtf(image, n_frequencies=11)
    >>> truth = torch.exp(-2 * (torch.pi * sigma * found.frequency) ** 2)
    >>> bool((found.mtf - truth).abs().max() < 0.02)
    True
    """
    grey = image.double()
    if grey.ndim != 2 or min(grey.shape) < _MIN_SIDE:
        raise ValueError(
            f"a knife edge needs an image of {_MIN_SIDE} pixels or more on each side, got "
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
    # What noise makes of an edge of 1 or 20 degrees is still one.
    if not math.radians(1 - _ANGLE_ERROR) <= abs(angle) <= math.radians(20 + _ANGLE_ERROR):
        raise ValueError(
            f"the edge must be inclined by 1 to 20 degrees to a pixel axis, got "
            f"{math.degrees(angle):.2f}"
        )
    y, x = (torch.arange(n, dtype=torch.float64, device=grey.device) for n in grey.shape)
    normal = (x - (place + slope * y[:, None])) * math.cos(angle)
    distance, spread, variance = _edge_spread(normal.flatten(), grey.flatten(), half_width)
    frequency = torch.linspace(0.0, 0.5, n_frequencies, dtype=torch.float64, device=grey.device)
    mtf = fit_edge_spread(distance, spread, variance, frequency)
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
    normal: Tensor,  # (n,) pixels
    grey: Tensor,  # (n,)
    half_width: float,
) -> tuple[Tensor, Tensor, Tensor]:
    """Mean distance, mean grey value and its variance in bins along the normal."""
    near = torch.floor(normal[normal.abs() < _NEAR] * _FEWEST)
    if len(torch.unique(near)) < 2 * _NEAR * _FEWEST:
        raise ValueError(
            "the edge leaves bins of its spread empty: it must be longer, or more inclined to the "
            "pixel axes"
        )
    inside = normal.abs() < half_width
    normal, grey = normal[inside], grey[inside]
    width = torch.where(normal.abs() < _DENSE, 1 / _BINS, 1.0)
    bins = torch.floor(normal / width) * width
    _, index = torch.unique(bins, return_inverse=True)
    zeros = torch.zeros(int(index.max()) + 1, dtype=torch.float64, device=grey.device)
    count = zeros.index_add(0, index, torch.ones_like(grey))
    distance = zeros.index_add(0, index, normal) / count
    spread = zeros.index_add(0, index, grey) / count
    dark, bright = (grey[side].var() for side in (normal < -_SIDES, normal > _SIDES))
    # Of the place, not of the values: a bin that counts less because it is low makes a bias.
    noise = dark + (bright - dark) * torch.sigmoid(distance / _BLUR)
    least = _LEAST_NOISE * float(torch.maximum(dark, bright)) + 1e-300
    return distance, spread, noise.nan_to_num(least).clamp(min=least) / count
