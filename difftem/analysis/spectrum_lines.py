"""Outliers of a periodogram: lines of a gain reference, peaks of a pattern."""

from typing import NamedTuple

import torch
from torch import Tensor

from difftem.analysis.noise_spectrum import half_grid_ordinates, squared_radius

_FALSE_POINTS = 0.01  # expected in a clean spectrum
_LINE_SIGMAS = 6.5
_MOSTLY = 0.2  # of a line are outliers by themselves: the line is one
_NEIGHBOURS = 4  # lines on each side that a line is compared with
_FIRST_RING = 3.0  # frequency steps; rings below have too few ordinates to judge


class SpectrumOutliers(NamedTuple):
    """Which frequencies belong to noise, and what else was found."""

    keep: Tensor
    """False at outliers, on the half grid."""
    points: int
    """Single frequencies, on no line."""
    rows: tuple[int, ...]
    """Rows of the half grid (0 is the axis of x)."""
    columns: tuple[int, ...]
    """Columns of the half grid (0 is the axis of y)."""

    @property
    def excluded(self) -> int:
        """Frequencies of the half grid that are left out."""
        return int((~self.keep).sum())


def spectrum_outliers(
    periodogram: Tensor,  # (y, x // 2 + 1)
    shape: tuple[int, int],
    n_crops: int = 1,
) -> SpectrumOutliers:
    """Find frequencies too strong to be noise.

    Each frequency is compared with the median of its ring: its power is Gamma distributed, and
    what a clean spectrum would show once in a hundred spectra is an outlier. Each row and column
    of the half grid is then compared as a whole with its neighbours, by 6.5 standard deviations:
    a residual of a gain reference is weak at every single frequency of an axis. Smooth
    anisotropy, as of Thon rings, is no line. The two innermost rings are never judged.

    Parameters
    ----------
    periodogram : Tensor
        Mean over crops on the half grid.
    shape : tuple of int
        ``(ny, nx)`` of the crops.
    n_crops : int
        Crops averaged.

    Returns
    -------
    SpectrumOutliers
        The mask and what was found.
    """
    device = periodogram.device
    radius = torch.sqrt(squared_radius(shape, device).double()) / max(shape)  # frequency steps
    judged = radius >= _FIRST_RING
    ratio = periodogram.double() / _ring_level(periodogram.double(), radius, n_crops)
    coefficients = torch.full_like(ratio, float(n_crops))
    for row in {0, shape[0] // 2} if shape[0] % 2 == 0 else {0}:
        for column in {0, shape[1] // 2} if shape[1] % 2 == 0 else {0}:
            coefficients[row, column] = 0.5 * n_crops
    chance = torch.special.gammaincc(coefficients, coefficients * ratio)
    single = judged & (chance < _FALSE_POINTS / float(judged.sum()))
    weight = half_grid_ordinates(shape, device) * judged * n_crops
    rows = _lines(ratio, weight, single, cyclic=True)
    columns = _lines(ratio.T, weight.T, single.T, cyclic=False)
    keep = ~single
    keep[list(rows)] &= ~judged[list(rows)]
    keep[:, list(columns)] &= ~judged[:, list(columns)]
    single[list(rows)] = False
    single[:, list(columns)] = False
    return SpectrumOutliers(keep, int(single.sum()), rows, columns)


def _ring_level(periodogram: Tensor, radius: Tensor, n_crops: int) -> Tensor:
    """Robust mean around each frequency, log-linear between rings two steps wide."""
    ring = (radius / 2).long().flatten()
    order = torch.argsort(ring, stable=True)
    counts = torch.bincount(ring)
    values, where = periodogram.flatten()[order], radius.flatten()[order]
    parts = zip(values.split(counts.tolist()), where.split(counts.tolist()), strict=True)
    medians, centers = zip(*[(p.median(), r.mean()) for p, r in parts if len(p)], strict=True)
    # Wilson and Hilferty's median of a Gamma distribution of mean 1.
    level = torch.stack(medians) / (1 - 1 / (9 * n_crops)) ** 3
    log_level = torch.log(level.clamp(min=torch.finfo(level.dtype).tiny))
    center = torch.stack(centers)
    i = torch.clamp(torch.searchsorted(center, radius.contiguous()), 1, len(center) - 1)
    t = torch.clamp((radius - center[i - 1]) / (center[i] - center[i - 1]), 0.0, 1.0)
    return torch.exp(log_level[i - 1] + t * (log_level[i] - log_level[i - 1]))


def _lines(ratio: Tensor, weight: Tensor, single: Tensor, *, cyclic: bool) -> tuple[int, ...]:
    """Rows that are mostly outliers, or whose rest stands out from the rows beside them."""
    mostly = (weight * single).sum(1) > _MOSTLY * weight.sum(1)
    weight = weight * ~single
    total = weight.sum(1)
    mean = (ratio * weight).sum(1) / total.clamp(min=1e-9)
    n = len(mean)
    shifts = [s for s in range(-_NEIGHBOURS, _NEIGHBOURS + 1) if s]
    index = torch.arange(n, device=mean.device)[:, None] + torch.tensor(shifts, device=mean.device)
    # At an end without neighbours beyond it, the inner ones count twice.
    mirrored = torch.where(index < n, index.abs(), 2 * (n - 1) - index)
    index = index % n if cyclic else mirrored
    beside = mean[index].median(1).values
    excess = (mean / beside.clamp(min=1e-300) - 1) * torch.sqrt(total)
    return tuple(torch.nonzero(mostly | (excess > _LINE_SIGMAS)).flatten().tolist())
