"""Multislice that keeps the inelastically scattered electrons."""

import math
from collections.abc import Iterable, Mapping, Sequence
from itertools import chain

import torch
from torch import Tensor, nn

from difftem.functional.inelastic import CARBON, AngularTransfer, angular_transfer
from difftem.functional.inelastic_multislice import Steps, inelastic_multislice
from difftem.modules.beam import Beam
from difftem.ops.wave import propagate, transmit
from difftem.ops.wave_buffers import wave_buffers
from difftem.units import mrad_to_rad


class ApertureTransfer:
    """Angles of inelastic electrons that pass an aperture, tabulated once per voltage and reach.

    Parameters
    ----------
    composition : mapping
        Number of atoms by atomic number.
    aperture_mrad : float
        Semi-angle in mrad.
    angular_step_mrad : float, optional
        As in `difftem.functional.inelastic.angular_transfer`.
    """

    def __init__(
        self,
        composition: Mapping[int, float],
        aperture_mrad: float,
        angular_step_mrad: float | None = None,
    ) -> None:
        if not aperture_mrad > 0:
            raise ValueError(f"aperture_mrad must be positive, got {aperture_mrad}")
        self.composition = dict(composition)
        self.aperture_mrad = aperture_mrad
        self.angular_step_mrad = angular_step_mrad
        self._kept: tuple[tuple[float, float, torch.device], AngularTransfer] | None = None

    def __call__(
        self,
        energy: Tensor,  # () eV
        pixel_size: float,  # Å
        max_distance: float,  # Å
    ) -> AngularTransfer:
        """Table for every frequency of the pixels and planes up to this far out of focus."""
        max_reach = math.sqrt(2) * math.pi / pixel_size * max_distance
        key = (float(energy.detach()), max_reach, energy.device)
        if self._kept is not None and self._kept[0] == key and not energy.requires_grad:
            return self._kept[1]
        step = self.angular_step_mrad
        made = angular_transfer(
            self.composition,
            energy,
            mrad_to_rad(self.aperture_mrad),
            max_reach,
            None if step is None else mrad_to_rad(step),
        )
        self._kept = None if energy.requires_grad else (key, made)
        return made


class InelasticMultislice(nn.Module):
    """Send a plane wave through absorbing slices; image what they scatter inelastically.

    Parameters
    ----------
    pixel_size : float
        In Å.
    aperture_mrad : float
        Semi-angle of the objective aperture in mrad: of what is scattered farther nothing arrives.
    band_limit, taper : float
        Anti-aliasing of the wave, as in `difftem.functional.grid.band_limit_mask`; None for none,
        as in TEM-simulator.
    angular_step_mrad : float, optional
        Sum over scattering angles in these steps, as TEM-simulator does. Default: converged.
    composition : mapping, optional
        Atoms that stand for the specimen's, number by atomic number. Default: carbon.

    Examples
    --------
    >>> import torch
    >>> from difftem.modules import Beam, InelasticMultislice
    >>> nothing = [torch.zeros(16, 16, dtype=torch.complex64)]  # one slice
    >>> multislice = InelasticMultislice(pixel_size=4.0, aperture_mrad=10.0)
    >>> defocus = torch.tensor(10_000.0)  # Å, underfocus
    >>> wave, scattered = multislice(nothing, [0.0], defocus, Beam())
    >>> round(wave.abs().square().mean().item(), 3), scattered.abs().max().item()
    (1.0, 0.0)
    """

    def __init__(
        self,
        pixel_size: float,
        aperture_mrad: float,
        *,
        band_limit: float | None = 2 / 3,
        taper: float = 0.01,
        angular_step_mrad: float | None = None,
        composition: Mapping[int, float] | None = None,
    ) -> None:
        super().__init__()
        self.transfer = ApertureTransfer(composition or CARBON, aperture_mrad, angular_step_mrad)
        self.pixel_size = pixel_size
        self.band_limit = band_limit
        self.taper = taper

    def wave_height(
        self,
        heights: Sequence[float],  # Å
    ) -> float:  # Å
        """Height of the plane of the returned wave: that of the last slice."""
        return heights[-1]

    def forward(
        self,
        projected_potential: Tensor | Iterable[Tensor],  # (..., n_slices, y, x) complex V Å
        heights: Sequence[float],  # n_slices, Å
        defocus: Tensor,  # (...) Å
        beam: Beam,
    ) -> tuple[Tensor, Tensor]:  # (..., y, x) complex, (..., y, x)
        """Exit wave and inelastic intensity.

        Parameters
        ----------
        projected_potential : Tensor or iterable of Tensor
            Complex slices in V Å, stacked or streamed.
        heights : sequence of float
            Heights of their planes in Å, rising along the beam; empty planes may be left out.
        defocus : Tensor
            Underfocus of the plane z = 0, Å.
        beam : Beam
            Energy, wavelength and interaction constant; it must not be tilted.

        Returns
        -------
        tuple of Tensor
            Wave in the plane of the last slice, whose underfocus is its height plus `defocus`, and
            the inelastic intensity in the image, to be added to that of the wave.
        """
        if beam.tilt is not None:
            raise ValueError("an InelasticMultislice needs a beam that is not tilted")
        slices = (
            projected_potential.unbind(-3)
            if isinstance(projected_potential, Tensor)
            else projected_potential
        )
        stream = iter(slices)
        first = next(stream)
        distances = defocus.detach()[..., None] + torch.tensor(heights).to(defocus)
        return inelastic_multislice(
            chain([first], stream),
            heights,
            beam.sigma.to(first.real.dtype),
            beam.wavelength,
            self.pixel_size,
            self.transfer(beam.energy, self.pixel_size, float(distances.abs().max())),
            defocus,
            None,
            self.band_limit,
            self.taper,
            Steps(transmit, propagate, wave_buffers),
        )
