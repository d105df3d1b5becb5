"""What the microscope leaves: the exit wave, and every stage of an exposure."""

from typing import NamedTuple

from torch import Tensor


class ExitWave(NamedTuple):
    """What leaves the specimen.

    Examples
    --------
    >>> from difftem.modules import Detector, Dose, Lens, Multislice, ParticleSpecimen, Simulator
    >>> vacuum = ParticleSpecimen({}, [], (8, 8), pixel_size=2.0, slice_thickness=10.0)
    >>> stages = Multislice(2.0, 10.0), Lens(2.0), Dose(30.0, 2.0), Detector()
    >>> exit_wave = Simulator(vacuum, *stages).exit_wave()
    >>> tuple(exit_wave.wave.shape), exit_wave.scattered is None
    ((8, 8), True)
    """

    wave: Tensor  # (..., y, x) complex
    height: float  # Å, of the wave's plane above the middle of the specimen
    scattered: Tensor | None  # (..., y, x) inelastic intensity in the image, if it is simulated


class Exposure(NamedTuple):
    """What one run of the microscope leaves at every stage; a tilt series has a leading axis.

    Examples
    --------
    >>> from difftem.modules import Detector, Dose, Lens, Multislice, ParticleSpecimen, Simulator
    >>> vacuum = ParticleSpecimen({}, [], (8, 8), pixel_size=2.0, slice_thickness=10.0)
    >>> stages = Multislice(2.0, 10.0), Lens(2.0), Dose(30.0, 2.0), Detector()
    >>> Simulator(vacuum, *stages)()._fields
    ('exit_wave', 'image_wave', 'expected_counts', 'counts', 'micrograph')
    """

    exit_wave: Tensor  # (..., y, x) complex, padded field
    image_wave: Tensor  # (..., y, x) complex, padded field
    expected_counts: Tensor  # (..., y, x) e/pixel
    counts: Tensor  # (..., y, x) detected electrons
    micrograph: Tensor  # (..., y, x) grey values
