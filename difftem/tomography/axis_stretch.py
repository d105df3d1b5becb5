r"""How far a tilt axis is off, from how images of different tilts are stretched against each other.

If the axis is taken δ wrong, a place (X, Y) of a flat sample is found at

.. math:: (X - \delta\, Y / \cos\theta,\ Y + \delta\, X \cos\theta)

in the flat view of tilt θ: views of different tilts are sheared against each other by δ. Each is
held against what the others, of nearly the same tilt, predict; the shear that fits best is 0 at the
true axis, whatever the noise and whatever direction has most contrast.
"""

import math
from typing import NamedTuple

import torch
from torch import Tensor

from difftem.functional.grid import frequency_grid, radius
from difftem.tomography.flat_view import disc

_LOWEST = 2.0  # cycles over the view
_HIGHEST = 0.2  # cycles/pixel
_REACH = 4  # pixels that a view may be off
_PASSES = 2
_FEW = 1e-6


class ShearFit(NamedTuple):
    """Least-squares fit of the shear, tilt by tilt: its estimate is slope / weight."""

    slope: Tensor  # (n_tilts,) rad
    weight: Tensor  # (n_tilts,)

    def shear(self, chosen: Tensor | slice = slice(None)) -> float:
        """Shear in rad of all tilts, or of those that are chosen."""
        weight = float(self.weight[chosen].sum())
        return float(self.slope[chosen].sum()) / weight if weight > 0 else 0.0


def shear_fit(
    views: Tensor,  # (n_tilts, n, n)
    tilts: Tensor,  # (n_tilts,) rad
    thickness: float,  # pixels
) -> ShearFit:
    r"""Fit the shear of each view against the mean of the others.

    Views of tilts θ and θ' agree up to frequencies across the axis of about
    1 / (t |tan θ - tan θ'|), so the others are weighted by
    :math:`\exp(-(\pi k_x t \Delta\tan)^2 / 6)`. Shifts and a factor are fitted with it.

    Parameters
    ----------
    views : Tensor
        Of `flat_view`.
    tilts : Tensor
        θ in rad, within ±90°.
    thickness : float
        t, of the sample.

    Returns
    -------
    ShearFit
        Of each tilt.
    """
    n, side = views.shape[:2]
    ky, kx = frequency_grid((side, side), 1.0, half=True, dtype=views.dtype)
    spectra = _whitened(torch.fft.rfft2(views), radius((ky, kx)), side)
    apart = (tilts.tan()[:, None] - tilts.tan()).to(views)
    alike = torch.exp(-((math.pi * thickness * kx[0, :, None, None] * apart) ** 2) / 6)
    alike = alike * (1 - torch.eye(n))  # (kx, n, n)
    total = alike.sum(2).mT[:, None]  # (n, 1, kx)
    trust = total / (total + 1)
    for left in range(_PASSES, -1, -1):
        others = torch.einsum("kts,syk->tyk", alike.to(spectra.dtype), spectra)
        others = others / total.clamp_min(_FEW)
        if left:
            spectra = spectra * _shifted(others * trust, spectra, ky, kx)

    def real(spectrum: Tensor) -> Tensor:
        return torch.fft.irfft2(spectrum * trust, s=(side, side))

    predicted, seen = real(others), real(spectra)
    across, along = real(2j * math.pi * kx * others), real(2j * math.pi * ky * others)
    cos = tilts.cos().to(views)
    weight = alike[: max(2, round(_HIGHEST * side / 2))].mean(0)
    weight = weight / weight.sum(1, keepdim=True).clamp_min(_FEW)
    by_y, by_x = 1 / cos - weight @ (1 / cos), weight @ cos - cos
    axis = torch.arange(side).to(views) - side // 2
    pattern = by_y[:, None, None] * axis[:, None] * across + by_x[:, None, None] * axis * along
    nuisances = torch.stack([across, along, predicted], 1).flatten(2)
    left_over = _without((seen - predicted).flatten(1), nuisances)
    pattern = _without((pattern * disc(side).to(views)).flatten(1), nuisances)
    return ShearFit((pattern * left_over).sum(1).double(), pattern.square().sum(1).double())


def _whitened(spectra: Tensor, frequency: Tensor, side: int) -> Tensor:
    """Give all rings the same power up to the highest frequency, and all tilts the same."""
    ring = (frequency * side).round().long().flatten()
    power = spectra.abs().square().mean(0).flatten()
    sums = torch.zeros(int(ring.max()) + 1).to(power).index_add(0, ring, power)
    mean = sums / torch.bincount(ring).clamp_min(1)
    response = torch.exp(-((frequency / _HIGHEST) ** 2) / 2) * (frequency * side > _LOWEST)
    scaled = spectra * response / mean[ring].reshape(response.shape).sqrt().clamp_min(1e-30)
    return scaled / scaled.abs().square().sum((1, 2), keepdim=True).sqrt().clamp_min(1e-30)


def _shifted(reference: Tensor, spectra: Tensor, ky: Tensor, kx: Tensor) -> Tensor:
    """Phases that move each view onto its reference, by whole pixels."""
    side = reference.shape[1]
    correlation = torch.fft.irfft2(reference.conj() * spectra, s=(side, side))
    near = torch.arange(-_REACH, _REACH + 1) % side
    best = correlation[:, near][:, :, near].flatten(1).argmax(1)
    y, x = best // len(near) - _REACH, best % len(near) - _REACH
    turn = ky * y[:, None, None] + kx * x[:, None, None]
    return torch.polar(torch.ones_like(turn), 2 * math.pi * turn)


def _without(values: Tensor, nuisances: Tensor) -> Tensor:
    """Take off what a few patterns explain, row by row."""
    products = nuisances @ nuisances.mT
    size = torch.diagonal(products, dim1=1, dim2=2).clamp_min(1e-30)
    products = products + torch.diag_embed(_FEW * size)
    weights = torch.linalg.solve(products, nuisances @ values[..., None])
    return values - (nuisances.mT @ weights)[..., 0]
