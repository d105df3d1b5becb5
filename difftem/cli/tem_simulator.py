"""`difftem simulate input.txt`: what TEM-simulator does with its input file."""

import argparse
import dataclasses
import sys
from pathlib import Path
from typing import NoReturn

import torch
from tqdm import tqdm

from difftem.cli.preload import preload
from difftem.io.errors import InputError
from difftem.simulation.run import Stopwatch
from difftem.tem_simulator.differences import (
    chance_differences,
    structure_differences,
)
from difftem.tem_simulator.files.contents import TemSimulatorInput
from difftem.tem_simulator.files.log import write_log
from difftem.tem_simulator.files.reader import read_input
from difftem.tem_simulator.outputs import (
    check_outputs,
    output_folder,
    staging,
    wanted_outputs,
)
from difftem.tem_simulator.record import (
    write_maps,
    write_preview,
    write_record,
    write_series,
)
from difftem.tem_simulator.series import draw_seed, make_templates, take_series

DESCRIPTION = """Simulate an input file of TEM-simulator 1.3 and write the files it names: images
of every detector, maps, coordinates, doses and the log; beside them preview.png and run.json.
What is done differently from that program is said on standard error and in the log."""


class _Parser(argparse.ArgumentParser):
    """Report a bad command line as one `ValueError`."""

    def error(self, message: str) -> NoReturn:
        """Raise instead of printing usage and exiting."""
        raise ValueError(message)


def main(arguments: list[str]) -> None:
    """Run the command.

    Parameters
    ----------
    arguments : list of str
        What follows ``difftem simulate``; the input file first.

    Raises
    ------
    ValueError
        For bad input, in one line.
    """
    parser = _Parser("difftem simulate input.txt", description=DESCRIPTION, allow_abbrev=False)
    parser.usage = "difftem simulate input.txt [--output DIR] [--overwrite] [--seed N]"
    parser.add_argument("input", type=Path, help="input file of TEM-simulator")
    parser.add_argument(
        "--output",
        type=Path,
        metavar="DIR",
        help="folder of all output files; without it they go where the input file says",
    )
    parser.add_argument("--overwrite", action="store_true", help="replace files that exist")
    parser.add_argument(
        "--seed", type=int, metavar="N", help="of all random numbers, instead of rand_seed"
    )
    options = parser.parse_args(arguments)
    with output_folder(options.output):
        simulation = read_input(options.input, output_folder=options.output)
        folder = options.input.parent if options.output is None else options.output
        simulation = _with_seed(simulation, options.seed)
        if simulation.simulation.generate_volumes:
            raise InputError(
                f"{simulation.simulation.origin}: generate_volumes = yes is not supported; "
                "set it to no"
            )
        outputs = wanted_outputs(simulation, folder)
        check_outputs(outputs, options.overwrite, options.output is None)
        simulate(simulation, folder)
    print(f"wrote {', '.join(path.name for path in outputs)} in {folder}")


def simulate(simulation: TemSimulatorInput, folder: Path) -> None:
    """Compute what an input asks for, then write all files at once.

    Parameters
    ----------
    simulation : TemSimulatorInput
        With a seed.
    folder : Path
        Of preview and record.
    """
    run = simulation.simulation
    if run.generate_micrographs:
        preload()
    generator = torch.Generator().manual_seed(run.rand_seed or 0)
    stopwatch = Stopwatch()
    notes = structure_differences(simulation) + chance_differences(simulation)
    for note in simulation.notes + notes:
        _say(note)
    templates = make_templates(simulation, generator, stopwatch)
    found = [note for template in templates.values() for note in template.notes]
    series = None
    if run.generate_micrographs:
        series = take_series(simulation, templates, generator, stopwatch)
        found += series.notes
    with staging() as staged:
        with stopwatch.stage("output"):
            for name, template in templates.items():
                found += write_maps(simulation.particles[name], template, staged)
            if series is not None:
                found += write_series(simulation, series, staged)
                write_preview(folder, simulation, series, staged)
        for note in found:
            _say(note)
        notes += found
        if run.log_file is not None:
            write_log(staged.path(run.log_file), simulation, notes)
        everything = simulation.notes + notes
        write_record(folder, simulation, templates, series, stopwatch, everything, staged)


def _with_seed(simulation: TemSimulatorInput, given: int | None) -> TemSimulatorInput:
    """Put the seed that is used into the input: the log and the record keep it."""
    seed = simulation.simulation.rand_seed if given is None else given
    if seed is None:
        seed = draw_seed()
    if not -(2**63) <= seed < 2**63:
        raise ValueError(f"--seed must fit into 64 bits, got {seed}")
    run = dataclasses.replace(simulation.simulation, rand_seed=seed)
    return dataclasses.replace(simulation, simulation=run)


def _say(line: str) -> None:
    """Print to standard error without tearing a progress bar."""
    tqdm.write(f"note: {line}", file=sys.stderr)
