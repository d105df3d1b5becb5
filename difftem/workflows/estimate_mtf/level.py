"""The level of the noise, as it was told and as the noise itself has it."""

from dataclasses import replace

import torch

from difftem.data.crops import CropFacts
from difftem.tasks.mtf_fit import Measurement, MTFFitResult, fit_spectrum, mtf_family
from difftem.tasks.mtf_fit.continuation import MEASURED_FROM

_SIGMAS = 4.0
_LEAST = 0.03  # relative difference of levels that is worth a word
# Follow cameras that scatter far, as smooth as cameras are, and data without low frequencies.
_FREE, _EVEN = "rullgard", "even_spline_7"


def with_told_level(
    result: MTFFitResult,
    measured: Measurement,
    s0: float,
    read_noise: float | None,
) -> MTFFitResult:
    """Widen the band by a level that the noise contradicts, and say so.

    Parameters
    ----------
    result : MTFFitResult
        Fit with the level that gain, or dose and DQE(0), told.
    measured : Measurement
        What was fitted.
    s0 : float
        That level, grey values².
    read_noise : float or None
        As of the fit.

    Returns
    -------
    MTFFitResult
        The same where a fit of the level agrees with it, or the low frequencies that would tell
        are not there and the curve does not exceed 1.
    """
    lowest, highest = (float(measured.spectrum.frequency[i]) for i in (0, -1))
    above_one = result.curve - 1 - _SIGMAS * result.standard_error
    if lowest > MEASURED_FROM and float(above_one.max()) < _LEAST:
        return result
    free = [
        fit_spectrum(measured, mtf_family(name, highest), None, read_noise, 2, name)
        for name in dict.fromkeys((result.family, _FREE if lowest <= MEASURED_FROM else _EVEN))
    ]
    nearest = min(free, key=lambda each: abs(each.s0 - s0) / max(each.s0_error, 1e-12 * s0))
    if lowest <= MEASURED_FROM and abs(nearest.s0 - s0) < max(
        _SIGMAS * nearest.s0_error, _LEAST * s0
    ):
        return result
    apart = nearest.curve - result.curve
    text = (
        f"the noise has the level s0 = {nearest.s0:.4g} ± {nearest.s0_error:.2g}, gain x mean is "
        f"{s0:.4g}: the gain is that of counted electrons (dose x DQE(0)); the band holds both "
        "curves, without the gain there is the one of the noise alone"
    )
    return replace(
        result,
        curve_covariance=result.curve_covariance + torch.outer(apart, apart),
        warnings=(*result.warnings, text),
    )


def told_by_dose(result: MTFFitResult, facts: CropFacts, mean: float) -> list[str]:
    """Say which DQE(0) the dose and the fitted level of the noise make.

    Parameters
    ----------
    result : MTFFitResult
        Fit with a free level.
    facts : CropFacts
        With the gain per electron that reached the camera, where the dose was given.
    mean : float
        Grey value of the crops.

    Returns
    -------
    list of str
        A line, or none.
    """
    if facts.incident_gain is None or result.s0_error == 0:
        return []
    dqe0 = facts.incident_gain * mean / result.s0
    error = dqe0 * result.s0_error / result.s0
    line = (
        f"DQE(0) = {dqe0:.3f} ± {error:.3f}: the dose is what reached the camera, and the level of "
        "the noise, which tells how much of it was counted, is fitted; dqe0 fixes it"
    )
    if dqe0 - 3 * error > 1:
        line += "; more than 1 is impossible: the dose is too low, or an offset was not taken off"
    return [line]
