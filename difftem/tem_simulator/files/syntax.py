"""The text of an input file: components, and below each what is assigned to its parameters."""

import re
from dataclasses import dataclass
from pathlib import Path

from difftem.io.errors import InputError, input_error
from difftem.io.files import read_bytes

MAX_LINE_LENGTH = 200  # what TEM-simulator reads of a line


@dataclass(frozen=True)
class Assignment:
    """One line ``parameter = value``."""

    line: int
    name: str
    value: str


@dataclass(frozen=True)
class Section:
    """One headline ``=== kind [name] ===`` and the lines below it."""

    line: int
    kind: str
    name: str
    assignments: tuple[Assignment, ...]


def read_sections(path: str | Path) -> tuple[list[Section], list[str]]:
    """Split an input file into its components.

    A ``#`` in the first column makes a comment, ``=`` in the first column a headline; a value is
    one word or a text in double quotes.

    Parameters
    ----------
    path : str or Path
        File to read.

    Returns
    -------
    sections : list of Section
        In the order of the file.
    notes : list of str
        What was passed over.

    Raises
    ------
    InputError
        If a line is none of these, naming it.
    """
    headlines: list[tuple[int, str, str]] = []
    bodies: list[list[Assignment]] = []
    notes = []
    for number, line in enumerate(_text(path).splitlines(), start=1):
        if not line.strip() or line.startswith("#"):
            continue
        where = f"{path}: line {number}"
        if len(line) > MAX_LINE_LENGTH:
            notes.append(
                f"line {number} has {len(line)} characters, TEM-simulator reads {MAX_LINE_LENGTH}"
            )
        if line.startswith("="):
            kind, name, rest = _headline(where, line)
            headlines.append((number, kind, name))
            bodies.append([])
        else:
            if not bodies:
                raise InputError(
                    f"{where}: expected a component as '=== simulation ===' first, got {line!r}"
                )
            name, value, rest = _assignment(where, line)
            bodies[-1].append(Assignment(number, name, value))
        if rest:
            notes.append(f"line {number}: {rest!r} is ignored")
    pairs = zip(headlines, bodies, strict=True)
    return [Section(*headline, tuple(body)) for headline, body in pairs], notes


def _text(path: str | Path) -> str:
    """Text of a file in UTF-8, or in Latin-1 as old ones are."""
    data = read_bytes(path)
    if b"\0" in data:
        raise input_error(path, "not a text file")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return data.decode("latin-1")


def _headline(where: str, line: str) -> tuple[str, str, str]:
    """Type and name of a component, and what follows them."""
    words = line.replace("=", " ").split()
    if not words:
        raise InputError(f"{where}: expected '=== type ===' or '=== type name ===', got {line!r}")
    return words[0], words[1] if len(words) > 1 else "", " ".join(words[2:])


def _assignment(where: str, line: str) -> tuple[str, str, str]:
    """Name and value of a parameter, and what follows them."""
    match = re.match(r"\s*([^\s=#]+)\s*=\s*(.*)", line)
    if match is None:
        advice = " (a comment has # in column 1)" if line.lstrip().startswith("#") else ""
        raise InputError(f"{where}: expected 'parameter = value', got {line.strip()!r}{advice}")
    name, rest = match.groups()
    if rest.startswith('"'):
        value, quote, rest = rest[1:].partition('"')
        if not quote:
            raise InputError(f"{where}: {name} has no closing quotation mark")
    elif rest.strip():
        value, _, rest = rest.replace("\t", " ").partition(" ")
    else:
        raise InputError(f"{where}: {name} has no value")
    return name, value, rest.strip()
