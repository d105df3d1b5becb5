"""Which part of a spectrum is the specimen's and not the detector's."""

from dataclasses import replace
from itertools import pairwise

import torch
from torch import Tensor

from difftem.analysis.noise_spectrum import RingSpectrum
from difftem.tasks.mtf_fit.families import fit_spectrum, mtf_family
from difftem.tasks.mtf_fit.inference import Measurement

STRUCTURE = 0.1  # cycles/pixel: ice and specimen reach that far in a single exposure
_BELOW = (0.0, 0.03, 0.06)  # bins whose power is compared with what the others tell
_EXCESS = 1.1  # of power; a smooth curve may be off by that where it is continued to zero
_SIGMAS = 4.0
_ICE_RING = (0.22, 0.31)  # cycles/Å


def usable_from(
    measured: Measurement,
    s0: float | None = None,
) -> float:
    """Tell from which frequency on a fit should start, 0 for a clean background.

    An even spline through the frequencies above 0.1 cycles/pixel is continued to zero. Where
    the power below is larger by more than a tenth and four standard deviations, that is
    structure: of the specimen, of ice, of uneven illumination.

    Parameters
    ----------
    measured : Measurement
        Over all frequencies.
    s0 : float, optional
        Known noise power at zero frequency.

    Returns
    -------
    float
        In cycles/pixel: 0 or 0.1.

    Examples
    --------
    >>> import torch
    >>> from difftem.tasks.mtf_fit import measure, usable_from
    >>> noise = 100 + 10 * torch.randn(4, 64, 64, generator=torch.Generator().manual_seed(0))
    >>> measured, s0 = measure(noise, noise.mean((1, 2)), gain=1.0)
    >>> usable_from(measured, s0)  # a clean background
    0.0
    """
    spectrum = measured.spectrum
    highest = float(spectrum.frequency[-1])
    if float(spectrum.frequency[0]) >= STRUCTURE or highest < 3 * STRUCTURE:
        return 0.0
    above = replace(measured, spectrum=restrict(spectrum, STRUCTURE))
    curve = mtf_family("even_spline_7", highest)
    level = fit_spectrum(above, curve, s0, n_starts=1).s0
    for low, high in pairwise(_BELOW):
        inside = (spectrum.frequency > low) & (spectrum.frequency <= high)
        weight = spectrum.ordinates[inside]
        if not len(weight):
            continue
        with torch.no_grad():
            expected = level * curve(spectrum.frequency[inside]) ** 2
        ratio = float((weight * spectrum.power[inside] / expected).sum() / weight.sum())
        if ratio > _EXCESS + _SIGMAS * float(weight.sum()) ** -0.5:
            return STRUCTURE
    return 0.0


def restrict(
    spectrum: RingSpectrum,
    lowest: float,  # cycles/pixel
) -> RingSpectrum:
    """Leave out the rings below a frequency.

    Examples
    --------
    >>> import torch
    >>> from difftem.tasks.mtf_fit import measure, restrict
    >>> noise = torch.randn(4, 64, 64, generator=torch.Generator().manual_seed(0))
    >>> measured, _ = measure(noise, torch.ones(4))
    >>> restrict(measured.spectrum, 0.1).frequency.min().item() >= 0.1
    True
    """
    return _kept(spectrum, spectrum.frequency >= lowest)


def without_ice_ring(
    spectrum: RingSpectrum,
    pixel_size: float,  # Å
) -> RingSpectrum:
    """Leave out the rings where vitreous ice diffracts: around 3.7 Å.

    The first peak of the structure factor of low-density amorphous ice lies at 1.7 rad/Å, or
    0.27 cycles/Å, and is some 0.08 wide; in counting images of ice it stands a tenth or more above
    the noise.

    Parameters
    ----------
    spectrum : RingSpectrum
        Of single exposures.
    pixel_size : float
        In Å.

    Returns
    -------
    RingSpectrum
        The same where the pixels are too large to see the ring.

    References
    ----------
    Dowell & Rinfret, Nature 188 (1960) 1144; Dubochet et al., Q. Rev. Biophys. 21 (1988) 129.

    Examples
    --------
    >>> import torch
    >>> from difftem.tasks.mtf_fit import measure, without_ice_ring
    >>> noise = torch.randn(4, 64, 64, generator=torch.Generator().manual_seed(0))
    >>> measured, _ = measure(noise, torch.ones(4))
    >>> kept = without_ice_ring(measured.spectrum, pixel_size=1.0)
    >>> len(kept.frequency) < len(measured.spectrum.frequency)
    True
    """
    low, high = (edge * pixel_size for edge in _ICE_RING)
    return _kept(spectrum, (spectrum.frequency < low) | (spectrum.frequency > high))


def _kept(spectrum: RingSpectrum, keep: Tensor) -> RingSpectrum:
    return RingSpectrum(spectrum.frequency[keep], spectrum.power[keep], spectrum.ordinates[keep])
