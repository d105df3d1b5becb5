"""Objective lens: from the exit wave to the image."""

import math
from collections.abc import Collection, Mapping
from typing import Literal

import torch
from torch import Tensor, nn

from difftem.functional.coherence import coherence_envelope, focal_spread
from difftem.functional.grid import mirrored
from difftem.functional.illumination import ensemble_nodes, illumination_ensemble
from difftem.functional.lens import (
    ABERRATIONS,
    aberration_phase,
    aperture,
    defocus_factors,
    phase_plate,
)
from difftem.functional.tilted_beam import TiltedFrequencies, tilted_frequencies
from difftem.functional.wave import phase_factor, squared_modulus
from difftem.modules.beam import Beam
from difftem.modules.quantity import (
    Positive,
    check_learnable,
    is_active,
    quantity,
    register_quantity,
)
from difftem.units import deg_to_rad, mm_to_angstrom, mrad_to_rad, um_to_angstrom

_SIGNED = ("defocus_um", "cs_mm", "astigmatism_um", "astigmatism_angle_deg", "phase_shift")
_POSITIVE = (
    "cc_mm",
    "energy_spread_ev",
    "current_instability",
    "voltage_instability",
    "source_semiangle_mrad",
    "aperture_mrad",
    "aperture_softness_mrad",
    "phase_plate_cut_on",
)


class Lens(nn.Module):
    """Aberrations, aperture, phase plate and partial coherence of the objective lens.

    Any quantity may have a batch shape: ``defocus_um`` of shape ``(n, 1)`` on tilted waves
    ``(m, y, x)`` makes images ``(n, m, y, x)``.

    Parameters
    ----------
    pixel_size : float
        Of the waves, in Å.
    defocus_um : float or Tensor
        Mean defocus in µm; underfocus is positive.
    cs_mm : float or Tensor
        Spherical aberration in mm.
    astigmatism_um : float or Tensor
        Two-fold astigmatism in µm: half the difference of the two principal defoci.
    astigmatism_angle_deg : float or Tensor
        Direction of the larger defocus, counter-clockwise from x.
    aberrations : mapping, optional
        Further Krivanek coefficients in Å, keys of `difftem.functional.lens.ABERRATIONS`.
    phase_shift : float or Tensor
        Of a phase plate, in rad.
    phase_plate_cut_on : float or Tensor
        Radius of its unscattered spot in 1/Å.
    aperture_mrad : float or Tensor or None
        Objective aperture semi-angle in mrad; None for no aperture.
    aperture_softness_mrad : float or Tensor
        Width of the aperture's edge in mrad.
    cc_mm : float or Tensor
        Chromatic aberration in mm.
    energy_spread_ev : float or Tensor
        Standard deviation of the beam energy in eV.
    current_instability, voltage_instability : float or Tensor
        Relative standard deviations of lens current and high tension.
    source_semiangle_mrad : float or Tensor
        Standard deviation of the illumination angle along each axis, in mrad.
    coherence : {"envelope", "sum"}
        Damping envelopes on the wave, or explicit incoherent sums over focus and source.
    n_focus, n_source : int
        Gauss-Hermite nodes of the sums: over focus, and per axis over the source. Default: as
        many as wave and lens ask for.
    learnable : collection of str
        Any of the quantities' names.

    Examples
    --------
    >>> import torch
    >>> from difftem.modules import Beam, Lens
    >>> lens = Lens(pixel_size=2.0, defocus_um=torch.tensor([0.5, 1.0, 2.0]))  # underfocus
    >>> wave = torch.ones(8, 8, dtype=torch.complex64)
    >>> tuple(lens(wave, Beam()).shape)  # a focus series
    (3, 8, 8)
    """

    def __init__(
        self,
        pixel_size: float,
        defocus_um: float | Tensor = 1.5,
        cs_mm: float | Tensor = 2.7,
        astigmatism_um: float | Tensor = 0.0,
        astigmatism_angle_deg: float | Tensor = 0.0,
        aberrations: Mapping[str, float | Tensor] | None = None,
        phase_shift: float | Tensor = 0.0,
        phase_plate_cut_on: float | Tensor = 1e-3,
        aperture_mrad: float | Tensor | None = None,
        aperture_softness_mrad: float | Tensor = 0.1,
        cc_mm: float | Tensor = 2.7,
        energy_spread_ev: float | Tensor = 0.3,
        current_instability: float | Tensor = 0.0,
        voltage_instability: float | Tensor = 0.0,
        source_semiangle_mrad: float | Tensor = 0.0,
        coherence: Literal["envelope", "sum"] = "envelope",
        n_focus: int | None = None,
        n_source: int | None = None,
        learnable: Collection[str] = (),
    ) -> None:
        super().__init__()
        aberrations = dict(aberrations or {})
        unknown = sorted(set(aberrations) - set(ABERRATIONS))
        if unknown:
            raise ValueError(
                f"unknown aberrations {', '.join(unknown)}; known are {', '.join(ABERRATIONS)}"
            )
        check_learnable(learnable, (*_SIGNED, *_POSITIVE, *aberrations))
        self.has_aperture = aperture_mrad is not None
        given = locals()
        for name in _SIGNED:
            register_quantity(self, name, given[name], learnable)
        for name in _POSITIVE:
            if given[name] is not None:
                register_quantity(self, name, given[name], learnable, Positive())
        for name, value in aberrations.items():
            register_quantity(self, name, value, learnable)
        if not bool((torch.as_tensor(phase_plate_cut_on) > 0).all()):
            raise ValueError(f"phase_plate_cut_on must be positive, got {phase_plate_cut_on} 1/Å")
        for name, count in (("n_focus", n_focus), ("n_source", n_source)):
            if count is not None and count < 1:
                raise ValueError(f"{name} must be at least 1, got {count}")
        self.pixel_size = pixel_size
        self.aberration_names = tuple(aberrations)
        self.coherence = coherence
        self.n_focus = n_focus
        self.n_source = n_source

    def coefficients(
        self,
        defocus_offset: float | Tensor = 0.0,  # Å
    ) -> dict[str, Tensor]:
        """Krivanek coefficients in Å, float64, with an underfocus (Å) added to the lens's own."""
        defocus = um_to_angstrom(self._get("defocus_um")) + defocus_offset
        result = {"C10": -defocus, "C30": mm_to_angstrom(self._get("cs_mm"))}
        if is_active(self, "astigmatism_um"):
            amplitude = -um_to_angstrom(self._get("astigmatism_um"))
            angle = 2 * deg_to_rad(self._get("astigmatism_angle_deg"))
            result["C12a"] = amplitude * torch.cos(angle)
            result["C12b"] = amplitude * torch.sin(angle)
        for name in self.aberration_names:
            result[name] = result.get(name, 0.0) + self._get(name)
        return result

    def focal_spread(
        self,
        energy: Tensor,  # () eV
    ) -> Tensor:  # (...) Å
        """Defocus spread as a standard deviation in Å."""
        return focal_spread(
            energy,
            mm_to_angstrom(self._get("cc_mm")),
            self._get("energy_spread_ev"),
            self._get("current_instability"),
            self._get("voltage_instability"),
        )

    def transfer(
        self,
        shape: tuple[int, int],
        beam: Beam,
        defocus_offset: float | Tensor = 0.0,  # Å
        *,
        damped: bool = True,
        dtype: torch.dtype = torch.float64,
    ) -> Tensor:  # (..., ny, nx) complex
        r"""Transfer function of the wave, :math:`A\,E\,e^{-i\chi + i\varphi}`.

        Aberrations are taken about the tilted beam (coma). `defocus_offset` is an underfocus in
        Å added to the lens's own, `damped` includes the coherence envelopes, `dtype` is that of
        the result's parts.
        """
        return self._transfer(shape, beam, beam.tilt, defocus_offset, damped, dtype)

    def _transfer(
        self,
        shape: tuple[int, int],
        beam: Beam,
        tilt: Tensor | None,  # (..., 2) rad, instead of the beam's
        defocus_offset: float | Tensor,
        damped: bool,
        dtype: torch.dtype,
    ) -> Tensor:
        wavelength = beam.wavelength
        frequencies = tilted_frequencies(shape, self.pixel_size, wavelength, tilt)
        qy, qx, _ = frequencies
        coefficients = self.coefficients(defocus_offset)
        even = tilt is None and not any(ABERRATIONS[name][1] for name in coefficients)
        if even:  # a round lens is known from a quarter of its plane
            qx, qy = qx[:, : shape[1] // 2 + 1].abs(), qy[: shape[0] // 2 + 1].abs()
            frequencies = TiltedFrequencies(qy, qx, None)
        phase = -aberration_phase(qy, qx, wavelength, coefficients)
        if is_active(self, "phase_shift"):
            spot, plate = (qy, qx), (self._get("phase_shift"), self._get("phase_plate_cut_on"))
            if beam.tilt is not None:  # the plate is centred where the beam passes it
                own = beam.tilt.double()[..., None, None] / wavelength
                spot = qy - own[..., 1, :, :], qx - own[..., 0, :, :]
            phase = phase + phase_plate(*spot, *plate)
        # Thousands of rad, brought near zero before they lose digits; the round has no gradient.
        turns = torch.round(phase / (2 * math.pi))
        transfer = phase_factor(torch.sub(phase, turns, alpha=2 * math.pi).to(dtype))
        if self.has_aperture:
            transfer = transfer * aperture(qy, qx, wavelength, *self._edge()).to(dtype)
        if damped:
            spread, source = self.focal_spread(beam.energy), self._source()
            blur = coherence_envelope(frequencies, wavelength, coefficients, spread, source, dtype)
            transfer = transfer * blur.to(dtype)
        return mirrored(transfer, shape) if even else transfer

    def forward(
        self,
        wave: Tensor,  # (..., y, x) complex
        beam: Beam,
        defocus_offset: float | Tensor = 0.0,  # Å
    ) -> Tensor:  # (..., y, x) complex
        """Image wave: damped by the envelopes, or the central one of the incoherent sum."""
        shape, dtype = (wave.shape[-2], wave.shape[-1]), wave.real.dtype
        damped = self.coherence == "envelope"
        transfer = self._transfer(shape, beam, beam.tilt, defocus_offset, damped, dtype)
        return torch.fft.ifft2(torch.fft.fft2(wave) * transfer.to(wave.dtype))

    def intensity(
        self,
        wave: Tensor,  # (..., y, x) complex
        beam: Beam,
        defocus_offset: float | Tensor = 0.0,  # Å
    ) -> Tensor:  # (..., y, x)
        """Image intensity relative to the incident beam, incoherently summed where asked."""
        if self.coherence == "envelope":
            return squared_modulus(self(wave, beam, defocus_offset))
        spectrum = torch.fft.fft2(wave)
        counts = self._nodes(spectrum, beam, defocus_offset)
        nodes = illumination_ensemble(self.focal_spread(beam.energy), self._source(), *counts)
        shape, dtype = (spectrum.shape[-2], spectrum.shape[-1]), spectrum.real.dtype
        total: Tensor | float = 0.0
        last: object = self
        for weight, focus, direction in nodes:
            if direction is not last:  # what a direction's foci share is made once
                tilt, last = beam.tilt, direction
                if direction is not None:
                    tilt = direction if tilt is None else tilt + direction
                sharp = spectrum * self._transfer(shape, beam, tilt, defocus_offset, False, dtype)
                qy, qx, _ = tilted_frequencies(shape, self.pixel_size, beam.wavelength, tilt)
            along_y, along_x = defocus_factors(qy, qx, beam.wavelength, focus)
            seen = sharp * along_y.to(sharp.dtype) * along_x.to(sharp.dtype)
            total = total + weight * squared_modulus(torch.fft.ifft2(seen))
        return torch.as_tensor(total)

    def _nodes(
        self, spectrum: Tensor, beam: Beam, defocus_offset: float | Tensor
    ) -> tuple[int, int]:
        """Nodes over focus and, per axis, source: as given, or as the spectrum asks for."""
        shape, power = (spectrum.shape[-2], spectrum.shape[-1]), squared_modulus(spectrum.detach())
        frequencies = tilted_frequencies(shape, self.pixel_size, beam.wavelength, beam.tilt)
        if self.has_aperture:
            qy, qx, _ = frequencies
            power = power * aperture(qy, qx, beam.wavelength, *self._edge()).detach() ** 2
        coefficients, spread = self.coefficients(defocus_offset), self.focal_spread(beam.energy)
        lens = (frequencies, beam.wavelength, coefficients, spread, self._source())
        return ensemble_nodes(power, *lens, n_focus=self.n_focus, n_source=self.n_source)

    def _source(self) -> Tensor | None:
        """Illumination angle in rad, None for a point source."""
        if not is_active(self, "source_semiangle_mrad"):
            return None
        return mrad_to_rad(self._get("source_semiangle_mrad"))

    def _edge(self) -> tuple[Tensor, Tensor]:
        """Semi-angle and softness of the aperture in rad."""
        angle, softness = self._get("aperture_mrad"), self._get("aperture_softness_mrad")
        return mrad_to_rad(angle), mrad_to_rad(softness)

    def _get(self, name: str) -> Tensor:
        """Quantity in float64: phases of thousands of rad need it."""
        return quantity(self, name).double()
