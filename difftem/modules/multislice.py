"""Multislice: from potential slices to the exit wave."""

from collections.abc import Collection, Iterable, Sequence
from typing import Literal, get_args

from torch import Tensor, nn

from difftem.functional.grid import band_limit_mask
from difftem.functional.multislice import fresnel_propagator, project
from difftem.functional.multislice_gradient import KEPT_BYTES
from difftem.functional.slice_source import Slices, as_slices
from difftem.modules.beam import Beam
from difftem.modules.quantity import (
    UnitInterval,
    check_learnable,
    is_active,
    register_quantity,
)
from difftem.ops.multislice import multislice

Scattering = Literal["multislice", "projection", "weak_phase"]


class Multislice(nn.Module):
    """Send a plane wave through potential slices.

    Parameters
    ----------
    pixel_size : float
        In Å.
    slice_thickness : float
        In Å.
    scattering : {"multislice", "projection", "weak_phase"}
        Propagate from slice to slice, or put all slices into one plane in the slab's middle: as a
        phase object, or as a weak one whose image is linear in the potential.
    amplitude_contrast : float or Tensor
        Fraction of the potential that absorbs, in [0, 1).
    band_limit, taper : float
        Anti-aliasing of the wave, as in `difftem.functional.grid.band_limit_mask`; None for none,
        for slices that are smooth enough: then a gradient leads the exit wave back through the
        slices and keeps no wave, unless something absorbs.
    limit_transmission : bool
        Also band-limit the transmission function of each slice, as Kirkland does, for two more
        FFTs per slice. It matters for atoms at rest (B = 0); docs/explanation/physics.md has the
        figures.
    kept_bytes : int
        For a gradient, slices from atoms are kept if all of them fit in here, else made again.
    learnable : collection of str
        ``amplitude_contrast``.

    Examples
    --------
    >>> import torch
    >>> from difftem.modules import Beam, Multislice
    >>> slices = [torch.zeros(8, 8), torch.zeros(8, 8)]  # projected potential in V Å: vacuum
    >>> wave = Multislice(pixel_size=1.0, slice_thickness=5.0)(slices, Beam())
    >>> round(wave.abs().square().mean().item(), 4)  # no electron is lost
    1.0
    """

    amplitude_contrast: Tensor

    def __init__(
        self,
        pixel_size: float,
        slice_thickness: float,
        *,
        scattering: Scattering = "multislice",
        amplitude_contrast: float | Tensor = 0.0,
        band_limit: float | None = 2 / 3,
        taper: float = 0.01,
        limit_transmission: bool = False,
        kept_bytes: int = KEPT_BYTES,
        learnable: Collection[str] = (),
    ) -> None:
        super().__init__()
        check_learnable(learnable, ("amplitude_contrast",))
        register_quantity(self, "amplitude_contrast", amplitude_contrast, learnable, UnitInterval())
        if scattering not in get_args(Scattering):
            known = ", ".join(get_args(Scattering))
            raise ValueError(f"scattering must be one of {known}, got {scattering!r}")
        if band_limit is None and (limit_transmission or scattering != "multislice"):
            raise ValueError(
                "band_limit must be a number for limit_transmission or a projection, got None"
            )
        self.scattering = scattering
        self.pixel_size = pixel_size
        self.slice_thickness = slice_thickness
        self.band_limit = band_limit
        self.taper = taper
        self.limit_transmission = limit_transmission
        self.kept_bytes = kept_bytes

    def wave_height(
        self,
        heights: Sequence[float],  # Å
    ) -> float:  # Å
        """Height of the plane of the returned wave above the middle of the specimen.

        Slices act at their heights, and the wave is given one thickness behind the last one; a
        projection lies in the middle.
        """
        return heights[-1] + self.slice_thickness if self.scattering == "multislice" else 0.0

    def forward(
        self,
        projected_potential: Tensor | Slices | Iterable[Tensor],  # (..., n_slices, y, x) V Å
        beam: Beam,
    ) -> Tensor:  # (..., y, x) complex
        """Exit wave behind the last slice.

        Parameters
        ----------
        projected_potential : Tensor, Slices or iterable of Tensor
            Slices in V Å: stacked, made when needed (`difftem.modules.Potential.source`), or
            streamed from a generator so that one is held at a time. Where they are complex, the
            imaginary part absorbs.
        beam : Beam
            Wavelength, interaction constant and tilt, which may stand for that of a crystal by a
            small angle.

        Returns
        -------
        Tensor
            Complex exit wave for an incident beam of intensity 1.

        Notes
        -----
        The gradient of stacked or made slices holds about 2 waves times the square root of
        their number; see `difftem.ops.multislice.multislice`.
        """
        slices = as_slices(projected_potential)
        shape = (slices.shape[-2], slices.shape[-1])
        dtype, sigma = slices.dtype.to_real(), beam.sigma
        contrast = self.amplitude_contrast if is_active(self, "amplitude_contrast") else None
        mask = None
        if self.band_limit is not None and (
            self.limit_transmission or self.scattering != "multislice"
        ):
            mask = band_limit_mask(
                shape, self.band_limit, self.taper, device=slices.device, dtype=dtype
            )
        if mask is not None and self.scattering != "multislice":
            weak = self.scattering == "weak_phase"
            return project(slices, sigma.to(dtype), mask, contrast, weak=weak)
        propagator = fresnel_propagator(
            shape,
            self.pixel_size,
            self.slice_thickness,
            beam.wavelength,
            beam.tilt,
            self.band_limit,
            self.taper,
            dtype,
        )
        return multislice(
            slices,
            sigma,
            propagator,
            contrast,
            mask,
            unitary=self.band_limit is None,
            kept_bytes=self.kept_bytes,
        )
