"""How much memory a scene will need, while its particles are made ready."""

import math
from collections.abc import Mapping

import torch

from difftem.atoms import Atoms
from difftem.functional.projection import spectrum_bytes
from difftem.functional.slabs import Slabs, highest_frequency
from difftem.modules import Beam, Particle
from difftem.modules.particle_specimen import THICK
from difftem.modules.project_particles import KEPT_BYTES
from difftem.scene.templates.render import rendering_bytes
from difftem.simulation.memory import (
    BASE_BYTES,
    IMAGE_BYTES,
    check_memory,
    ice_bytes,
    lens_bytes,
)
from difftem.simulation.sampling import choose_field, particle_slice_thickness
from difftem.simulation.scene_config import SceneConfig

CHUNK_BYTES = 40e6  # Fourier coefficients of some copies
# Between arrays, as the C library found room: more or less in every run.
HOLES_BYTES, HOLES = 60e6, 1.06
TRUTH_BYTES = 12  # of a pixel: labels, and what is drawn
COMPLEX = 8
# A spectrum that takes more is made of arrays with mappings of their own, which leave no holes.
MAPPED_BYTES, MAPPED = 3e8, 0.95


class SceneMemory:
    """Add up what particles take, and refuse what cannot fit before it is made.

    Parameters
    ----------
    config : SceneConfig
        As configured.
    processes : int
        That take micrographs at once; 0 refuses nothing.
    device : torch.device, optional
        That computes. Default: the CPU.
    """

    def __init__(
        self, config: SceneConfig, processes: int = 1, device: torch.device | None = None
    ) -> None:
        self.config, self.processes, self.device = config, processes, device
        variation, microscope = config.variation.defocus_um, config.microscope
        values = (microscope.defocus_um,) if variation is None else variation
        farthest = max(values, key=abs)
        self.microscope = type(microscope)(**{**vars(microscope), "defocus_um": farthest})
        self.field = choose_field(config.sampling, self.microscope)
        self.kept, self.peak, self.largest = 0.0, 0.0, 0.0
        self._check(self._imaging())

    def render(self, atoms: Atoms, voxel_size: float) -> None:
        """Refuse to render a template that would not fit; voxel size in Å."""
        self.peak = max(self.peak, self.kept + rendering_bytes(atoms, voxel_size))
        self._check(self.peak)

    def keep(self, particle: Particle) -> None:
        """Count a template that is there, and its spectrum."""
        volume, table, making = self._template(particle)
        self.largest = max(self.largest, making)
        if making > MAPPED_BYTES:
            making *= MAPPED
        self.peak = max(self.peak, self.kept + volume + making)
        self.kept += volume + table

    @property
    def has_large_spectra(self) -> bool:
        """Whether large arrays should get mappings of their own while spectra are made."""
        return self.largest > MAPPED_BYTES

    def finish(self, particles: Mapping[str, Particle], numbers: Mapping[str, int]) -> float:
        """Predict the peak of a process in bytes with so many copies, and refuse what is too much.

        Parameters
        ----------
        particles : mapping of str to Particle
            All of them.
        numbers : mapping of str to int
            Copies in a micrograph, about.

        Returns
        -------
        float
            Bytes.
        """
        planes = sum(self._planes(each, numbers[name]) for name, each in particles.items())
        needed = max(self.peak, self.kept + planes + self._imaging())
        self._check(needed)
        return BASE_BYTES + HOLES_BYTES + HOLES * needed

    def _imaging(self) -> float:
        """Bytes of waves, lens and images, without particles."""
        ny, nx = self.field.crop
        tilts = len(self.config.exposure.tilts_deg)
        images = (2 * IMAGE_BYTES + TRUTH_BYTES) * tilts * ny * nx
        lens = lens_bytes(self.field, self.microscope) + ice_bytes(self.field, self.config.ice)
        return lens + images + CHUNK_BYTES

    def _template(self, particle: Particle) -> tuple[float, float, float]:
        """Bytes of voxels and table of a particle, and while the second is made."""
        volume = particle.volume
        shape = (volume.shape[0], volume.shape[1], volume.shape[2])
        limit = min(particle.nyquist, 1 / (3 * self.field.wave_pixel_size))
        table, making = spectrum_bytes(shape, particle.voxel_size, limit, particle.interpolation)
        return volume.nbytes, table, making

    def _planes(self, particle: Particle, number: int) -> float:
        """Bytes of Fourier planes that are kept of copies that reach through several slices."""
        slice_thickness = particle_slice_thickness(self.config.sampling)
        if 2 * particle.radius <= THICK * slice_thickness:
            return 0.0
        wavelength = Beam(self.microscope.voltage_kv).wavelength
        slabs = Slabs(wavelength, "slice", slice_thickness, particle.radius)
        limit = min(particle.nyquist, 1 / (3 * self.field.wave_pixel_size))
        reach = min(particle.nyquist, highest_frequency(limit, slabs))
        points = math.pi * (2 * particle.radius * 1.2 * min(limit, reach)) ** 2
        return min(KEPT_BYTES, COMPLEX * points * slabs.n_planes * number)

    def _check(self, needed: float) -> None:
        """Refuse what is too much."""
        if self.processes:
            check_memory(
                BASE_BYTES + HOLES_BYTES + HOLES * needed,
                self.device,
                self.config.memory_limit_gb,
                self.processes,
                "a smaller sampling.size, larger pixels or sampling.band fast would do",
            )
