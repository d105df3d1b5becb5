"""Find the noise of a camera in a micrograph, and say where each number is from."""

import math
from dataclasses import replace

import torch
from torch import Tensor

from difftem.micrograph.filtered import filter_signs
from difftem.micrograph.found_noise import CameraNoise
from difftem.micrograph.grey_values import (
    check_exposures,
    is_byte_picture,
    saturated,
    value_step,
)
from difftem.micrograph.noise_curve import NoiseCurve, fit_noise_curve, follow_told_curve
from difftem.micrograph.noise_rings import noise_rings
from difftem.micrograph.resampled import resampling_sign
from difftem.micrograph.third_moment import electrons_by_skewness
from difftem.micrograph.told_noise import NoiseTransfer

__all__ = ["CameraNoise", "find_camera_noise"]

_LEAST_POWER = 1e-6  # of the level: keeps whitening finite
_LEAST_WHERE_FILTERED = 0.01  # noise that a filter removed is not brought back
_COUNTED = 0.05  # relative difference of noise and counts: what coincidence loss and specimen make
_BEYOND_ICE = 0.45  # cycles/pixel
_SIGMAS = 3.0
_GAIN_OFF = 1.25
_DQE = (0.6, 1.15)  # counted over incident electrons that need no word
_OFFSET = 5.0  # factor between two estimates of the electrons
_UNEQUAL = 0.03  # relative difference of the means of exposures
_ADVICE = (
    "give the file that the camera wrote (--force goes on with a warning); see difftem docs noise"
)


def find_camera_noise(
    exposures: Tensor,  # (n, y, x) grey values
    *,
    ntf: NoiseTransfer | None = None,
    gain: float | None = None,
    dose_e_per_pixel: float | None = None,
    pixel_size: float | None = None,  # Å
    allow_filtered: bool = False,
) -> CameraNoise:
    """Find the noise of a camera in exposures of one field.

    The spectrum of the exposures tells the level and the colour of the noise; level over mean is
    the effective gain, mean over gain the effective electrons. Whole multiples of one grey value
    whose noise is that of counts are taken for counts. Where grey values have an offset, the mean
    says nothing: electrons are taken from the dose, from the gain, or from the skewness of the
    noise, and that is said.

    Parameters
    ----------
    exposures : Tensor
        Grey values, bad pixels repaired, aligned, shape ``(n, y, x)``.
    ntf : NoiseTransfer, optional
        Colour of the noise as a detector preset or a STAR file tells it
        (`difftem.micrograph.told_noise.noise_transfer`); checked against the exposures.
    gain : float, optional
        Grey values per electron, as told; checked.
    dose_e_per_pixel : float, optional
        Electrons per pixel that reached the camera in each exposure, as told; checked.
    pixel_size : float, optional
        Å; with it the ring of ice at 3.7 Å is cut out.
    allow_filtered : bool
        Go on with a warning where the noise cannot be modelled: clipped, filtered, interpolated,
        8-bit images.

    Returns
    -------
    CameraNoise
        With what was assumed and what speaks against it.

    Raises
    ------
    ValueError
        For exposures whose noise cannot be modelled, in one line with advice.

    Examples
    --------
    >>> import torch
    >>> from difftem.micrograph.camera_noise import find_camera_noise
    >>> rate = torch.full((1, 128, 128), 20.0)  # electrons per pixel
    >>> exposures = 3 * torch.poisson(rate, generator=torch.Generator().manual_seed(0))
    >>> noise = find_camera_noise(exposures)
    >>> round(noise.gain), round(noise.electrons), noise.source  # 3 grey values per electron
    (3, 20, 'counts')
    """
    for name, value in (("gain", gain), ("dose_e_per_pixel", dose_e_per_pixel)):
        if value is not None and not 0 < value < float("inf"):
            raise ValueError(f"{name} must be positive, got {value}")
    check_exposures(exposures)
    first = exposures[0].float()
    mean = float(exposures.double().mean())
    rings = noise_rings(exposures)
    curve = fit_noise_curve(rings, pixel_size)
    notes: list[str] = []
    warnings: list[str] = []

    step = value_step(first)
    counts = step is not None and _are_counts(curve, mean, step)
    if (
        step is not None
        and not counts
        and (white := _counts_under_ice(curve, mean, step, first.numel()))
    ):
        curve, counts = white, True
    refused, doubtful = filter_signs(rings, curve)
    if not counts and (sign := resampling_sign(first)) is not None:
        (doubtful if rings.differences else refused).append(sign)
    clipped = saturated(first, mean**2 / curve.level)
    byte = None
    if not counts and is_byte_picture(exposures):
        low, high = float(exposures.min()), float(exposures.max())
        byte = f"whole numbers from {low:g} to {high:g} are an 8-bit picture, and no counts"
    problems = [text for text in (byte, clipped, *refused) if text]
    if problems and not allow_filtered:
        raise ValueError(f"{problems[0]}: {_ADVICE}")
    warnings += [*problems, *doubtful]

    source = "from the micrograph"
    if ntf is not None:
        told, problem = follow_told_curve(rings, curve, ntf)
        if problem is None:
            curve, source = told, ntf.source
        else:
            warnings.append(problem)
    power = curve.power.clamp(
        min=(_LEAST_WHERE_FILTERED if problems else _LEAST_POWER) * curve.level
    )
    amplitude = power.sqrt()
    if rings.differences:
        notes.append("noise is that of differences of exposures, without a specimen")
    notes += curve.notes
    warnings += _unequal(exposures)

    if counts and step is not None:
        notes.append(
            f"grey values are multiples of {step:g}: counts, with "
            f"{curve.level / (step * mean):.3f} times the noise of counted electrons"
        )
        found, error, electrons = step, 0.0, mean / step
        source = "counts"
    else:
        found, error, electrons = curve.level / mean, curve.level / mean * curve.level_error, 0.0
        by_skewness = electrons_by_skewness(first, curve.frequency, amplitude)
        lowest = float(exposures.min())
        if mean <= 0 or lowest < -mean:
            electrons, said = _without_mean(
                curve, mean, gain, dose_e_per_pixel, by_skewness, first.numel()
            )
            warnings.append(said)
            found = (curve.level / electrons) ** 0.5
            error = found * curve.level_error / 2
            gain = dose_e_per_pixel = None
        else:
            electrons = mean / found
            if by_skewness is not None and not 1 / _OFFSET < electrons / by_skewness < _OFFSET:
                warnings.append(
                    f"mean and noise tell {electrons:.3g} e/pixel, the skewness of the noise "
                    f"{by_skewness:.3g}: grey values have an offset or were rescaled; the level of "
                    "the noise is right, the electrons are not"
                )
    warnings += _against(found, error, mean, gain, dose_e_per_pixel)
    return CameraNoise(
        mean,
        curve.level,
        found,
        error,
        electrons,
        curve.frequency,
        amplitude,
        curve.white,
        source,
        notes,
        warnings,
    )


def _are_counts(curve: NoiseCurve, mean: float, step: float) -> bool:
    """Tell whether multiples of a grey value have the noise of as many electrons."""
    if not curve.white or mean <= 0:
        return False
    return abs(curve.level / (step * mean) - 1) < max(_COUNTED, _SIGMAS * curve.level_error)


def _counts_under_ice(
    curve: NoiseCurve, mean: float, step: float, pixels: int
) -> NoiseCurve | None:
    """Take the white noise of counts from the highest frequencies, where ice ends."""
    end = curve.power[curve.frequency > _BEYOND_ICE]
    if mean <= 0 or not len(end):
        return None
    level = float(end.median())
    ordinates = 0.5 * (1 - math.pi * _BEYOND_ICE**2) * pixels
    if abs(level / (step * mean) - 1) > max(_COUNTED, 2 * _SIGMAS / math.sqrt(ordinates)):
        return None
    return replace(curve, power=torch.full_like(curve.power, level), white=True)


def _without_mean(
    curve: NoiseCurve,
    mean: float,
    gain: float | None,
    dose: float | None,
    by_skewness: float | None,
    pixels: int,
) -> tuple[float, str]:
    """Electrons per pixel where grey values have an offset, and the sentence about it."""
    said = f"grey values have an offset (their mean is {mean:.4g}), which tells no electrons: "
    if dose is not None:
        return dose, said + f"the dose of {dose:g} e/pixel is taken for them"
    if gain is not None:
        electrons = curve.level / gain**2
        return electrons, said + f"with gain {gain:g} the noise tells {electrons:.3g} e/pixel"
    if by_skewness is not None:
        return by_skewness, said + (
            f"the skewness of the noise tells {by_skewness:.3g} e/pixel within a factor of about "
            "2; give the dose or the gain"
        )
    electrons = pixels / 216  # skewness below six of its standard deviations, √(6 / pixels)
    return electrons, said + (
        f"the noise has no skewness, so that there are at least {electrons:.3g} e/pixel, which is "
        "taken for them; give the dose or the gain"
    )


def _against(
    found: float, error: float, mean: float, gain: float | None, dose: float | None
) -> list[str]:
    """Compare what was told with what the noise tells."""
    lines = []
    slack = 1 + 2 * error / found
    if gain is not None and not 1 / (_GAIN_OFF * slack) < gain / found < _GAIN_OFF * slack:
        offset = mean - mean * found / gain if gain > 0 else 0.0
        lines.append(
            f"gain {gain:g} grey values per electron was given, the noise tells {found:.4g}, which "
            f"is used: the gain is another one, or grey values have an offset of {offset:.4g}"
        )
    if dose is not None:
        electrons = mean / found
        dqe0 = electrons / dose
        if not _DQE[0] / slack < dqe0 < _DQE[1] * slack:
            lines.append(
                f"a dose of {dose:g} e/pixel was given, the noise tells {electrons:.3g}, which is "
                f"used: the DQE(0) would be {dqe0:.2f}"
            )
    return lines


def _unequal(exposures: Tensor) -> list[str]:
    """Say that exposures are not equally bright."""
    means = exposures.double().mean((-2, -1))
    spread = float(means.max() - means.min())
    if len(means) < 2 or spread < _UNEQUAL * abs(float(means.mean())):
        return []
    return [
        f"the means of the exposures differ: {float(means.min()):.4g} to {float(means.max()):.4g} "
        "grey values; one noise level is used for all"
    ]
