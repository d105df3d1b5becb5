"""The whole microscope: specimen in, micrograph out, every stage open to inspection."""

from collections.abc import Callable, Collection, Iterable, Sequence

import torch
from torch import Tensor, nn

from difftem.functional.dose import expected_counts
from difftem.functional.grid import crop_center
from difftem.functional.resample import fourier_crop
from difftem.functional.wave import squared_modulus
from difftem.modules.beam import Beam
from difftem.modules.common_sampling import common_field
from difftem.modules.detector import Detector
from difftem.modules.dose import Dose
from difftem.modules.exposure import ExitWave, Exposure
from difftem.modules.flat_ice import FlatIce
from difftem.modules.holey_ice import HoleyIce
from difftem.modules.inelastic import InelasticMultislice
from difftem.modules.lens import Lens
from difftem.modules.multislice import Multislice
from difftem.modules.poisson import PoissonLayer
from difftem.modules.quantity import check_learnable, is_active, quantity, register_quantity
from difftem.modules.specimen import Specimen
from difftem.modules.stage import Stage
from difftem.units import um_to_angstrom

# Wraps a stream of slices, given with their number: a progress bar, a stopwatch.
Progress = Callable[[Iterable[Tensor], int], Iterable[Tensor]]


class Simulator(nn.Module):
    """Compose the stages; batch axes (tilt, focus, dose, exposure) broadcast through them.

    Tilts of particles come one after the other: a micrograph of thousands may take gigabytes.
    Those of atoms are one batch, unless an index is given.

    Parameters
    ----------
    specimen : Specimen
        Atoms (`Potential`) or copies of particles (`ParticleSpecimen`), and their sampling. The
        field may be larger than the image: see `shape`.
    multislice : Multislice or InelasticMultislice
        Propagation through the slices. The second also images what is scattered inelastically;
        its beam is not tilted.
    lens : Lens
        Imaging; its defocus is counted from `defocus_reference`.
    dose : Dose
        Electrons per pixel; a dose of shape ``(n_tilts,)`` gives each tilt its own.
    detector : Detector
        Grey values.
    beam : Beam, optional
        Default: 300 kV.
    stage : Stage, optional
        Tilts and shifts. Default: one micrograph, not tilted.
    ice : FlatIce or HoleyIce, optional
        Around the specimen. Default: vacuum.
    poisson : PoissonLayer, optional
        Counting statistics and their gradient.
    shape : tuple of int, optional
        ``(ny, nx)`` of the micrograph, cut from the centre of the field, so that fringes and
        Fresnel tails that wrap around stay outside.
    pixel_size : float, optional
        Of the micrograph (and dose) in Å, where that of the waves is smaller: the intensity is cut
        in Fourier space, so that signal reaches Nyquist. Default: that of the waves.
    defocus_reference : float
        Height in Å, above the middle of the specimen, of the plane that defocus is counted from;
        half the specimen's thickness is its exit surface.
    defocus_offset_um : float or Tensor
        Underfocus in µm added to the lens's own, shape ``(n_tilts,)`` for one of each tilt.
    learnable : collection of str
        ``defocus_offset_um``.

    Raises
    ------
    ValueError
        If the stages' samplings or the number of tilts differ.

    Examples
    --------
    >>> from difftem.modules import Detector, Dose, Lens, Multislice, ParticleSpecimen, Simulator
    >>> vacuum = ParticleSpecimen({}, [], (8, 8), pixel_size=2.0, slice_thickness=10.0)
    >>> stages = Multislice(2.0, 10.0), Lens(2.0), Dose(30.0, 2.0), Detector()
    >>> round(Simulator(vacuum, *stages).noise_free().mean().item())  # 30 e/Å² x 4 Å²
    120
    """

    defocus_offset_um: Tensor

    def __init__(
        self,
        specimen: Specimen,
        multislice: Multislice | InelasticMultislice,
        lens: Lens,
        dose: Dose,
        detector: Detector,
        beam: Beam | None = None,
        stage: Stage | None = None,
        ice: FlatIce | HoleyIce | None = None,
        poisson: PoissonLayer | None = None,
        shape: tuple[int, int] | None = None,
        pixel_size: float | None = None,
        defocus_reference: float = 0.0,
        defocus_offset_um: float | Tensor = 0.0,
        learnable: Collection[str] = (),
    ) -> None:
        super().__init__()
        check_learnable(learnable, ("defocus_offset_um",))
        self.field = common_field(specimen, multislice, lens, dose, pixel_size)
        shape = shape or self.field
        if shape[0] > self.field[0] or shape[1] > self.field[1]:
            raise ValueError(f"the image {shape} must fit into the field {self.field}")
        self.stage = stage or Stage()
        self.specimen = specimen
        offsets = torch.as_tensor(defocus_offset_um)
        if not self.stage.is_series and offsets.numel() == 1:
            offsets = offsets.reshape(())
        register_quantity(self, "defocus_offset_um", offsets, learnable)
        n = len(self.stage)
        for name, given in (("defocus_offset_um", offsets), ("dose", dose.dose_e_per_a2)):
            if given.ndim == 1 and len(given) != n and (self.stage.is_series or given is offsets):
                raise ValueError(f"{name} must have {n} values, one per tilt, got {len(given)}")
        self.beam = beam or Beam()
        self.multislice = multislice
        self.lens = lens
        self.ice = ice
        self.dose = dose
        self.poisson = poisson or PoissonLayer()
        self.detector = detector
        self.shape = shape
        self.defocus_reference = defocus_reference

    def exit_wave(
        self,
        tilt: int | None = None,
        progress: Progress | None = None,
    ) -> ExitWave:
        """Wave behind the specimen, and behind flat ice, in the padded field.

        Parameters
        ----------
        tilt : int, optional
            Index in a series; particles need it there. Default: all, along a batch axis.
        progress : callable, optional
            Wraps the stream of slices, given with their number; forces streaming.

        Returns
        -------
        ExitWave
            Memory: without gradients one slice of the potential is held at a time; with gradients
            all are kept if together they fit into
            `difftem.functional.multislice_gradient.KEPT_BYTES`, else computed again backwards.
        """
        view, beam, scattered = self.specimen.view(self.stage, self.beam, tilt), self.beam, None
        slices = view.slices
        if progress is not None:
            slices = progress(slices, len(view.heights))
        if isinstance(self.multislice, InelasticMultislice):
            defocus = self._defocus(tilt)
            wave, scattered = self.multislice(slices, view.heights, defocus, beam)
        else:
            wave = self.multislice(slices, beam)
        if self.ice is not None and self.ice.acts_on == "wave":
            rotation = self.stage.rotation(tilt)
            wave = self.ice(wave, beam, rotation)
            scattered = None if scattered is None else self.ice(scattered, beam, rotation)
        return ExitWave(wave, self.multislice.wave_height(view.heights), scattered)

    def image(
        self,
        exit_wave: ExitWave,
        tilt: int | None = None,
    ) -> tuple[Tensor, Tensor]:  # (..., y, x) complex, (..., y, x)
        """Image wave, and intensity in the micrograph's pixels; reuse the exit wave to refocus."""
        offset = exit_wave.height - self.defocus_reference + self._defocus_offset(tilt)
        image_wave = self.lens(exit_wave.wave, self.beam, offset)
        if self.lens.coherence == "envelope":
            intensity = squared_modulus(image_wave)
        else:
            intensity = self.lens.intensity(exit_wave.wave, self.beam, offset)
        if exit_wave.scattered is not None:
            intensity = intensity + exit_wave.scattered
        if self.field != self.specimen.shape:  # which may take it below zero where it is near
            intensity = fourier_crop(intensity, self.field).clamp(min=0)
        if self.ice is not None and self.ice.acts_on == "image":  # not before: edges would ring
            rotation = self.stage.rotation(tilt)
            intensity = self.ice(intensity, self.beam, rotation, self._defocus(tilt))
        return image_wave, intensity

    def intensity(
        self,
        tilt: int | None = None,
        progress: Progress | None = None,
    ) -> Tensor:  # (..., y, x)
        """Image intensity in the padded field, relative to the beam; arguments of `exit_wave`."""
        return self.image(self.exit_wave(tilt, progress), tilt)[1]

    def expected_counts(
        self,
        intensity: Tensor,  # (..., y, x)
        tilt: int | None = None,
    ) -> Tensor:  # (..., y, x) e/pixel
        """Mean electrons per pixel of the micrograph's field."""
        dose = self._of_tilt(quantity(self.dose, "dose_e_per_a2"), tilt)
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

    def noise_free(
        self,
        tilts: Sequence[int] | None = None,
    ) -> Tensor:  # (..., y, x) grey values
        """Mean of all exposures: what a loss compares with data, or a network with its output."""
        indices = self._one_by_one(tilts)
        if indices is None:
            return self.detector.expected(self.expected_counts(self.intensity()))
        expected = [self.expected_counts(self.intensity(tilt), tilt) for tilt in indices]
        return torch.stack([self.detector.expected(each) for each in expected])

    def forward(
        self,
        generator: torch.Generator | None = None,
        tilts: Sequence[int] | None = None,
    ) -> Exposure:
        """Take a micrograph, or those of a tilt series.

        Parameters
        ----------
        generator : torch.Generator, optional
            Source of all randomness.
        tilts : sequence of int, optional
            Indices in a series. Default: all.

        Returns
        -------
        Exposure
            Every named intermediate.
        """
        indices = self._one_by_one(tilts)
        if indices is None:
            return self._expose(None, generator)
        series = [self._expose(tilt, generator) for tilt in indices]
        return Exposure(*(torch.stack(images) for images in zip(*series, strict=True)))

    def _expose(self, tilt: int | None, generator: torch.Generator | None) -> Exposure:
        """One run of all stages."""
        exit_wave = self.exit_wave(tilt)
        image_wave, intensity = self.image(exit_wave, tilt)
        expected = self.expected_counts(intensity, tilt)
        return Exposure(exit_wave.wave, image_wave, expected, *self.read_out(expected, generator))

    def _one_by_one(self, tilts: Sequence[int] | None) -> Sequence[int] | None:
        """Tilts that are taken one after the other; None for one run of all."""
        if tilts is None and (self.specimen.takes_series or not self.stage.is_series):
            return None
        if tilts is not None and not len(tilts):
            raise ValueError("tilts must not be empty")
        return range(len(self.stage)) if tilts is None else tilts

    def _defocus(self, tilt: int | None) -> Tensor:
        """Underfocus of the middle of the specimen, Å."""
        defocus = um_to_angstrom(quantity(self.lens, "defocus_um").double())
        return defocus + self._defocus_offset(tilt) - self.defocus_reference

    def _defocus_offset(self, tilt: int | None) -> float | Tensor:
        """Additional underfocus, Å; a plain 0 where there is none, which makes no batch."""
        if not is_active(self, "defocus_offset_um"):
            return 0.0
        return um_to_angstrom(self._of_tilt(self.defocus_offset_um, tilt))

    def _of_tilt(self, values: Tensor, tilt: int | None) -> Tensor:
        """Value of one tilt where each has its own."""
        each = tilt is not None and self.stage.is_series and values.ndim == 1
        return values[tilt] if each else values
