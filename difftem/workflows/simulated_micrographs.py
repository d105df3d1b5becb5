"""Micrographs of a structure: what they hold, how they are drawn and written."""

import dataclasses
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from torch import Tensor

import difftem
from difftem.io.mrc import write_mrc, write_rawtlt
from difftem.io.staged_folder import staged_folder
from difftem.simulation.config import BUNDLED
from difftem.simulation.peak_memory import peak_memory_bytes
from difftem.simulation.record import versions, write_record
from difftem.simulation.run import Stopwatch
from difftem.simulation.sampling import Sampling
from difftem.simulation.simulate_config import SimulateConfig

MICROGRAPH, NOISE_FREE, RECORD, PREVIEW = (
    "micrograph.mrc",
    "noise_free.mrc",
    "run.json",
    "preview.png",
)
TILTS = "micrograph.rawtlt"
OUTPUTS = (MICROGRAPH, NOISE_FREE, TILTS, PREVIEW, RECORD)


@dataclass(frozen=True, eq=False)
class SimulatedMicrographs:
    """Micrographs of a structure, and how they came about.

    Attributes
    ----------
    micrographs : Tensor
        Grey values, shape ``(n_tilts * exposures, y, x)``.
    noise_free : Tensor
        Mean of all exposures of each tilt, grey values, shape ``(n_tilts, y, x)``.
    pixel_size : float
        Å.
    tilts_deg : list of float
        What the stage was set to, one for each noise-free image.
    mean_counts : float
        Expected electrons per pixel.
    name : str
        Of the structure's file.
    n_atoms : int
        Of all copies.
    config : SimulateConfig
        Everything that was asked for.
    sampling : Sampling
        Padding and slices, as they were chosen.
    seconds : dict
        Time that each stage took.
    messages : list of str
        Warnings and notes.
    """

    micrographs: Tensor
    noise_free: Tensor
    pixel_size: float
    tilts_deg: list[float]
    mean_counts: float
    name: str
    n_atoms: int
    config: SimulateConfig
    sampling: Sampling
    seconds: dict[str, float]
    messages: list[str]

    def figure(self) -> Any:
        """Draw the middle tilt: noise-free, with noise, and its power spectrum.

        Returns
        -------
        matplotlib.figure.Figure
            The figure.
        """
        from difftem.simulation.preview import draw_preview

        middle = len(self.noise_free) // 2
        exposures = len(self.micrographs) // len(self.noise_free)
        title = f"{self.name}: {conditions(self.config)}"
        if len(self.tilts_deg) > 1:
            title += f", tilt {self.tilts_deg[middle]:g}°"
        return draw_preview(
            self.noise_free[middle],
            self.micrographs[middle * exposures],
            self.pixel_size,
            title.replace("A2", "Å²").replace(" um", " µm"),
        )

    def show(self) -> None:
        """Show `figure` in a window or a notebook."""
        from difftem.simulation.preview import show_figure

        show_figure(self.figure())

    def save(self, folder: str | Path, overwrite: bool = False) -> Path:
        """Write images, preview and record, all or nothing.

        Parameters
        ----------
        folder : str or Path
            To make; an existing one must be empty.
        overwrite : bool
            Replace the files of an earlier run.

        Returns
        -------
        Path
            The folder.

        Raises
        ------
        InputError
            If the folder has other contents, or cannot be written.
        """
        from difftem.simulation.preview import save_figure

        stopwatch = Stopwatch()
        with staged_folder(Path(folder), overwrite, OUTPUTS) as staged:
            with stopwatch.stage("output"):
                what = f"difftem {difftem.__version__}, {self.name}"
                labels = [what[:80], f"{conditions(self.config)}, seed {self.config.seed}"[:80]]
                for name, images in (
                    (MICROGRAPH, self.micrographs),
                    (NOISE_FREE, self.noise_free),
                ):
                    write_mrc(staged / name, images.numpy(), self.pixel_size, labels)
                if len(self.tilts_deg) > 1:
                    exposures = len(self.micrographs) // len(self.noise_free)
                    angles = [tilt for tilt in self.tilts_deg for _ in range(exposures)]
                    write_rawtlt(staged / TILTS, angles)
                save_figure(self.figure(), staged / PREVIEW)
            write_record(staged / RECORD, self._record({**self.seconds, **stopwatch.seconds}))
        return Path(folder)

    def _record(self, seconds: dict[str, float]) -> dict[str, Any]:
        """Say what was done, with what, and how long it took."""
        return {
            "config": dataclasses.asdict(self.config),
            "seed": self.config.seed,
            "sampling": dataclasses.asdict(self.sampling),
            "n_atoms": self.n_atoms,
            "mean_expected_counts_per_pixel": self.mean_counts,
            "messages": self.messages,
            "seconds": {name: round(value, 4) for name, value in seconds.items()},
            "peak_memory_bytes": peak_memory_bytes(),
            "versions": versions(),
        }


def structure_name(config: SimulateConfig) -> str:
    """Name of the particle for titles."""
    source = config.structure.source
    return "apoferritin (PDB 4V1W)" if source == BUNDLED else Path(source).name


def conditions(config: SimulateConfig) -> str:
    """How it was imaged, for titles and headers in ASCII."""
    return (
        f"{config.microscope.voltage_kv:g} kV, defocus {config.microscope.defocus_um:g} um, "
        f"{config.exposure.dose_e_per_a2:g} e/A2, {config.detector.preset}"
    )
