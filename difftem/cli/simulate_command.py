"""`difftem simulate` with a configuration of our own."""

import dataclasses
import json
import platform
import sys
from pathlib import Path

import torch
from tqdm import tqdm

import difftem
from difftem.cli.parsing import parse
from difftem.functional.grid import check_pixel_size
from difftem.io.examples import example_config
from difftem.io.mrc import write_mrc, write_rawtlt
from difftem.io.staged_folder import staged_folder
from difftem.simulation.advice import sampling_advice
from difftem.simulation.config import SimulateConfig
from difftem.simulation.device import accelerator_device
from difftem.simulation.memory import check_memory, estimate_bytes
from difftem.simulation.microscope import (
    Sampling,
    build_detector,
    build_lens,
    build_simulator,
    choose_sampling,
)
from difftem.simulation.particle import place_copies, read_particle
from difftem.simulation.peak_memory import peak_memory_bytes
from difftem.simulation.preview import save_preview
from difftem.simulation.run import Run, Stopwatch, run_simulation

DESCRIPTION = """Simulate micrographs of a structure.

CONFIG is a YAML file; without it the bundled example, apoferritin in ice, is imaged. Every field
can be overridden on the command line (--microscope.defocus_um 2), and --print_config writes a
complete file to start from. Lengths are Å and angles rad unless a name says otherwise (_kv, _um,
_deg). An input file of TEM-simulator (difftem simulate input.txt) is simulated as that program
does; difftem simulate input.txt --help says more.

Writes micrographs.mrc and noise_free.mrc (float32 stacks), preview.png, run.json and, for a tilt
series, micrographs.rawtlt into the output folder."""


OUTPUTS = (
    "micrographs.mrc",
    "noise_free.mrc",
    "micrographs.rawtlt",
    "preview.png",
    "run.json",
)
PIXEL_SIZES = (1e-3, 1e3)  # Å; outside, the unit was mistaken


def main(arguments: list[str]) -> None:
    """Run the command.

    Parameters
    ----------
    arguments : list of str
        What follows ``difftem simulate``.

    Raises
    ------
    ValueError
        For bad input, in one line.
    """
    if not any(each.startswith(("--structure.file", "--config")) for each in arguments) and (
        not arguments or arguments[0].startswith("-")
    ):
        arguments = [str(example_config()), *arguments]
    config, options = parse("difftem simulate", DESCRIPTION, SimulateConfig, arguments)
    with staged_folder(Path(options.output), options.overwrite, OUTPUTS) as folder:
        simulate(config, options.folders, folder)
    print(f"wrote {options.output}")


def simulate(config: SimulateConfig, folders: list[Path], output: Path) -> None:
    """Simulate as configured and write everything into a folder.

    Parameters
    ----------
    config : SimulateConfig
        Resolved configuration.
    folders : list of Path
        Where to look for relative paths.
    output : Path
        Existing, empty folder.
    """
    exposure = config.exposure
    if exposure.exposures < 1 or not exposure.tilts_deg:
        raise ValueError("exposure.exposures must be at least 1 and exposure.tilts_deg not empty")
    steep = [t for t in exposure.tilts_deg if not -89 <= t <= 89]
    if steep:
        raise ValueError(f"exposure.tilts_deg must lie between -89 and 89 degrees, got {steep[0]}")
    pixel_size = config.sampling.pixel_size
    check_pixel_size(pixel_size)
    if not PIXEL_SIZES[0] <= pixel_size <= PIXEL_SIZES[1]:
        raise ValueError(
            f"sampling.pixel_size must be within {PIXEL_SIZES[0]:g} and {PIXEL_SIZES[1]:g} Å, "
            f"got {pixel_size:g}"
        )
    device = accelerator_device(config.accelerator)
    generator = torch.Generator().manual_seed(config.seed)
    stopwatch = Stopwatch()
    lens = build_lens(config.microscope, config.sampling.pixel_size)
    detector = build_detector(config.detector, folders)
    with stopwatch.stage("structure"):
        particle = read_particle(config, folders)
        atoms = place_copies(particle, config, folders, generator)
    sampling = choose_sampling(atoms, config, lens)
    simulator = build_simulator(atoms, config, sampling, lens, detector)
    _say(_summary(len(atoms), sampling))
    for line in sampling_advice(atoms, config, sampling, float(simulator.beam.wavelength)):
        _say(f"warning: {line}")
    n_micrographs = len(exposure.tilts_deg) * exposure.exposures
    memory = check_memory(estimate_bytes(sampling, len(atoms), n_micrographs), device)
    if memory is not None:
        _say(memory)
    simulator.to(device).detector.cpu()  # noise is drawn from the CPU's random numbers
    run = run_simulation(simulator, exposure.tilts_deg, exposure.exposures, generator, stopwatch)
    with stopwatch.stage("output"):
        _write_images(run, config, output)
    _write_record(output / "run.json", config, sampling, run, stopwatch, len(atoms))


def _write_images(run: Run, config: SimulateConfig, output: Path) -> None:
    """Write stacks, tilt angles and the preview."""
    exposure, pixel_size = config.exposure, config.sampling.pixel_size
    what = f"difftem {difftem.__version__}, {_particle_name(config)}"
    conditions = (
        f"{config.microscope.voltage_kv:g} kV, defocus {config.microscope.defocus_um:g} um, "
        f"{exposure.dose_e_per_a2:g} e/A2, {config.detector.preset}, seed {config.seed}"
    )
    labels = [what[:80], conditions[:80]]
    write_mrc(output / "micrographs.mrc", run.micrographs.numpy(), pixel_size, labels)
    write_mrc(output / "noise_free.mrc", run.noise_free.numpy(), pixel_size, labels)
    if len(exposure.tilts_deg) > 1:
        angles = [tilt for tilt in exposure.tilts_deg for _ in range(exposure.exposures)]
        write_rawtlt(output / "micrographs.rawtlt", angles)
    title = f"{_particle_name(config)}: {conditions}".replace("A2", "Å²").replace(" um", " µm")
    middle = len(exposure.tilts_deg) // 2
    save_preview(
        output / "preview.png",
        run.noise_free[middle],
        run.micrographs[middle * exposure.exposures],
        pixel_size,
        title,
    )


def _write_record(
    path: Path,
    config: SimulateConfig,
    sampling: Sampling,
    run: Run,
    stopwatch: Stopwatch,
    n_atoms: int,
) -> None:
    """Write what was done, with what, and how long it took."""
    record = {
        "config": dataclasses.asdict(config),
        "seed": config.seed,
        "sampling": dataclasses.asdict(sampling),
        "n_atoms": n_atoms,
        "mean_expected_counts_per_pixel": run.mean_counts,
        "seconds": {name: round(value, 4) for name, value in stopwatch.seconds.items()},
        "peak_memory_bytes": peak_memory_bytes(),
        "versions": {
            "difftem": difftem.__version__,
            "torch": torch.__version__,
            "python": platform.python_version(),
        },
    }
    path.write_text(json.dumps(record, indent=2, allow_nan=False) + "\n", "utf-8")


def _particle_name(config: SimulateConfig) -> str:
    file = config.structure.file
    return "apoferritin (PDB 4V1W)" if file is None else Path(file).name


def _summary(n_atoms: int, sampling: Sampling) -> str:
    ny, nx = sampling.shape
    return (
        f"{n_atoms} atoms, {sampling.crop[1]} x {sampling.crop[0]} px of "
        f"{sampling.pixel_size:g} Å (simulated {nx} x {ny}), {sampling.n_slices} slices of "
        f"{sampling.slice_thickness:.3g} Å"
    )


def _say(line: str) -> None:
    """Print to standard error without tearing a progress bar."""
    tqdm.write(line, file=sys.stderr)
