"""How much memory an input file will need."""

import math

from difftem.functional.projection import spectrum_bytes
from difftem.simulation.memory import check_memory
from difftem.tem_simulator.files.contents import TemSimulatorInput
from difftem.tem_simulator.microscope import INTERPOLATION, MAX_CYCLES, build_beam
from difftem.tem_simulator.wave_grid import choose_wave_grid

# Fitted to the peaks of experiments/memory, from above: interpreter and libraries; a pixel of the
# wave; a voxel while a map is made, by its source, and of a map that is there; a pixel of an image.
BASE_BYTES = 410e6
WAVE_BYTES = 380
SOURCE_BYTES = {"random": 120, "map": 45, "pdb": 160}
ABSORBING_BYTES = 120  # more of a structure that absorbs by itself
KEPT_BYTES = 16
IMAGE_BYTES = 9


class RunMemory:
    """Add up what maps and waves take, and refuse what cannot fit before it is made.

    Parameters
    ----------
    simulation : TemSimulatorInput
        The input file.
    limit_gb : float, optional
        What the run may take in GB. Default: what the machine has.
    """

    def __init__(self, simulation: TemSimulatorInput, limit_gb: float | None = None) -> None:
        self.limit_gb = limit_gb
        self.kept = self.peak = self.field = 0.0
        self.pixel_size: float | None = None
        if simulation.simulation.generate_micrographs:
            _, geometry, electrons, optics = simulation.micrograph_parts()
            grid = choose_wave_grid(
                simulation.detectors, optics, float(build_beam(electrons).wavelength)
            )
            self.pixel_size = grid.pixel_size
            images = sum(each.det_pix_x * each.det_pix_y for each in simulation.detectors)
            self.field = WAVE_BYTES * math.prod(grid.shape)
            self.field += IMAGE_BYTES * images * ((geometry.ntilts or 1) + 1)
        self._check(self.field)

    def make(
        self, source: str, shape: tuple[int, int, int], voxel_size: float, absorbing: bool = False
    ) -> None:
        """Count a map that is about to be made of voxels of a size in Å."""
        voxels = math.prod(shape)
        per_voxel = SOURCE_BYTES[source] + (ABSORBING_BYTES if absorbing else 0)
        self.peak = max(self.peak, self.kept + per_voxel * voxels)
        self.kept += KEPT_BYTES * voxels
        if self.pixel_size is not None:
            limit = min(MAX_CYCLES / self.pixel_size, 0.5 / voxel_size)
            table, making = spectrum_bytes(shape, voxel_size, limit, INTERPOLATION)
            self.peak = max(self.peak, self.kept + making + self.field / 4)
            self.kept += table
        self._check(max(self.peak, self.kept + self.field))

    def _check(self, needed: float) -> None:
        """Refuse what is too much."""
        check_memory(
            BASE_BYTES + needed,
            limit_gb=self.limit_gb,
            advice="smaller detectors or padding, or larger voxels, would do",
        )
