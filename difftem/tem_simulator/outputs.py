"""Output files: all are checked before the computation and appear together after it."""

import os
from collections.abc import Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext
from pathlib import Path

from difftem.io.errors import InputError, input_error
from difftem.io.files import replacing
from difftem.io.staged_folder import made_folder
from difftem.tem_simulator.files.contents import TemSimulatorInput
from difftem.tem_simulator.files.parameter import parameters
from difftem.tem_simulator.files.specimen import ParticleInput

PREVIEW, RECORD = "preview.png", "run.json"


def wanted_outputs(simulation: TemSimulatorInput, folder: Path) -> list[Path]:
    """Files that a simulation will write; none may have the name of preview or record."""
    run = simulation.simulation
    paths = [run.log_file]
    for particle in made_particles(simulation).values():
        paths += map_outputs(particle)
    if run.generate_micrographs:
        parts = (*simulation.particlesets, *simulation.micrograph_parts(), *simulation.detectors)
        for part in parts:
            for name, row in parameters(part).items():
                if row.kind == "output":
                    paths.append(getattr(part, name))
    named = [path for path in paths if path is not None]
    own = [folder / RECORD, *([folder / PREVIEW] if run.generate_micrographs else [])]
    for path in own:
        if path.resolve() in {each.resolve() for each in named}:
            raise input_error(simulation.path, f"{path.name} is written by difftem itself")
    return named + own


def made_particles(simulation: TemSimulatorInput) -> dict[str, ParticleInput]:
    """Particles whose maps are made: those in the sample, or all if their maps are asked for."""
    if simulation.simulation.generate_particle_maps:
        return simulation.particles
    if not simulation.simulation.generate_micrographs:
        return {}
    used = {each.particle_type for each in simulation.particlesets}
    return {name: each for name, each in simulation.particles.items() if name in used}


def map_outputs(particle: ParticleInput) -> list[Path]:
    """Map files of a particle, potential first; none if its maps come from files."""
    if particle.source == "map":
        return []
    paths = [particle.map_file_re_out]
    paths += [particle.map_file_im_out] if particle.use_imag_pot else []
    return [path for path in paths if path is not None]


def check_outputs(paths: list[Path], overwrite: bool, advise_output: bool) -> None:
    """Refuse what cannot be written, before anything is computed.

    `advise_output` suggests ``--output`` where a folder is read-only.
    """
    for folder in dict.fromkeys(path.parent for path in paths):
        if not os.access(folder, os.W_OK):
            advice = "; pass --output DIR to write elsewhere" if advise_output else ""
            raise InputError(f"{folder}: this folder is read-only{advice}")
    for path in paths:
        if path.is_dir():
            raise input_error(path, "is a folder, expected a file name")
        if path.exists() and not overwrite:
            raise input_error(path, "exists; pass --overwrite to replace files")


def output_folder(folder: Path | None) -> AbstractContextManager[None]:
    """Make a folder if one is given; remove it if what follows fails before anything is in it."""
    return nullcontext() if folder is None else made_folder(folder)


class Staging:
    """Files under temporary names beside their places."""

    def __init__(self, pending: ExitStack) -> None:
        self._pending = pending

    def path(self, place: Path) -> Path:
        """Where to write the file that will be at `place`."""
        return self._pending.enter_context(replacing(place, overwrite=True))


@contextmanager
def staging() -> Iterator[Staging]:
    """Yield a `Staging`; unless an error comes, its files appear in their places at the end."""
    with ExitStack() as pending:
        yield Staging(pending)
