"""What signal up to Nyquist costs: `sampling.band` full beside fast, in one run.

``python -m experiments.simulator_speed.band`` prints a table.
"""

import argparse
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import torch

from difftem.simulation.sampling import choose_field
from difftem.simulation.scene_config import ParticleConfig, SceneConfig, SceneSamplingConfig
from difftem.simulation.scene_microscope import SceneMicroscope
from difftem.simulation.simulate_config import SimulateConfig
from difftem.workflows.simulate import simulate
from experiments._base.results import markdown_table
from experiments.simulator_speed.measure import interleave, ratio, summarise

Band = Literal["fast", "full"]
BANDS: tuple[Band, ...] = ("fast", "full")
COLUMNS = (
    "command",
    "micrograph",
    "band",
    "signal ends [Å]",
    "waves [px]",
    "wall [s]",
    "CPU [s]",
    "CPU / fast",
)


@dataclass(frozen=True)
class BandCase:
    """A command on a square field with its defaults otherwise."""

    command: str
    size: int  # pixels
    pixel_size: float  # Å
    copies: int


CASES = (
    BandCase("generate", 1024, 2.0, 60),
    BandCase("generate", 512, 1.0, 12),
    BandCase("simulate", 512, 1.0, 1),
)
SMOKE = (BandCase("generate", 64, 4.0, 1), BandCase("simulate", 64, 6.0, 1))


def prepare(case: BandCase, band: Band) -> Callable[[], torch.Tensor]:
    """Make ready what `generate` makes once for a set; the call makes one noise-free image."""
    size = (case.size, case.size)
    if case.command == "simulate":
        wanted = SimulateConfig()
        sampling = replace(wanted.sampling, size=size, pixel_size=case.pixel_size, band=band)
        config = replace(
            wanted, sampling=sampling, copies=replace(wanted.copies, count=case.copies)
        )
        return lambda: simulate(config=config).noise_free[0]
    microscope = SceneMicroscope(
        SceneConfig(
            [ParticleConfig(count=case.copies)],
            sampling=SceneSamplingConfig(size=size, pixel_size=case.pixel_size, band=band),
        )
    )
    return lambda: microscope.take(0).noise_free[0]


def measure(case: BandCase, repeats: int) -> list[tuple[str, ...]]:
    """Time both bands in turn.

    Parameters
    ----------
    case : BandCase
        What to make.
    repeats : int
        Timed images of each band.

    Returns
    -------
    list of tuple
        Rows of the table.
    """
    calls = {band: prepare(case, band) for band in BANDS}
    samples = {name: summarise(each) for name, each in interleave(calls, repeats, 1).items()}
    cpu = ratio(samples["full"], samples["fast"])["cpu"]
    rows = []
    for band in BANDS:
        field = choose_field(
            SceneSamplingConfig(size=(case.size, case.size), pixel_size=case.pixel_size, band=band),
            SceneConfig().microscope,
        )
        times = (f"{samples[band][each]['median']:.2f}" for each in ("wall_s", "cpu_s"))
        rows.append(
            (
                case.command,
                f"{case.size}² of {case.pixel_size:g} Å, {case.copies} apoferritin",
                band,
                f"{1 / field.band_end:g}",
                f"{field.wave_shape[1]} x {field.wave_shape[0]}",
                *times,
                f"{cpu:.2f}" if band == "full" else "1",
            )
        )
    return rows


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command.

    Parameters
    ----------
    arguments : sequence of str, optional
        Of the command line.

    Returns
    -------
    int
        Exit status.
    """
    parser = argparse.ArgumentParser(
        prog="python -m experiments.simulator_speed.band", description="Time both bands in turn."
    )
    parser.add_argument("--repeats", type=int, default=5, help="timed images of each band")
    parser.add_argument("--smoke", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    if options.repeats < 1:
        parser.error(f"--repeats must be at least 1, got {options.repeats}")
    rows = [
        row
        for case in (SMOKE if options.smoke else CASES)
        for row in measure(case, options.repeats)
    ]
    print(markdown_table(COLUMNS, rows))
    return 0


if __name__ == "__main__":
    sys.exit(main())
