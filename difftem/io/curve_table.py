"""Curves of detectors as plain tables: frequency in the first column, its transfer beside it."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from difftem.io.errors import input_error
from difftem.io.files import unpacked_suffix
from difftem.io.text import read_text

TABLE_SUFFIXES = (".csv", ".tsv", ".txt", ".dat")
CURVE_SUFFIXES = (".star", *TABLE_SUFFIXES)


def is_curve_file(name: str | Path) -> bool:
    """Whether a name is that of a file of a curve, by its suffix, also with ``.gz`` behind it."""
    return unpacked_suffix(Path(name)) in CURVE_SUFFIXES


def read_curve_table(
    path: str | Path, kind: str = "MTF"
) -> tuple[NDArray[np.float64], list[str]]:  # (n, 2)
    """Read frequency and transfer from a table with semicolons, tabs, commas or blanks.

    Parameters
    ----------
    path : str or Path
        File. Lines that are empty or begin with ``#`` are passed over. Between semicolons or tabs
        a comma is a decimal point.
    kind : str
        ``MTF`` or ``NTF``: where the first line names the columns, that of this name is taken.
        Otherwise it is the second one.

    Returns
    -------
    curve : ndarray
        Frequency, as it is in the file, and transfer. Shape ``(n, 2)``.
    left : list of str
        Names of columns that are not used.

    Raises
    ------
    InputError
        If the file is missing or no text, or a line has no two numbers.
    """
    path = Path(path)
    lines = [
        (number, line.strip(), _cells(line))
        for number, line in enumerate(read_text(path).splitlines(), start=1)
        if line.strip() and not line.lstrip().startswith("#")
    ]
    names: list[str] = []
    if lines and not any(_is_number(cell) for cell in lines[0][2]):
        names = [cell.strip("\"'").lower() for cell in lines.pop(0)[2]]
    column = names.index(kind.lower()) if kind.lower() in names else 1
    rows = []
    for number, line, cells in lines:
        taken = [cells[k] for k in (0, column) if k < len(cells)]
        if len(taken) < 2 or not all(map(_is_number, taken)):
            raise input_error(
                path, f"line {number}: expected a frequency and its {kind}, got {line!r}"
            )
        rows.append([float(cell) for cell in taken])
    if not rows:
        raise input_error(path, f"is empty, expected columns of frequency and {kind}")
    return np.array(rows), [name for k, name in enumerate(names) if k not in (0, column)]


def _cells(line: str) -> list[str]:
    """Divide a line by the first of these signs that it has, or by blanks."""
    for sign in ";\t":
        if sign in line:
            return [cell.strip().replace(",", ".") for cell in line.split(sign)]
    return [cell.strip() for cell in line.split(",")] if "," in line else line.split()


def _is_number(cell: str) -> bool:
    """Whether a cell is a number."""
    try:
        float(cell)
    except ValueError:
        return False
    return True
