"""The log: all parameters of a simulation, in a form that can be used as input again."""

from collections.abc import Sequence
from pathlib import Path

from difftem.io.files import replacing
from difftem.tem_simulator.files.contents import TemSimulatorInput
from difftem.tem_simulator.files.parameter import parameters


def write_log(
    path: str | Path,
    simulation: TemSimulatorInput,
    notes: Sequence[str] = (),
) -> None:
    """Write every parameter, defaults included, as an input file; notes become comments.

    The same simulation gives the same bytes: no date is written. File names inside the folder of
    the log are relative to it, others absolute.

    Parameters
    ----------
    path : str or Path
        File to write, in a folder that exists; it is replaced if it is there.
    simulation : TemSimulatorInput
        What was simulated. To keep a seed that was drawn, put it into
        ``simulation.simulation.rand_seed`` with `dataclasses.replace`.
    notes : sequence of str
        What happened, besides ``simulation.notes``.

    Raises
    ------
    InputError
        If its folder does not exist.
    """
    path = Path(path)
    lines = [f"# Parameters of {simulation.path.name}; this file can be used as input again."]
    lines += [f"# {' '.join(note.split())}" for note in (*simulation.notes, *notes)]
    for kind, component in simulation.components():
        lines += ["", " ".join(filter(None, ["===", kind, component.name, "==="])), ""]
        for field, row in parameters(component).items():
            value = getattr(component, field)
            if value is not None:
                lines.append(f"{row.name} = {row.format(value, path.parent)}")
    with replacing(path, overwrite=True) as temporary:
        temporary.write_text("\n".join([*lines, ""]), encoding="utf-8")
