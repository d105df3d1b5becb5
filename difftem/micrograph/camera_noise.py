"""What the noise of a camera is: its level, its colour, and how many electrons that makes."""

import math
from dataclasses import dataclass, field

from torch import Tensor

from difftem.functional.mtf import apply_transfer
from difftem.functional.whitening import radial_transfer
from difftem.micrograph.noise_curve import NoiseCurve, fit_noise_curve
from difftem.micrograph.noise_rings import noise_rings
from difftem.micrograph.whitened import WhitenedExposures

_SIGMAS = 4.0
_GAIN_OFF = 1.25  # a gain that differs by this factor is said
_LEAST_POWER = 1e-6  # of the level: keeps whitening finite


@dataclass(frozen=True)
class CameraNoise:
    """Noise of one exposure of a camera.

    Parameters
    ----------
    mean : float
        Grey value of the exposures.
    level : float
        Power of the noise at low frequency, grey values squared.
    gain : float
        Effective grey values per electron: level over mean.
    gain_error : float
        Its standard deviation.
    electrons : float
        Effective electrons per pixel and exposure: mean over gain.
    frequency : Tensor
        Cycles/pixel from 0 to the corner of the spectrum, shape ``(k,)``.
    amplitude : Tensor
        Standard deviation of the noise there in grey values, shape ``(k,)``.
    white : bool
        The amplitude is the same at all frequencies.
    source : str
        Where the curve is from.
    notes : list of str
        What was assumed, a line each.
    warnings : list of str
        What speaks against the result, a line each.
    """

    mean: float
    level: float
    gain: float
    gain_error: float
    electrons: float
    frequency: Tensor
    amplitude: Tensor
    white: bool
    source: str
    notes: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)

    def sentence(self) -> str:
        """Say in one line what was found."""
        colour = "white" if self.white else "coloured"
        return (
            f"{_number(self.gain, self.gain_error)} grey values per electron, {colour} noise, "
            f"{self.electrons:.3g} e/pixel ({self.source})"
        )

    def whiten(
        self,
        exposures: Tensor,  # (n, y, x) grey values
        pixel_size: float | None = None,  # Å
    ) -> WhitenedExposures:
        """Bring exposures to white noise of variance 1.

        Parameters
        ----------
        exposures : Tensor
            Grey values, bad pixels repaired, shape ``(n, y, x)``.
        pixel_size : float, optional
            Å.

        Returns
        -------
        WhitenedExposures
            Each less its own mean.
        """
        images = exposures if exposures.is_floating_point() else exposures.float()
        shape = (images.shape[-2], images.shape[-1])
        noise = radial_transfer(self.frequency, self.amplitude.to(images), shape)
        values = apply_transfer(images - images.mean((-2, -1), keepdim=True), 1 / noise)
        return WhitenedExposures(values, self.electrons, self.mean, noise, pixel_size)


def find_camera_noise(
    exposures: Tensor,  # (n, y, x) grey values
    *,
    gain: float | None = None,
    dose_e_per_pixel: float | None = None,
    pixel_size: float | None = None,  # Å
) -> CameraNoise:
    """Find the noise of a camera in exposures of one field.

    Parameters
    ----------
    exposures : Tensor
        Grey values, bad pixels repaired, aligned, shape ``(n, y, x)``.
    gain : float, optional
        Grey values per electron, as told; checked against the noise.
    dose_e_per_pixel : float, optional
        Electrons per pixel that reached the camera in each exposure, as told; checked.
    pixel_size : float, optional
        Å; with it the ring of ice at 3.7 Å is cut out.

    Returns
    -------
    CameraNoise
        With what was assumed.

    Raises
    ------
    ValueError
        For images whose noise cannot be modelled.
    """
    mean = float(exposures.double().mean())
    curve = fit_noise_curve(noise_rings(exposures), pixel_size)
    found = curve.level / mean
    warnings = _against(found, mean, gain, dose_e_per_pixel)
    return CameraNoise(
        mean,
        curve.level,
        found,
        found * curve.level_error,
        mean / found,
        curve.frequency,
        _amplitude(curve),
        curve.white,
        "from the micrograph",
        [f"the noise is measured from {curve.lowest:g} cycles/pixel on"],
        warnings,
    )


def _amplitude(curve: NoiseCurve) -> Tensor:
    """Square root of the power."""
    return curve.power.clamp(min=_LEAST_POWER * curve.level).sqrt()


def _against(found: float, mean: float, gain: float | None, dose: float | None) -> list[str]:
    """Compare what was told with what the noise tells."""
    lines = []
    if gain is not None and not 1 / _GAIN_OFF < gain / found < _GAIN_OFF:
        lines.append(
            f"gain {gain:g} grey values per electron was given, the noise tells {found:.4g}: "
            "the noise's own is used"
        )
    if dose is not None and not 1 / _GAIN_OFF < dose * found / mean < 2.5:
        lines.append(
            f"a dose of {dose:g} e/pixel was given, the noise tells {mean / found:.4g}: the "
            "noise's own is used"
        )
    return lines


def _number(value: float, error: float) -> str:
    """Format a number with as many digits as its error leaves."""
    if value == 0 or error <= 0:
        return f"{value:.4g}"
    digits = 1 + round(math.log10(value / error))
    return f"{value:.{max(2, min(4, digits))}g}"
