"""Sampling of the wave: pixel, field and slices that the detectors ask for."""

import math
from dataclasses import dataclass

from difftem.tem_simulator.files.microscope import DetectorInput, Optics
from difftem.units import um_to_angstrom

ROUNDING = 1e-6  # pixels


@dataclass(frozen=True)
class WaveGrid:
    """How the wave is sampled.

    Attributes
    ----------
    pixel_size : float
        Å at the specimen: that of the finest detector.
    shape : tuple of int
        ``(ny, nx)``, enough for every detector and its padding.
    slice_thickness : float
        Å.
    """

    pixel_size: float
    shape: tuple[int, int]
    slice_thickness: float


def pixel_at_specimen(detector: DetectorInput, optics: Optics) -> float:  # Å
    """Pixel of a detector over the magnification."""
    return um_to_angstrom(detector.pixel_size_um) / optics.magnification


def choose_wave_grid(
    detectors: list[DetectorInput],
    optics: Optics,
    wavelength: float,  # Å
) -> WaveGrid:
    r"""WaveGrid of TEM-simulator: the finest pixel p and slices of :math:`p^2 / 2 \lambda`.

    Parameters
    ----------
    detectors : list of DetectorInput
        At least one.
    optics : Optics
        Its magnification is used.
    wavelength : float
        In Å.

    Returns
    -------
    WaveGrid
        Covers all padded detectors, the centres of all being the same.

    References
    ----------
    Rullgård et al., J. Microscopy 243 (2011) 234.
    """
    pixels = [pixel_at_specimen(each, optics) for each in detectors]
    finest = min(pixels)
    sides = []
    for axis in ("y", "x"):
        widths = [
            (getattr(each, f"det_pix_{axis}") + 2 * each.padding) * pixel
            for each, pixel in zip(detectors, pixels, strict=True)
        ]
        sides.append(math.ceil(max(widths) / finest - ROUNDING))
    return WaveGrid(finest, (sides[0], sides[1]), finest**2 / (2 * wavelength))
