"""The noise of a camera over frequency, continued to zero, from rings of a spectrum."""

from dataclasses import dataclass
from itertools import pairwise

import torch
from torch import Tensor

from difftem.functional.mtf import tabulated
from difftem.micrograph.noise_rings import NoiseRings
from difftem.micrograph.smooth_curve import smooth_even_curve
from difftem.micrograph.told_noise import NoiseTransfer

LOWEST = 0.06  # cycles/pixel: below are specimen, ice and uneven illumination
_LOWEST_IN_DIFFERENCES = 0.02  # Hann's window spreads what is at zero so far
_HIGHER = (0.1, 0.14, 0.2)  # where a specimen reaches further
NYQUIST = 0.5
ICE_RING = (0.22, 0.31)  # cycles/Å: vitreous ice diffracts around 3.7 Å
_WHITE = 0.06  # of power: what is left beside the ring of ice, and by a gain reference
_BUMP = 0.04  # of power above a flat spectrum
_WIDEST_BUMP = 0.25  # of the rings
_EXCESS, _SIGMAS = 0.03, 3.0
_FEWEST_RINGS = 12
_TOLD_FROM, _TOLD_TO = 0.08, 0.47  # cycles/pixel
_CONTRADICTED = 0.3  # of ln power
# Part of the rise to zero frequency: what published cameras with a cusp there rise beyond it.
_CUSP = 0.5


@dataclass(frozen=True)
class NoiseCurve:
    """Noise power of a camera over frequency.

    Parameters
    ----------
    frequency : Tensor
        Cycles/pixel from 0 to the corner of the spectrum, shape ``(n,)``.
    power : Tensor
        Grey values squared, shape ``(n,)``.
    level_error : float
        Standard deviation of the power at zero frequency over that power: of the noise that was
        measured, and of how the curve is continued to zero.
    white : bool
        The power is the same at all frequencies.
    notes : list of str
        What was measured and what was left out, a line each.
    """

    frequency: Tensor
    power: Tensor
    level_error: float
    white: bool
    notes: list[str]

    @property
    def level(self) -> float:
        """Power at zero frequency, grey values squared."""
        return float(self.power[0])


def fit_noise_curve(
    rings: NoiseRings,
    pixel_size: float | None = None,  # Å
) -> NoiseCurve:
    """Draw a smooth radial curve through the noise, without specimen and ring of ice.

    It is measured from 0.06 cycles/pixel on, 0.02 in differences of exposures, and from 0.1, 0.14
    or 0.2 where rings below stand above the continued curve. Noise that stays within 6 % of one
    level, up to a bump of a few rings above it, is taken for white. Otherwise the curve is
    continued to zero as `smooth_even_curve` does it; the error has a part of that rise added.

    Parameters
    ----------
    rings : NoiseRings
        Measured.
    pixel_size : float, optional
        Å. Without it the ring of ice at 3.7 Å is not known, and stays in a curve that is not white.

    Returns
    -------
    NoiseCurve
        On the frequencies of the rings and 0.
    """
    notes = []
    keep = torch.ones_like(rings.frequency, dtype=torch.bool)
    if pixel_size is not None:
        low, high = (edge * pixel_size for edge in ICE_RING)
        keep = (rings.frequency < low) | (rings.frequency > high)
        if not bool(keep.all()):
            notes.append(f"the ring of ice, {low:.2f} to {high:.2f} cycles/pixel, is left out")
    lowest = _first_without_specimen(rings, keep)
    notes.insert(0, f"noise is measured from {lowest:g} cycles/pixel on")
    keep &= rings.frequency >= lowest
    out = torch.cat([rings.frequency.new_zeros(1), rings.frequency])
    flat, flat_error, bump = _flat(rings, keep)
    if bump is not None:
        rest = keep & ~bump
        if bool(bump.any()):
            at = rings.frequency[bump]
            notes.append(
                f"a bump at {float(at[0]):.2f} to {float(at[-1]):.2f} cycles/pixel above white "
                "noise is left out" + (": probably the ring of ice" if pixel_size is None else "")
                # With a pixel size the ring is known, and left out already.
            )
        curve, _ = _smooth(rings, rest, out)
        inside = (out >= lowest) & (out <= NYQUIST)
        if float((curve - flat.log())[inside].abs().max()) < _WHITE:
            return NoiseCurve(out, flat.expand_as(out), flat_error, True, notes)
    curve, error = _smooth(rings, keep, out)
    start = int(torch.searchsorted(out, lowest))
    rise = float((curve[0] - curve[start]).clamp(min=0.0))
    level_error = float(torch.hypot(error[0], error.new_tensor(_CUSP * rise)))
    notes.append("the level of the noise is its power continued to zero frequency")
    return NoiseCurve(out, curve.exp(), level_error, False, notes)


def follow_told_curve(
    rings: NoiseRings,
    own: NoiseCurve,
    told: NoiseTransfer,
) -> tuple[NoiseCurve, str | None]:
    """Fit the level of a noise whose colour is told.

    Parameters
    ----------
    rings : NoiseRings
        Measured.
    own : NoiseCurve
        From the same rings alone.
    told : NoiseTransfer
        Up to its end, or 0.47 cycles/pixel where cameras alias; beyond, the own curve goes on.

    Returns
    -------
    curve : NoiseCurve
        With the told colour.
    problem : str or None
        One line where the noise contradicts it: it is off by 30 % of power or more.
    """
    transfer = tabulated(own.frequency, told.frequency, told.value).square()
    ratio = (own.power / transfer.clamp(min=1e-12)).log()
    end = min(_TOLD_TO, float(told.frequency[-1]))
    compared = (own.frequency >= _TOLD_FROM) & (own.frequency <= end)
    level = ratio[compared].mean()
    off = ratio[compared] - level
    worst = int(off.abs().argmax())
    if float(off[worst].abs()) > _CONTRADICTED:
        at = float(own.frequency[compared][worst])
        return own, (
            f"{told.source} tells noise that falls to {float(transfer[compared][-1]):.2g} of its "
            f"power at {end:.2f} cycles/pixel, that of the micrograph falls to "
            f"{float(own.power[compared][-1] / own.power[0]):.2g} (off by a factor of "
            f"{float(off[worst].abs().exp()):.2g} at {at:.2f}): it is not this camera's noise, and "
            "the micrograph's own is used (an MTF of the signal is not the curve of the noise)"
        )
    power = torch.where(own.frequency <= end, level.exp() * transfer, own.power)
    spread = float(off.square().mean().sqrt())
    error = (float((rings.relative_error[compared[1:]] ** -2).sum()) ** -1 + spread**2 / 3) ** 0.5
    white = bool((transfer[own.frequency <= end] - 1).abs().max() < _WHITE)
    notes = [*own.notes, f"{told.source} is followed within {100 * spread:.1f} % rms of power"]
    return NoiseCurve(own.frequency, power, error, white, notes), None


def _smooth(rings: NoiseRings, keep: Tensor, at: Tensor) -> tuple[Tensor, Tensor]:
    """Logarithm of the power at given frequencies, with its error."""
    frequency, power, error = rings.frequency[keep], rings.power[keep], rings.relative_error[keep]
    return smooth_even_curve(frequency, power.log(), error, at)


def _first_without_specimen(rings: NoiseRings, keep: Tensor) -> float:
    """Lowest frequency below whose rings do not stand above the curve through those above."""
    start = _LOWEST_IN_DIFFERENCES if rings.differences else LOWEST
    starts = [start, *(q for q in (LOWEST, *_HIGHER) if q > start)]
    for low, high in pairwise(starts):
        above = keep & (rings.frequency >= high)
        below = keep & (rings.frequency >= low) & (rings.frequency < high)
        if int(above.sum()) < _FEWEST_RINGS or not bool(below.any()):
            return low
        curve, error = _smooth(rings, above, rings.frequency[below])
        excess = rings.power[below].log() - curve
        weight = rings.relative_error[below] ** -2
        mean = float((weight * excess).sum() / weight.sum())
        spread = float(torch.hypot(weight.sum() ** -0.5, error.mean()))
        if mean < max(_EXCESS, _SIGMAS * spread):
            return low
    return starts[-1]


def _flat(rings: NoiseRings, keep: Tensor) -> tuple[Tensor, float, Tensor | None]:
    """Level of white noise, its error, and what stands above it; None if that is too much."""
    level = rings.power[keep].median()
    for _ in range(2):
        excess = rings.power / level - 1
        bump = keep & (excess > torch.clamp(_SIGMAS * rings.relative_error, min=_BUMP))
        bump &= rings.frequency < NYQUIST
        weight = torch.where(keep & ~bump, rings.relative_error**-2, 0.0)
        if int(bump.sum()) > _WIDEST_BUMP * int(keep.sum()):
            return level, 0.0, None
        level = (weight * rings.power).sum() / weight.sum()
    return level, float(weight.sum() ** -0.5), bump
