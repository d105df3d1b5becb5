"""The whole microscope: atoms in, micrograph out, every stage open to inspection."""

from collections.abc import Callable, Iterator
from typing import NamedTuple

import torch
from torch import Tensor, nn

from difftem.functional.atom_slices import AtomSlices
from difftem.functional.grid import crop_center
from difftem.functional.wave import squared_modulus
from difftem.modules.beam import Beam
from difftem.modules.detector import Detector
from difftem.modules.dose import Dose
from difftem.modules.lens import Lens
from difftem.modules.multislice import Multislice
from difftem.modules.poisson import PoissonLayer
from difftem.modules.pose import Pose
from difftem.modules.potential import Potential
from difftem.modules.solvent import IceSlab


class Exposure(NamedTuple):
    """What one run of the microscope leaves at every stage."""

    exit_wave: Tensor  # (..., y, x) complex, padded field
    image_wave: Tensor  # (..., y, x) complex, padded field
    expected_counts: Tensor  # (..., y, x) e/pixel
    counts: Tensor  # (..., y, x) detected electrons
    micrograph: Tensor  # (..., y, x) grey values


class Simulator(nn.Module):
    """Compose the stages; batch axes (tilt, focus, dose, exposure) broadcast through them.

    Parameters
    ----------
    potential : Potential
        Atoms and sampling. Its field may be larger than the image: see `shape`.
    multislice : Multislice
        Propagation through its slices.
    lens : Lens
        Imaging.
    dose : Dose
        Electrons per pixel.
    detector : Detector
        Grey values.
    beam : Beam, optional
        300 kV without it.
    pose : Pose, optional
        Rotation, shift and stage tilt of the atoms; as they are without it.
    solvent : IceSlab, optional
        Ice around the specimen.
    poisson : PoissonLayer, optional
        Counting statistics and their gradient.
    shape : tuple of int, optional
        ``(ny, nx)`` of the micrograph, cut from the centre of the field, so that fringes and
        Fresnel tails that wrap around stay outside.
    zero_defocus : float
        Height of the plane of zero defocus as a fraction of the slab: 0 the entrance, 0.5 the
        middle (default), 1 the exit surface.
    """

    def __init__(
        self,
        potential: Potential,
        multislice: Multislice,
        lens: Lens,
        dose: Dose,
        detector: Detector,
        beam: Beam | None = None,
        pose: Pose | None = None,
        solvent: IceSlab | None = None,
        poisson: PoissonLayer | None = None,
        shape: tuple[int, int] | None = None,
        zero_defocus: float = 0.5,
    ) -> None:
        super().__init__()
        sizes = {potential.pixel_size, multislice.pixel_size, lens.pixel_size, dose.pixel_size}
        if len(sizes) > 1:
            raise ValueError(f"all stages must share one pixel size, got {sorted(sizes)} Å")
        if potential.slice_thickness != multislice.slice_thickness:
            raise ValueError(
                "potential and multislice must share one slice thickness, got "
                f"{potential.slice_thickness} and {multislice.slice_thickness} Å"
            )
        shape = shape or potential.shape
        if shape[0] > potential.shape[0] or shape[1] > potential.shape[1]:
            raise ValueError(f"the image {shape} must fit into the field {potential.shape}")
        self.beam = beam or Beam()
        self.pose = pose or Pose()
        self.potential = potential
        self.multislice = multislice
        self.solvent = solvent
        self.lens = lens
        self.dose = dose
        self.poisson = poisson or PoissonLayer()
        self.detector = detector
        self.shape = shape
        self.zero_defocus = zero_defocus

    def exit_wave(
        self,
        progress: Callable[[Iterator[Tensor]], Iterator[Tensor]] | None = None,
    ) -> Tensor:  # (..., y, x) complex
        """Wave behind specimen and ice, in the padded field.

        Parameters
        ----------
        progress : callable, optional
            Wraps the stream of slices (a progress bar, a stopwatch); forces streaming.

        Returns
        -------
        Tensor
            Complex. Without gradients only one slice of the potential is held at a time, with them
            all where they take less than `difftem.functional.multislice_gradient.KEPT_BYTES`.
        """
        positions = self.pose(self.potential.positions)
        slices: AtomSlices | Iterator[Tensor] = self.potential.source(positions)
        if progress is not None:
            slices = progress(iter(slices))
        beam = self.beam
        wave = self.multislice(slices, beam.wavelength, beam.sigma, beam.tilt)
        if self.solvent is not None:
            wave = self.solvent(wave, beam.energy, beam.sigma, self.pose.tilt)
        return wave

    def image(
        self,
        exit_wave: Tensor,  # (..., y, x) complex
    ) -> tuple[Tensor, Tensor]:  # (..., y, x) complex, (..., y, x)
        """Image wave and intensity, in the padded field; reuse the exit wave for a new focus."""
        beam = self.beam
        plane = self.multislice.wave_plane(self.potential.n_slices)
        offset = plane - self.zero_defocus * self.potential.thickness
        arguments = (exit_wave, beam.wavelength, beam.energy, beam.tilt, offset)
        image_wave = self.lens(*arguments)
        if self.lens.coherence == "envelope":
            return image_wave, squared_modulus(image_wave)
        return image_wave, self.lens.intensity(*arguments)

    def expected_counts(
        self,
        intensity: Tensor,  # (..., y, x)
    ) -> Tensor:  # (..., y, x) e/pixel
        """Mean electrons per pixel of the micrograph's field."""
        return self.dose(crop_center(intensity, self.shape))

    def read_out(
        self,
        expected_counts: Tensor,  # (..., y, x) e/pixel
        generator: torch.Generator | None = None,
    ) -> tuple[Tensor, Tensor]:  # 2 x (..., y, x)
        """Draw counts and read them out: another exposure each time."""
        counts = self.poisson(self.detector.rate(expected_counts), generator)
        return counts, self.detector(counts, expected_counts, generator)

    def forward(
        self,
        generator: torch.Generator | None = None,
    ) -> Exposure:
        """Run the microscope once.

        Parameters
        ----------
        generator : torch.Generator, optional
            Source of all randomness.

        Returns
        -------
        Exposure
            Every named intermediate.
        """
        exit_wave = self.exit_wave()
        image_wave, intensity = self.image(exit_wave)
        expected = self.expected_counts(intensity)
        counts, micrograph = self.read_out(expected, generator)
        return Exposure(exit_wave, image_wave, expected, counts, micrograph)
