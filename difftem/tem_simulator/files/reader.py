"""Read an input file of TEM-simulator."""

from difflib import get_close_matches
from pathlib import Path
from typing import Any

from difftem.io.errors import InputError, input_error
from difftem.tem_simulator.files.contents import COMPONENTS, TemSimulatorInput
from difftem.tem_simulator.files.parameter import parameters, required_fields
from difftem.tem_simulator.files.rules import check
from difftem.tem_simulator.files.specimen import Component, ParticleInput
from difftem.tem_simulator.files.syntax import Section, read_sections
from difftem.tem_simulator.files.unused import without_effect

_SEVERAL = {"particle", "particleset", "detector", "volume"}


def read_input(path: str | Path, *, output_folder: str | Path | None = None) -> TemSimulatorInput:
    """Read and check an input file of TEM-simulator.

    Parameters
    ----------
    path : str or Path
        Input file. Files that it names are looked for beside it.
    output_folder : str or Path, optional
        Where output files go, instead of beside the input file: names that would lead out of it
        are shortened to the file's own, with a note.

    Returns
    -------
    TemSimulatorInput
        Its components. Names of TEM-simulator's Python port are accepted, with a note.

    Raises
    ------
    InputError
        If a component, a parameter or a file is missing, a value is out of range, or an output
        can not be written.
    """
    path = Path(path)
    outputs = path.parent if output_folder is None else Path(output_folder)
    sections, notes = read_sections(path)
    left: list[str] = []
    found: dict[str, list[Any]] = {kind: [] for kind in COMPONENTS}
    for section in sections:
        kind = section.kind.lower()
        where = f"{path}: line {section.line}"
        if kind not in COMPONENTS:
            raise InputError(
                f"{where}: component must be one of {', '.join(COMPONENTS)}, got {section.kind!r}"
            )
        if found[kind] and kind not in _SEVERAL:
            raise InputError(f"{where}: there is a component {kind} already")
        component, remarks, unused = _component(
            path, section, COMPONENTS[kind], outputs, keep_inside=output_folder is not None
        )
        remarks += [f"line {section.line}: {kind}: {remark}" for remark in check(component)]
        found[kind].append(component)
        notes += remarks
        left += unused
    if not found["simulation"]:
        raise input_error(path, "there is no component === simulation ===")
    particles: dict[str, ParticleInput] = {}
    for particle in found["particle"]:
        if not particle.name:
            raise InputError(f"{particle.origin}: needs a name, as in '=== particle TMV ==='")
        if particle.name in particles:
            raise InputError(f"{particle.origin}: there is a particle {particle.name} already")
        particles[particle.name] = particle
    single = {kind: (parts or [None])[0] for kind, parts in found.items() if kind not in _SEVERAL}
    whole = TemSimulatorInput(
        path=path,
        particles=particles,
        particlesets=found["particleset"],
        detectors=found["detector"],
        volumes=found["volume"],
        notes=notes,
        unused=left,
        **single,
    )
    whole.check()
    return whole


def _component(
    path: Path, section: Section, cls: type[Component], outputs: Path, *, keep_inside: bool
) -> tuple[Component, list[str], list[str]]:
    """Component of a section, notes about it, and what of it has no effect."""
    kind = section.kind.lower()
    rows = parameters(cls)
    fields = {alias: name for name, row in rows.items() for alias in (row.name, *row.aliases)}
    values: dict[str, Any] = {}
    notes = []
    for assignment in section.assignments:
        written, text = assignment.name, assignment.value
        place = f"line {assignment.line}: {kind}"
        name = fields.get(written.lower())
        if name is None:
            near = get_close_matches(written.lower(), fields, n=1)
            advice = f", did you mean {near[0]}?" if near else ""
            notes.append(f"{place}: unknown parameter {written} is ignored{advice}")
            continue
        row = rows[name]
        if written != row.name:
            notes.append(f"{place}: {written} is read as {row.name}")
        if name in values:
            notes.append(f"{place}: {row.name} is given twice, this one counts")
        try:
            values[name] = row.parse(text, outputs if row.kind == "output" else path.parent)
        except ValueError as error:
            raise InputError(f"{path}: {place}: {error}") from None
        if row.kind == "output" and keep_inside and not _is_below(values[name], outputs):
            values[name] = outputs / values[name].name
            notes.append(f"{place}: {row.name} = {text} is written to {values[name]}")
        if row.kind == "choice" and values[name] != text:
            notes.append(f"{place}: {row.name} = {text} is read as {values[name]}")
    origin = f"{path}: line {section.line}: {kind}"
    for name in required_fields(cls):
        if name not in values:
            raise InputError(f"{origin}: {rows[name].name} is missing")
    component = cls(name=section.name, origin=origin, **values)
    unused = without_effect(component, [rows[name].name for name in values])
    return component, notes, [f"line {section.line}: {kind}: {each}" for each in unused]


def _is_below(path: Path, folder: Path) -> bool:
    """Whether a file is in a folder, or in one below it, links followed."""
    return path.resolve().is_relative_to(folder.resolve())
