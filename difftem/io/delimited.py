"""Tables of text with a line of names: CSV, also with semicolons or tabs between the values."""

import csv
import math
from dataclasses import dataclass
from pathlib import Path

from difftem.io.errors import input_error
from difftem.io.text import read_text

_DELIMITERS = {",": "commas", ";": "semicolons", "\t": "tabs"}


@dataclass(frozen=True)
class DelimitedTable:
    """A table of text.

    Attributes
    ----------
    path : Path
        Where it came from.
    names : list of str
        Of the columns, in lower case.
    rows : list of tuple of int and list of str
        Number of the line, and a cell for every name.
    delimiter : str
        What stands between the values, in words.
    """

    path: Path
    names: list[str]
    rows: list[tuple[int, list[str]]]
    delimiter: str

    def number(self, line: int, name: str, cell: str) -> float:
        """Take a cell as a finite number.

        Parameters
        ----------
        line : int
            Of the file, for the message.
        name : str
            Of the column, for the message.
        cell : str
            Text.

        Returns
        -------
        float
            The number.

        Raises
        ------
        InputError
            If it is none; a comma instead of the decimal point is named.
        """
        try:
            value = float(cell)
        except ValueError:
            value = math.nan
        if not math.isfinite(value):
            hint = "; write decimals with a point" if "," in cell else ""
            raise input_error(
                self.path, f"line {line}: {name} must be a number, got {cell!r}{hint}"
            )
        return value


def read_delimited(path: str | Path, expected: str) -> DelimitedTable:
    """Read a table whose first line names the columns.

    Parameters
    ----------
    path : str or Path
        File to read, also as ``.gz``. Empty lines and those that begin with ``#`` are passed over.
    expected : str
        What the first line should name, for messages.

    Returns
    -------
    DelimitedTable
        At least one column.

    Raises
    ------
    InputError
        If the file is missing, empty or no text, names a column twice, or has a line of another
        number of values.
    """
    path = Path(path)
    text = read_text(path)
    lines = [
        (number, line)
        for number, line in enumerate(text.splitlines(), start=1)
        if line.strip() and not line.lstrip().startswith("#")
    ]
    if not lines:
        raise input_error(path, f"is empty, expected a header with {expected}")
    delimiter = max(_DELIMITERS, key=lines[0][1].count)  # commas where there is none
    numbered = [(number, _cells(path, number, line, delimiter)) for number, line in lines]
    names = [cell.lower() for cell in numbered[0][1]]
    for name in names:
        if name and names.count(name) > 1:
            raise input_error(path, f"has more than one column {name}")
    for number, cells in numbered[1:]:
        if len(cells) != len(names):
            raise input_error(
                path, f"line {number}: expected {len(names)} values, got {len(cells)}"
            )
    return DelimitedTable(path, names, numbered[1:], _DELIMITERS[delimiter])


def _cells(path: Path, number: int, line: str, delimiter: str) -> list[str]:
    """Values of one line, quotes taken off."""
    try:
        cells = next(csv.reader([line], delimiter=delimiter, skipinitialspace=True, strict=True))
    except (csv.Error, StopIteration) as error:
        raise input_error(path, f"line {number}: {error or 'no values'}") from None
    return [cell.strip() for cell in cells]
