"""XYZ files: plain, extended, and those of Prismatic and computem."""

import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from difftem.io.account import counted
from difftem.io.atom_table import StructureFile, plain_table
from difftem.io.elements import atomic_number
from difftem.io.errors import input_error
from difftem.io.text import is_number

XYZ_SUFFIXES = (".xyz", ".extxyz", ".exyz")

_SPECIES = ("species", "symbol", "symbols", "element", "type")
_NUMBERS = ("z", "numbers", "atomic_numbers", "number")
_OCCUPANCIES = ("occupancy", "occupancies", "occ")
_B = "b b_iso biso b_factor b_factors bfactor bfactors b_iso_or_equiv debye_waller_factors".split()
_U = "u u_iso uiso u_iso_or_equiv u_eq msd".split()  # mean square of the displacement, Å²
_RMS = "u_rms urms rms rms_displacement".split()  # its root, Å
_WIDTHS = {"S": str, "R": float, "I": float, "L": str}
_PLAIN = "species:S:1:pos:R:3"


@dataclass(frozen=True)
class _Column:
    """Columns of an extended XYZ file that belong together."""

    name: str
    kind: str
    start: int
    stop: int


def read_xyz(path: str | Path, text: str) -> StructureFile:
    """Read the last frame of an XYZ file.

    Parameters
    ----------
    path : str or Path
        For messages.
    text : str
        Its content: plain XYZ, extended XYZ with columns for occupancies and B-factors (or U, or
        root mean square displacements), or Prismatic's (a comment, the cell, then Z, x, y, z,
        occupancy and root mean square displacement, and -1 at the end).

    Returns
    -------
    StructureFile
        With NaN where there is no B-factor.

    Raises
    ------
    InputError
        In one line that names the place.
    """
    lines = [line.strip() for line in re.split(r"\r\n|\r|\n", text)]
    while lines and not lines[-1]:
        lines.pop()
    if _is_prismatic(lines):
        return _prismatic(path, lines)
    start, frames = _last_frame(path, lines)
    header = re.search(r"\bproperties\s*=\s*\"?([^\s\"]+)", lines[start + 1], re.IGNORECASE)
    columns = _columns(path, header[1] if header else _PLAIN)
    rows = [line.split() for line in lines[start + 2 :]]
    width = columns[-1].stop
    for i, row in enumerate(rows):
        if len(row) < width:
            raise input_error(
                path, f"line {start + 3 + i}: expected {width} columns, got {len(row)}"
            )
    left = [f"column {each.name}" for each in columns if not _is_used(each.name)]
    further = max(map(len, rows)) - width
    if further:
        left.append(counted(further, "further column"))
    if re.search(r"\blattice\s*=", lines[start + 1], re.IGNORECASE):
        left.append("Lattice")
    table = plain_table(
        _vectors(path, rows, _wanted(path, columns, "pos", "positions"), start + 3),
        _elements(path, rows, columns, start + 3),
        _scalars(path, rows, columns, _OCCUPANCIES, start + 3),
        _b_factors(path, rows, columns, start + 3),
    )
    taken = [f"frame {frames} of {frames}"] if frames > 1 else []
    left += [counted(frames - 1, "earlier frame")] if frames > 1 else []
    return StructureFile(table, taken=taken, left=left)


def _last_frame(path: str | Path, lines: list[str]) -> tuple[int, int]:
    """Line in which the last frame starts, and the number of frames."""
    start, frames, line = 0, 0, 0
    while line < len(lines) or frames == 0:
        count = lines[line] if line < len(lines) else ""
        if not re.fullmatch(r"[0-9]{1,18}", count):
            raise input_error(path, f"line {line + 1}: expected the number of atoms, got {count!r}")
        there = max(len(lines) - line - 2, 0)
        if int(count) == 0:
            raise input_error(path, f"line {line + 1}: no atoms")
        if int(count) > there:
            raise input_error(
                path, f"line {line + 1} says {count} atoms, {there} lines of atoms follow"
            )
        start, line, frames = line, line + 2 + int(count), frames + 1
    return start, frames


def _columns(path: str | Path, properties: str) -> list[_Column]:
    """Columns that ``Properties=species:S:1:pos:R:3`` names."""
    words = properties.split(":")
    columns, start = [], 0
    for name, kind, width in zip(words[::3], words[1::3], words[2::3], strict=False):
        if kind not in _WIDTHS or not re.fullmatch("[1-9][0-9]{0,3}", width):
            raise input_error(path, f"bad Properties {properties!r} in an extended XYZ file")
        columns.append(_Column(name, kind, start, start + int(width)))
        start += int(width)
    if len(words) % 3 or not columns:
        raise input_error(path, f"bad Properties {properties!r} in an extended XYZ file")
    return columns


def _is_used(name: str) -> bool:
    """Whether a column is read."""
    known = (*_SPECIES, *_NUMBERS, *_OCCUPANCIES, *_B, *_U, *_RMS, "pos", "positions")
    return name.lower() in known


def _find(columns: list[_Column], names: tuple[str, ...] | list[str]) -> _Column | None:
    """First of some columns that is there."""
    return next((each for each in columns if each.name.lower() in names), None)


def _wanted(path: str | Path, columns: list[_Column], *names: str) -> _Column:
    """Column that must be there."""
    found = _find(columns, list(names))
    if found is None:
        raise input_error(path, f"Properties of the extended XYZ file have no {names[0]}")
    return found


def _number(path: str | Path, row: list[str], column: int, line: int) -> float:
    """Read a number of a row; Fortran writes 1.0D-3."""
    try:
        return float(row[column].replace("D", "e").replace("d", "e"))
    except ValueError:
        raise input_error(
            path, f"line {line}: expected a number in column {column + 1}, got {row[column]!r}"
        ) from None


def _vectors(
    path: str | Path, rows: list[list[str]], column: _Column, first: int
) -> NDArray[np.float64]:
    """Positions, (n_atoms, 3)."""
    if column.stop - column.start != 3:
        raise input_error(path, f"{column.name} must have 3 columns in an extended XYZ file")
    places = range(column.start, column.stop)
    try:
        return np.array([[float(row[k]) for k in places] for row in rows])
    except ValueError:
        numbers = [[_number(path, row, k, first + i) for k in places] for i, row in enumerate(rows)]
        return np.array(numbers)


def _scalars(
    path: str | Path,
    rows: list[list[str]],
    columns: list[_Column],
    names: tuple[str, ...] | list[str],
    first: int,
) -> NDArray[np.float64] | None:
    """Numbers of the first of some columns, (n_atoms,)."""
    column = _find(columns, names)
    if column is None or column.kind not in "RI":
        return None
    return np.array([_number(path, row, column.start, first + i) for i, row in enumerate(rows)])


def _b_factors(
    path: str | Path, rows: list[list[str]], columns: list[_Column], first: int
) -> NDArray[np.float64] | None:
    """B = 8π²<u²> in Å², from whichever of the three is there."""
    given = _scalars(path, rows, columns, _B, first)
    if given is not None:
        return given
    squares = _scalars(path, rows, columns, _U, first)
    if squares is None:
        roots = _scalars(path, rows, columns, _RMS, first)
        with np.errstate(over="ignore"):  # such a B-factor is refused
            squares = None if roots is None else roots**2
    return None if squares is None else 8 * np.pi**2 * squares


def _elements(
    path: str | Path, rows: list[list[str]], columns: list[_Column], first: int
) -> NDArray[np.int64]:
    """Atomic numbers, by symbol or as they are."""
    column = _find(columns, _SPECIES) or _wanted(path, columns, *_NUMBERS)
    known: dict[str, int] = {}
    for i, row in enumerate(rows):
        word = row[column.start]
        if word not in known:
            known[word] = int(word) if re.fullmatch("[0-9]{1,3}", word) else atomic_number(word)
            if not known[word]:
                raise input_error(path, f"line {first + i}: unknown element {word!r}")
    return np.array([known[row[column.start]] for row in rows])


def _is_prismatic(lines: list[str]) -> bool:
    """Whether a cell stands in line 2 and rows of six numbers below it."""
    if len(lines) < 3:
        return False
    cell, row = lines[1].split(), lines[2].split()
    numbers = len(cell) == 3 and 5 <= len(row) <= 6 and all(map(is_number, cell + row))
    counted = re.fullmatch("[0-9]+", lines[0]) and int(lines[0]) == len(lines) - 2
    return numbers and row[0].isdigit() and (lines[-1].split()[:1] == ["-1"] or not counted)


def _prismatic(path: str | Path, lines: list[str]) -> StructureFile:
    """Read a file of Prismatic or computem."""
    end = next((i for i, line in enumerate(lines) if line.split()[:1] == ["-1"]), len(lines))
    rows = [line.split() for line in lines[2:end]]
    columns = _columns(path, "z:I:1:pos:R:3:occupancy:R:1:u_rms:R:1")
    columns = columns[: 3 if min(map(len, rows)) < 6 else 4]
    for i, row in enumerate(rows):
        if len(row) < columns[-1].stop:
            raise input_error(path, f"line {i + 3}: expected {columns[-1].stop} columns")
    table = plain_table(
        _vectors(path, rows, columns[1], 3),
        _elements(path, rows, columns, 3),
        _scalars(path, rows, columns, _OCCUPANCIES, 3),
        _b_factors(path, rows, columns, 3),
    )
    left = [f"cell {' x '.join(lines[1].split())} Å"]
    return StructureFile(table, taken=["XYZ of Prismatic and computem"], left=left)
