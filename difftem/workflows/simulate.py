"""Atoms to micrographs."""

import dataclasses
import logging
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

import difftem
from difftem.atoms import Atoms
from difftem.io.mrc import write_mrc, write_rawtlt
from difftem.io.staged_folder import staged_folder
from difftem.simulation.advice import sampling_advice
from difftem.simulation.config import BUNDLED
from difftem.simulation.copies import place_copies, read_particle
from difftem.simulation.device import accelerator_device
from difftem.simulation.limits import changed, check_common
from difftem.simulation.memory import check_memory, estimate_bytes
from difftem.simulation.messages import collected
from difftem.simulation.microscope import build_detector, build_lens, build_simulator
from difftem.simulation.peak_memory import peak_memory_bytes
from difftem.simulation.record import versions, write_record
from difftem.simulation.run import Series, Stopwatch, slices_bar, take_series
from difftem.simulation.sampling import Sampling, choose_sampling
from difftem.simulation.seed import item_seed
from difftem.simulation.settings import configured
from difftem.simulation.simulate_config import SimulateConfig
from difftem.simulation.stage import draw_stage
from difftem.simulation.unit_mistakes import doubtful_units

logger = logging.getLogger(__name__)

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
        title = f"{self.name}: {_conditions(self.config)}"
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
                labels = [what[:80], f"{_conditions(self.config)}, seed {self.config.seed}"[:80]]
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


def simulate(
    structure: str | Path | Atoms | None = None,
    *,
    config: SimulateConfig | str | Path | None = None,
    **settings: Any,
) -> SimulatedMicrographs:
    """Simulate micrographs of a structure, as the command ``difftem simulate`` does.

    Padding, slices and thickness of the ice are chosen where they are not given, and what the
    sampling cannot do is logged as a warning. The defaults are one copy in 512 x 512 pixels of
    1 Å; the command without arguments takes its example's settings instead.

    Parameters
    ----------
    structure : str, Path or Atoms, optional
        Structure file (mmCIF, PDB, XYZ, also .gz) or atoms. Default: the bundled apoferritin.
    config : SimulateConfig or str or Path, optional
        To start from; a YAML file by its path. Default: the defaults of every setting.
    **settings
        Any field of `difftem.simulation.simulate_config.SimulateConfig` by its name, with its
        section's before it where two sections have one of that name: ``pixel_size`` (Å), ``size``
        (x, y in pixels), ``defocus_um``, ``voltage_kv``, ``cs_mm``, ``dose_e_per_a2``,
        ``tilts_deg``, ``exposures``, ``ice_thickness_nm``, ``ice_present``, ``copies_count``,
        ``preset`` (of the camera), ``seed``, ``accelerator`` ... ``difftem simulate --help``
        lists all.

    Returns
    -------
    SimulatedMicrographs
        Images; ``.show()`` draws them, ``.save(folder)`` writes them.

    Raises
    ------
    ValueError
        For bad input, in one line.

    Examples
    --------
    >>> import difftem
    >>> result = difftem.simulate(size=(64, 64), pixel_size=4.0, defocus_um=2.0)
    >>> tuple(result.micrographs.shape)
    (1, 64, 64)
    """
    if structure is not None and not isinstance(structure, Atoms):
        settings = {**settings, "structure_source": structure}
    configuration = configured(SimulateConfig, config, settings)
    check_common(configuration)
    atoms = structure if isinstance(structure, Atoms) else None
    if atoms is not None:
        given = changed(configuration.structure) | (
            changed(configuration.copies) & {"rotation_deg"}
        )
        if given:
            raise ValueError(f"{min(given)} does not apply to atoms, which are taken as they are")
        as_they_are = dataclasses.replace(configuration.structure, source="atoms")
        configuration = dataclasses.replace(configuration, structure=as_they_are)
    with collected() as messages:
        return _simulate(atoms, configuration, messages)


def _simulate(
    given: Atoms | None, config: SimulateConfig, messages: list[str]
) -> SimulatedMicrographs:
    """Simulate as configured."""
    device = accelerator_device(config.accelerator)
    generator = torch.Generator().manual_seed(config.seed)
    # Of the stage alone: its errors leave the particles and the noise as they are.
    stage = draw_stage(config, torch.Generator().manual_seed(item_seed(config.seed, 0, "stage")))
    stopwatch = Stopwatch()
    lens = build_lens(config.microscope, config.sampling.pixel_size)
    detector = build_detector(config.detector)
    with stopwatch.stage("structure"):
        particle = given or read_particle(config.structure, config.copies.rotation_deg)
        atoms = place_copies(particle, config, generator)
    sampling = choose_sampling(atoms, config, lens, stage)
    simulator = build_simulator(atoms, config, sampling, lens, detector, stage)
    logger.info(_summary(len(atoms), sampling))
    doubts = doubtful_units(config.microscope, config.exposure, config.ice)
    for line in doubts + sampling_advice(atoms, config, sampling, float(simulator.beam.wavelength)):
        logger.warning(line)
    exposure = config.exposure
    n_micrographs = len(exposure.tilts_deg) * exposure.exposures
    check_memory(estimate_bytes(sampling, len(atoms), n_micrographs), device)
    simulator.to(device).detector.cpu()  # noise is drawn from the CPU's random numbers
    with slices_bar() as progress:
        taken: Series = take_series(simulator, generator, exposure.exposures, progress, stopwatch)
    return SimulatedMicrographs(
        taken.micrographs,
        taken.noise_free,
        sampling.pixel_size,
        exposure.tilts_deg,
        taken.mean_counts,
        _name(config),
        len(atoms),
        config,
        sampling,
        dict(stopwatch.seconds),
        messages,
    )


def _name(config: SimulateConfig) -> str:
    """Name of the particle for titles."""
    source = config.structure.source
    return "apoferritin (PDB 4V1W)" if source == BUNDLED else Path(source).name


def _conditions(config: SimulateConfig) -> str:
    """How it was imaged, for titles and headers in ASCII."""
    return (
        f"{config.microscope.voltage_kv:g} kV, defocus {config.microscope.defocus_um:g} um, "
        f"{config.exposure.dose_e_per_a2:g} e/A2, {config.detector.preset}"
    )


def _summary(n_atoms: int, sampling: Sampling) -> str:
    ny, nx = sampling.shape
    return (
        f"{n_atoms} atoms, {sampling.crop[1]} x {sampling.crop[0]} px of "
        f"{sampling.pixel_size:g} Å (simulated {nx} x {ny}), {sampling.n_slices} slices of "
        f"{sampling.slice_thickness:.3g} Å"
    )
