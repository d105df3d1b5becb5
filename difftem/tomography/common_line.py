"""The line that all tilts have in common: their sums across the tilt axis are the same."""

import math
from itertools import pairwise

import torch
from torch import Tensor

_LOWEST, _HIGHEST = 1.5, 0.25  # cycles over the profile; cycles/pixel
_FINE = 4  # lags to a quarter of a pixel
_REACH = 6  # pixels that neighbours may be off along the axis
_PASSES = 2


def common_lines(
    views: Tensor,  # (n_tilts, n, n)
    tilts: Tensor,  # (n_tilts,) rad
) -> Tensor:  # (n_tilts, k) complex
    """Spectra of the sums across the axis, shifted onto each other along it.

    Parameters
    ----------
    views : Tensor
        Turned until the axis is y: of `flat_view`, with tilts of 0 for an object with nothing
        around it.
    tilts : Tensor
        In rad, in any order.

    Returns
    -------
    Tensor
        Half-whitened, each of norm 1.

    References
    ----------
    Liu, Penczek, McEwen & Frank, Ultramicroscopy 58 (1995) 393.
    """
    side = views.shape[-1]
    frequency = torch.fft.rfftfreq(side).to(views)
    band = (frequency * side > _LOWEST) & (frequency < _HIGHEST)
    spectra = torch.fft.rfft(views.sum(-1)) * band
    spectra = spectra / spectra.abs().clamp_min(1e-30).sqrt()
    spectra = spectra / spectra.abs().square().sum(1, keepdim=True).sqrt().clamp_min(1e-30)
    order = tilts.argsort().tolist()
    start = len(order) // 2
    lags = torch.zeros(len(tilts)).to(views)
    for side_of in (order[start:], order[start::-1]):
        for near, far in pairwise(side_of):
            lags[far] = lags[near] + _lag(spectra[near], spectra[far], side)

    def moved() -> Tensor:
        turn = 2 * math.pi * frequency * lags[:, None]
        return spectra * torch.polar(torch.ones_like(turn), turn)

    for _ in range(_PASSES):
        here = moved()
        lags = lags + _lag(here.sum(0) - here, here, side)
    return moved()


def likeness(
    lines: Tensor,  # (n_tilts, k) complex
) -> float:
    """Mean correlation of all pairs of lines.

    Parameters
    ----------
    lines : Tensor
        Of `common_lines`.

    Returns
    -------
    float
        1 where they are the same.
    """
    own = float(lines.abs().square().sum())
    both = float(lines.sum(0).abs().square().sum())
    return (both - own) / ((len(lines) - 1) * own) if own > 0 else 0.0


def _lag(first: Tensor, second: Tensor, side: int) -> Tensor:
    """Pixels by which one profile lies further than another."""
    correlation = torch.fft.irfft(first.conj() * second, n=_FINE * side)
    reach = min(_FINE * _REACH, _FINE * side // 2 - 1)
    near = torch.cat([correlation[..., -reach:], correlation[..., : reach + 1]], -1)
    return (near.argmax(-1) - reach).to(correlation) / _FINE
