"""Micrographs of a structure: what they hold, how they are drawn and written."""

import dataclasses
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from torch import Tensor

import difftem
from difftem.io.image_stack import SUFFIXES, write_stack
from difftem.io.mrc import write_rawtlt
from difftem.io.staged_folder import staged_folder
from difftem.scene.poses import is_name
from difftem.simulation.config import BUNDLED, EDGE
from difftem.simulation.focus import defocus_in_words
from difftem.simulation.peak_memory import peak_memory_bytes
from difftem.simulation.record import versions, write_record
from difftem.simulation.run import Stopwatch
from difftem.simulation.sampling import Sampling
from difftem.simulation.simulate_config import SimulateConfig
from difftem.units import kev_to_ev
from difftem.workflows.truth.imaged_scene import ImagedScene, stack_name
from difftem.workflows.truth.on_demand import ON_DEMAND, write_on_demand
from difftem.workflows.truth.write_truth import ALIGNMENT, TRUTH_FILES, write_truth

RECORD, PREVIEW, TILTS = "run.json", "preview.png", "micrograph.rawtlt"
STACKS = ("micrograph", "noise_free", "exit_wave", "labels")
OUTPUTS = (
    *(name + suffix for name in STACKS for suffix in (*SUFFIXES.values(), ".mrcs")),
    *TRUTH_FILES,
    *(f"micrograph{suffix}" for suffix in ALIGNMENT),
    *ON_DEMAND,
    "series.star",
    TILTS,
    PREVIEW,
    RECORD,
)


@dataclass(frozen=True, eq=False)
class SimulatedMicrographs:
    """Micrographs of a structure, and how they came about.

    Attributes
    ----------
    micrographs : Tensor
        Grey values, shape ``(n_tilts * n_defoci * exposures, y, x)``.
    noise_free : Tensor
        Mean of all exposures of each tilt and defocus, grey values, shape
        ``(n_tilts * n_defoci, y, x)``.
    pixel_size : float
        Å.
    tilts_deg, defoci_um : list of float
        What stage and lens were set to, one for each noise-free image.
    mean_counts : float
        Expected electrons per pixel.
    name : str
        Of the structure's file.
    n_atoms : int
        Of all copies.
    imaged : ImagedScene
        Where the copies are, and how the images show them.
    config : SimulateConfig
        Everything that was asked for.
    sampling : Sampling
        Padding and slices, as they were chosen.
    seconds : dict
        Time that each stage took.
    messages : list of str
        Warnings and notes.
    exit_waves : Tensor or None
        Of each tilt, in the whole simulated field, shape ``(n_tilts, ny, nx)``, complex; where
        ``files.exit_wave`` asks for them.
    wave_heights : tuple of float
        Å, of each wave's plane above the middle of the specimen, which defocus is counted from.
    wave_pixel_size : float
        Å, of the exit waves.
    """

    micrographs: Tensor
    noise_free: Tensor
    pixel_size: float
    tilts_deg: list[float]
    defoci_um: list[float]
    mean_counts: float
    name: str
    n_atoms: int
    imaged: ImagedScene
    config: SimulateConfig
    sampling: Sampling
    seconds: dict[str, float]
    messages: list[str]
    exit_waves: Tensor | None = None
    wave_heights: tuple[float, ...] = ()
    wave_pixel_size: float = 0.0

    def figure(self) -> Any:
        """Draw the middle image of a series: noise-free, with noise, and its power spectrum.

        Returns
        -------
        matplotlib.figure.Figure
            The figure.
        """
        from difftem.simulation.preview import draw_preview, image_title

        middle = len(self.noise_free) // 2
        exposures = len(self.micrographs) // len(self.noise_free)
        return draw_preview(
            self.noise_free[middle],
            self.micrographs[middle * exposures],
            self.pixel_size,
            f"{self.name}: {conditions(self.config, self.defoci_um[middle])}",
            image_title(middle, self.tilts_deg, self.defoci_um),
        )

    def show(self) -> None:
        """Show `figure` in a window or a notebook."""
        from difftem.simulation.preview import show_figure

        show_figure(self.figure())

    def save(self, folder: str | Path, overwrite: bool = False) -> Path:
        """Write images, truth, preview and record, all or nothing.

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
                micrograph = self._write_images(staged)
                write_truth(staged, self.imaged, micrograph)
                first = self.micrographs[0]
                write_on_demand(staged, self.imaged, micrograph, first, self.config.truth)
                save_figure(self.figure(), staged / PREVIEW)
            write_record(staged / RECORD, self._record({**self.seconds, **stopwatch.seconds}))
        return Path(folder)

    def _write_images(self, folder: Path) -> str:
        """Write stacks, and the tilt angles beside them; returns the name of the micrographs."""
        suffix = SUFFIXES[self.config.files.format]
        what = f"difftem {difftem.__version__}, {self.name}"
        how = conditions(self.config, *self.defoci_um).replace("Å²", "A2").replace("µm", "um")
        labels = [what[:80], f"{how}, seed {self.config.seed}"[:80]]
        exposures = len(self.micrographs) // len(self.noise_free)
        everything = [
            ("micrograph", self.micrographs, exposures),
            ("noise_free", self.noise_free, 1),
        ]
        for name, images, times in everything:
            known = {
                "unit": "grey value",
                "tilt_deg": [each for each in self.tilts_deg for _ in range(times)],
                "defocus_um": [each for each in self.defoci_um for _ in range(times)],
            }
            path, axes = folder / self._stack_name(name), ("image", "y", "x")
            write_stack(path, images.numpy(), self.pixel_size, axes, labels, known)
        if len(set(self.tilts_deg)) > 1:
            angles = [tilt for tilt in self.tilts_deg for _ in range(exposures)]
            write_rawtlt(folder / TILTS, angles)
        if self.exit_waves is not None:
            heights = ", ".join(f"{each:.2f}" for each in self.wave_heights)
            labels.append(f"exit wave; its plane is {heights} A above the middle"[:80])
            path = folder / ("exit_wave" + suffix)
            waves, axes, known = self.exit_waves.numpy(), ("tilt", "y", "x"), self._wave_facts()
            write_stack(path, waves, self.wave_pixel_size, axes, labels, known)
        return self._stack_name("micrograph")

    def _stack_name(self, name: str) -> str:
        """Name of a file of images: MRC stacks of tilt series end as RELION wants it."""
        return stack_name(name, self.config.exposure.tilts_deg, self.config.files.format)

    def _wave_facts(self) -> dict[str, Any]:
        """Say what a user of the exit waves must know."""
        return {
            "energy_ev": kev_to_ev(self.config.microscope.voltage_kv),
            "pixel_size_angstrom": self.wave_pixel_size,
            "plane_above_middle_angstrom": list(self.wave_heights),
            "tilt_deg": self.config.exposure.tilts_deg,
        }

    def _record(self, seconds: dict[str, float]) -> dict[str, Any]:
        """Say what was done, with what, and how long it took."""
        images = zip(self.tilts_deg, self.defoci_um, strict=True)
        return {
            "config": dataclasses.asdict(self.config),
            "seed": self.config.seed,
            "sampling": dataclasses.asdict(self.sampling),
            "n_atoms": self.n_atoms,
            "images": [{"tilt_deg": tilt, "defocus_um": defocus} for tilt, defocus in images],
            **({} if self.exit_waves is None else {"exit_wave": self._wave_facts()}),
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


def particle_name(config: SimulateConfig) -> str:
    """Name of the particle in tables: that of the file without what a name may not have."""
    source = config.structure.source
    stem = source if source == BUNDLED else Path(source.removesuffix(".gz")).stem
    return "".join(c if is_name(c) else "_" for c in stem) or "particle"


def conditions(config: SimulateConfig, *defoci_um: float) -> str:
    """How it was imaged, in one line."""
    camera = f"{config.exposure.dose_e_per_a2:.4g} e/Å², {config.detector.preset}"
    if config.structure.source == EDGE:  # lies on the camera, behind the lens
        return camera
    defocus = defocus_in_words(*defoci_um)
    return f"{config.microscope.voltage_kv:g} kV, defocus {defocus}, {camera}"
