"""RELION STAR files: tables, and MTF curves."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import gemmi
import numpy as np
from numpy.typing import ArrayLike, NDArray

from difftem.io.errors import InputError, input_error
from difftem.io.files import replacing
from difftem.io.text import read_text

# Columns by name, without the leading underscore, of each block; all cells are text.
StarTable = dict[str, list[str]]

_FREQUENCY = "_rlnResolutionInversePixel"
_VALUE = "_rlnMtfValue"
# Published curves start at 0.9995 to 1; one off by more is not normalised.
_TOLERANCE_AT_ZERO = 0.05


def read_mtf_star(
    path: str | Path,
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:  # (n,), (n,)
    """Read an MTF curve.

    Parameters
    ----------
    path : str or Path
        STAR file with a loop of ``_rlnResolutionInversePixel`` and ``_rlnMtfValue``.

    Returns
    -------
    frequency : ndarray
        Cycles per pixel, increasing from near 0; Nyquist is 0.5. Shape ``(n,)``.
    value : ndarray
        MTF, near 1 at the first frequency. Shape ``(n,)``.

    Raises
    ------
    InputError
        If the file is missing or no STAR file, or the curve is not an MTF.

    References
    ----------
    Scheres, J. Struct. Biol. 180 (2012) 519 (RELION).
    """
    tables = [block.find([_FREQUENCY, _VALUE]) for block in _document(path)]
    rows = next((list(table) for table in tables if len(table)), None)
    if rows is None:
        raise input_error(path, f"no loop with {_FREQUENCY} and {_VALUE}")
    columns = np.array([[gemmi.cif.as_number(cell) for cell in row] for row in rows])
    frequency, value = columns[:, 0], columns[:, 1]
    if (problem := _problem(frequency, value)) is not None:
        raise input_error(path, problem)
    return frequency, value


def write_mtf_star(
    path: str | Path,
    frequency: ArrayLike,
    value: ArrayLike,
    name: str = "mtf",
    *,
    overwrite: bool = False,
) -> None:
    """Write an MTF curve that RELION and `read_mtf_star` read.

    Parameters
    ----------
    path : str or Path
        File to write, in a folder that exists.
    frequency : array_like
        Cycles per pixel, increasing from near 0, shape ``(n,)``.
    value : array_like
        MTF, near 1 at the first frequency, shape ``(n,)``.
    name : str
        Name of the data block.
    overwrite : bool
        Replace a file that exists.

    Raises
    ------
    InputError
        If the file exists and `overwrite` is false, or its folder does not exist.
    ValueError
        If the curve is not an MTF.
    """
    x, y = np.asarray(frequency, dtype=np.float64), np.asarray(value, dtype=np.float64)
    if x.ndim != 1 or x.shape != y.shape:
        raise ValueError(f"frequency and value must be equally long, got {x.shape} and {y.shape}")
    if (problem := _problem(x, y)) is not None:
        raise ValueError(problem)
    columns = {_FREQUENCY[1:]: x, _VALUE[1:]: y}
    text = star_text({name: {tag: [f"{v:.8f}" for v in cells] for tag, cells in columns.items()}})
    with replacing(Path(path), overwrite) as temporary:
        temporary.write_text(text, encoding="utf-8")


def read_star(path: str | Path) -> dict[str, StarTable]:
    """Read all tables of a STAR file.

    Parameters
    ----------
    path : str or Path
        File to read, also as ``.gz``.

    Returns
    -------
    dict of str to dict
        By name of the block, its columns by name without the leading underscore. Items outside
        loops are columns of one cell.

    Raises
    ------
    InputError
        If the file is missing or no STAR file.
    """
    tables: dict[str, StarTable] = {}
    for block in _document(path):
        table = tables.setdefault(block.name, {})
        for item in block:
            if item.loop is None and item.pair is not None:
                tag, cell = tuple(item.pair)
                table[tag[1:]] = [gemmi.cif.as_string(cell)]
            elif item.loop is not None:
                for tag in item.loop.tags:
                    cells = block.find_loop(tag)
                    table[tag[1:]] = [gemmi.cif.as_string(cell) for cell in cells]
    return tables


def star_text(tables: Mapping[str, Mapping[str, Sequence[str]]]) -> str:
    """Make the text of a STAR file.

    Parameters
    ----------
    tables : mapping of str to mapping
        By name of the block, its columns by name without the leading underscore, equally long.

    Returns
    -------
    str
        One loop per block, with an empty line behind it as RELION wants.
    """
    document = gemmi.cif.Document()
    for name, table in tables.items():
        loop = document.add_new_block(name).init_loop("_", list(table))
        loop.set_all_values([[gemmi.cif.quote(cell) for cell in cells] for cells in table.values()])
    return document.as_string()


def star_numbers(
    path: str | Path,
    table: Mapping[str, Sequence[str]],
    name: str,
) -> NDArray[np.float64]:  # (rows,)
    """Take a column of a table as numbers.

    Parameters
    ----------
    path : str or Path
        The file, for messages.
    table : mapping
        From `read_star`.
    name : str
        Of the column.

    Returns
    -------
    ndarray
        Shape ``(rows,)``, finite.

    Raises
    ------
    InputError
        If there is no such column, or a cell is not a finite number.
    """
    if name not in table:
        raise input_error(path, f"no column {name}, the table has {', '.join(table) or 'none'}")
    numbers = np.array([gemmi.cif.as_number(cell) for cell in table[name]], dtype=np.float64)
    if not np.isfinite(numbers).all():
        row = int((~np.isfinite(numbers)).argmax())
        raise input_error(path, f"row {row + 1}: {name} must be a number, got {table[name][row]!r}")
    return numbers


def _document(path: str | Path) -> gemmi.cif.Document:
    """Parse a file."""
    try:
        return gemmi.cif.read_string(read_text(path))
    except InputError:
        raise
    except (ValueError, RuntimeError) as error:
        raise input_error(path, f"not a STAR file: {error}") from error


def _problem(frequency: NDArray[np.float64], value: NDArray[np.float64]) -> str | None:
    """Say why a curve is no MTF, or None."""
    if len(frequency) < 2:
        return f"an MTF needs two points or more, got {len(frequency)}"
    for what, numbers in (("frequency", frequency), ("MTF", value)):
        if not np.isfinite(numbers).all():
            row = int((~np.isfinite(numbers)).argmax()) + 1
            return f"{what} must be a number, got {numbers[row - 1]} in row {row}"
    if not (np.diff(frequency) > 0).all():
        row = int((np.diff(frequency) <= 0).argmax()) + 2
        return (
            f"frequency must increase, got {frequency[row - 1]:g} after {frequency[row - 2]:g} "
            f"in row {row}"
        )
    if frequency[0] < 0 or frequency[0] > 0.05:
        return f"frequency must start near 0 cycles/pixel, got {frequency[0]:g}"
    if abs(value[0] - 1) > _TOLERANCE_AT_ZERO:
        return f"MTF must be near 1 at frequency {frequency[0]:g}, got {value[0]:g}"
    return None
