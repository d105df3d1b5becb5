"""What the noise of a camera is: its level, its colour, and how many electrons that makes."""

import math
from dataclasses import dataclass, field

from torch import Tensor

from difftem.functional.mtf import apply_transfer
from difftem.functional.whitening import radial_transfer
from difftem.micrograph.whitened import WhitenedExposures

_NOISY = 0.01  # relative error from which on it is said in the sentence


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
        Effective grey values per electron: level over mean, where grey values have no offset.
    gain_error : float
        Its standard deviation; 0 where grey values are counts.
    electrons : float
        Effective electrons per pixel and exposure: level over gain squared.
    frequency : Tensor
        Cycles/pixel from 0 to the corner of the spectrum, shape ``(k,)``.
    amplitude : Tensor
        Standard deviation of the noise there in grey values, shape ``(k,)``.
    white : bool
        The amplitude is the same at all frequencies.
    source : str
        Where the curve is from.
    notes : list of str
        What was measured, left out and assumed, a line each.
    warnings : list of str
        What speaks against the result, a line each.

    Examples
    --------
    >>> import torch
    >>> from difftem.micrograph.found_noise import CameraNoise
    >>> frequency, amplitude = torch.linspace(0.0, 0.7, 8), torch.full((8,), 13.4)
    >>> noise = CameraNoise(62.0, 180.0, 3.0, 0.0, 20.0, frequency, amplitude, True, "counts")
    >>> noise.sentence()
    '3 grey values per electron, white noise, 20 e/pixel (counts)'
    >>> noise.offset  # grey value without electrons
    2.0
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

    @property
    def offset(self) -> float:
        """Grey value of a pixel without electrons: mean less gain x electrons."""
        return self.mean - self.gain * self.electrons

    def sentence(self) -> str:
        """Say in one line what was found."""
        gain = f"{self.gain:.4g}"
        if self.gain_error > _NOISY * self.gain:
            digits = max(0, 1 - math.floor(math.log10(self.gain_error)))
            gain = f"{self.gain:.{digits}f} ± {self.gain_error:.{digits}f}"
        colour = "white" if self.white else "coloured"
        return (
            f"{gain} grey values per electron, {colour} noise, {self.electrons:.3g} e/pixel "
            f"({self.source})"
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
