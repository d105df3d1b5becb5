"""The microscope with a specimen of many particles, one tilt at a time."""

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from typing import NamedTuple

import torch
from torch import Tensor, nn

from difftem.functional.dose import expected_counts
from difftem.functional.grid import crop_center
from difftem.modules.beam import Beam
from difftem.modules.detector import Detector
from difftem.modules.dose import Dose
from difftem.modules.inelastic import InelasticMultislice
from difftem.modules.lens import Lens
from difftem.modules.multislice import Multislice
from difftem.modules.placed import Placed, slice_range
from difftem.modules.poisson import PoissonLayer
from difftem.modules.quantity import check_learnable, quantity, register_quantity
from difftem.modules.specimen import Specimen
from difftem.modules.stage import Stage
from difftem.units import um_to_angstrom

Progress = Callable[[Iterable[tuple[float, Tensor]], int], Iterable[tuple[float, Tensor]]]


class Micrographs(NamedTuple):
    """A series as it leaves the microscope."""

    expected_counts: Tensor  # (n_tilts, y, x) e/pixel
    counts: Tensor  # (n_tilts, y, x) detected electrons
    micrograph: Tensor  # (n_tilts, y, x) grey values


class SpecimenSimulator(nn.Module):
    """Compose the stages behind a `Specimen`: multislice, lens, ice, dose, detector.

    Tilts come one after the other: a micrograph of thousands of particles may take gigabytes.

    Parameters
    ----------
    specimen : Specimen
        Particles and field. The field may be larger than the image: see `shape`.
    multislice : Multislice or InelasticMultislice
        With the specimen's pixel size, and its slice thickness where it has one. The second also
        images what is scattered inelastically; its beam is not tilted.
    lens : Lens
        Imaging; its defocus is counted from the sample's middle, z = 0.
    dose : Dose
        Electrons per pixel; a dose of shape ``(n_tilts,)`` gives each tilt its own.
    detector : Detector
        Grey values.
    beam : Beam, optional
        300 kV without it.
    stage : Stage, optional
        Tilts; one untilted micrograph without it.
    attenuation : nn.Module, optional
        What the ice around the particles does: called with the intensity, shape ``(y, x)``, the
        stage's rotation, the beam's energy in eV and the underfocus of z = 0 in Å, it returns the
        intensity behind it (`IceFilm`).
    poisson : PoissonLayer, optional
        Counting statistics and their gradient.
    shape : tuple of int, optional
        ``(ny, nx)`` of the micrograph, cut from the centre of the field.
    focus_offset_um : Tensor, optional
        Additional underfocus of each tilt in µm, shape ``(n_tilts,)``.
    learnable : collection of str
        ``focus_offset_um``.

    Raises
    ------
    ValueError
        If the stages' samplings or the number of tilts differ.
    """

    focus_offset_um: Tensor

    def __init__(
        self,
        specimen: Specimen,
        multislice: Multislice | InelasticMultislice,
        lens: Lens,
        dose: Dose,
        detector: Detector,
        beam: Beam | None = None,
        stage: Stage | None = None,
        attenuation: nn.Module | None = None,
        poisson: PoissonLayer | None = None,
        shape: tuple[int, int] | None = None,
        focus_offset_um: Tensor | None = None,
        learnable: Collection[str] = (),
    ) -> None:
        super().__init__()
        check_learnable(learnable, ("focus_offset_um",))
        sizes = {specimen.pixel_size, multislice.pixel_size, lens.pixel_size, dose.pixel_size}
        if len(sizes) > 1:
            raise ValueError(f"all stages must share one pixel size, got {sorted(sizes)} Å")
        thickness = getattr(multislice, "slice_thickness", specimen.slice_thickness)
        if specimen.slice_thickness != thickness:
            raise ValueError(
                "specimen and multislice must share one slice thickness, got "
                f"{specimen.slice_thickness} and {thickness} Å"
            )
        shape = shape or specimen.shape
        if shape[0] > specimen.shape[0] or shape[1] > specimen.shape[1]:
            raise ValueError(f"the image {shape} must fit into the field {specimen.shape}")
        self.stage = stage or Stage()
        n = len(self.stage)
        offsets = torch.zeros(n) if focus_offset_um is None else focus_offset_um
        for name, given in (("focus_offset_um", offsets), ("dose", dose.dose_e_per_a2)):
            if tuple(given.shape) not in {(n,), ()}:
                raise ValueError(f"{name} must have {n} values, one per tilt, got {given.shape}")
        register_quantity(self, "focus_offset_um", offsets.expand(n).clone(), learnable)
        self.beam = beam or Beam()
        if isinstance(multislice, InelasticMultislice) and self.beam.tilt is not None:
            raise ValueError("an InelasticMultislice needs a beam that is not tilted")
        self.specimen = specimen
        self.multislice = multislice
        self.lens = lens
        self.attenuation = attenuation
        self.dose = dose
        self.poisson = poisson or PoissonLayer()
        self.detector = detector
        self.shape = shape

    def place(self, tilt: int) -> list[Placed]:
        """Where the particles are in one micrograph."""
        stage = self.stage
        return self.specimen.place(
            stage.rotation(tilt), stage.shift[tilt], turn_positions=stage.turn_positions
        )

    def intensity(
        self,
        tilt: int = 0,
        progress: Progress | None = None,
    ) -> Tensor:  # (y, x)
        """Intensity of one micrograph in the padded field, relative to the beam.

        Parameters
        ----------
        tilt : int
            Index in the series.
        progress : callable, optional
            Wraps the stream of slices, given with their number (a progress bar, a stopwatch).

        Returns
        -------
        Tensor
            Shape ``(y, x)``.
        """
        beam = self.beam
        placed = self.place(tilt)
        planes = slice_range(placed)
        stream: Iterable[tuple[float, Tensor]] = self.specimen.slices(placed, beam.wavelength)
        if progress is not None:
            stream = progress(stream, len(planes))
        heights = [index * self.specimen.slice_thickness for index in planes]
        focus = um_to_angstrom(self.focus_offset_um[tilt])
        intensity = self._image(stream, heights, focus)
        if self.attenuation is not None:
            intensity = self.attenuation(
                intensity, self.stage.rotation(tilt), beam.energy, self._defocus() + focus
            )
        return intensity

    def _image(
        self,
        stream: Iterable[tuple[float, Tensor]],
        heights: Sequence[float],
        focus: Tensor,
    ) -> Tensor:
        """Image of the wave, and of what it lost; slices are used up one by one."""
        beam, potentials = self.beam, _potentials(stream)
        if isinstance(self.multislice, InelasticMultislice):
            wave, scattered = self.multislice(
                potentials,
                heights,
                self._defocus() + focus,
                beam.energy,
                beam.wavelength,
                beam.sigma,
            )
            return self._lens_image(wave, heights[-1] + focus) + scattered
        wave = self.multislice(potentials, beam.wavelength, beam.sigma, beam.tilt)
        # Slices act at their planes; the wave is given one thickness behind the last one.
        height = heights[-1] + self.specimen.slice_thickness
        if self.multislice.scattering != "multislice":
            height = 0.0
        return self._lens_image(wave, height + focus)

    def _lens_image(self, wave: Tensor, offset: Tensor) -> Tensor:
        """Intensity behind the lens of a wave whose plane is this much underfocused."""
        beam = self.beam
        if torch.is_complex(wave) and self.lens.coherence == "envelope":
            image = self.lens(wave, beam.wavelength, beam.energy, beam.tilt, offset)
            return image.real**2 + image.imag**2
        return self.lens.intensity(wave, beam.wavelength, beam.energy, beam.tilt, offset)

    def _defocus(self) -> Tensor:
        """Underfocus of z = 0 in Å that all tilts share."""
        return um_to_angstrom(quantity(self.lens, "defocus_um").double())

    def expected_counts(
        self,
        intensity: Tensor,  # (y, x)
        tilt: int = 0,
    ) -> Tensor:  # (y, x) e/pixel
        """Mean electrons per pixel of the micrograph's field."""
        dose = self.dose.dose_e_per_a2
        dose = dose[tilt] if dose.ndim else dose
        cropped = crop_center(intensity, self.shape)
        return expected_counts(cropped, dose.to(cropped), self.dose.pixel_size)

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
        tilts: Sequence[int] | None = None,
    ) -> Micrographs:
        """Take the series, or some of its tilts.

        Parameters
        ----------
        generator : torch.Generator, optional
            Source of all randomness.
        tilts : sequence of int, optional
            Indices; all without it.

        Returns
        -------
        Micrographs
            Stacked along a first axis.
        """
        series = []
        for tilt in range(len(self.stage)) if tilts is None else tilts:
            expected = self.expected_counts(self.intensity(tilt), tilt)
            series.append((expected, *self.read_out(expected, generator)))
        return Micrographs(*(torch.stack(images) for images in zip(*series, strict=True)))


def _potentials(stream: Iterable[tuple[float, Tensor]]) -> Iterator[Tensor]:
    """Projected potentials without the heights of their planes."""
    for _, projected_potential in stream:
        yield projected_potential
