"""An input file of TEM-simulator, simulated: everything it asks for, in files."""

import dataclasses
import logging
from pathlib import Path

import torch

from difftem.io.account import give_account
from difftem.simulation.messages import ACCOUNTS, collected
from difftem.simulation.run import Stopwatch
from difftem.tem_simulator.differences import chance_differences, structure_differences
from difftem.tem_simulator.files.contents import TemSimulatorInput
from difftem.tem_simulator.files.log import write_log
from difftem.tem_simulator.memory import RunMemory
from difftem.tem_simulator.outputs import staging
from difftem.tem_simulator.record import write_maps, write_preview, write_record, write_series
from difftem.tem_simulator.series import draw_seed, make_templates, take_series

logger = logging.getLogger(__name__)


def simulate(
    simulation: TemSimulatorInput, folder: Path, memory_limit_gb: float | None = None
) -> None:
    """Compute what an input with a seed asks for, then write all files at once.

    Parameters
    ----------
    simulation : TemSimulatorInput
        The input file.
    folder : Path
        Of the output.
    memory_limit_gb : float, optional
        What the run may take in GB. Default: what the machine has.

    Raises
    ------
    ValueError
        For bad input, or where there is not enough memory, in one line.
    """
    memory = RunMemory(simulation, memory_limit_gb)
    run = simulation.simulation
    generator = torch.Generator().manual_seed(run.rand_seed or 0)
    stopwatch = Stopwatch()
    notes = structure_differences(simulation) + chance_differences(simulation)
    for note in simulation.notes + notes:
        logger.info("note: %s", note)
    with collected(ACCOUNTS) as inputs:
        parts = [f"{kind} {part.name}".strip() for kind, part in simulation.components()]
        give_account(simulation.path, parts, simulation.unused)
        templates = make_templates(simulation, generator, stopwatch, memory)
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
            logger.info("note: %s", note)
        notes += found
        if run.log_file is not None:
            write_log(staged.path(run.log_file), simulation, notes)
        everything = simulation.notes + inputs + notes
        write_record(folder, simulation, templates, series, stopwatch, everything, staged)


def with_seed(simulation: TemSimulatorInput, given: int | None) -> TemSimulatorInput:
    """Put the seed that is used, given or its own, into the input: log and record keep it."""
    seed = simulation.simulation.rand_seed if given is None else given
    if seed is None:
        seed = draw_seed()
    if not -(2**63) <= seed < 2**63:
        raise ValueError(f"--seed must fit into 64 bits, got {seed}")
    run = dataclasses.replace(simulation.simulation, rand_seed=seed)
    return dataclasses.replace(simulation, simulation=run)
