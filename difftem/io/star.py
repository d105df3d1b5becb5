"""RELION STAR files: tables, and MTF curves."""

import logging
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Literal

import gemmi
import numpy as np
from numpy.typing import ArrayLike, NDArray

from difftem.io.account import give_account
from difftem.io.curve_check import NYQUIST, curve_problem, measured_problem
from difftem.io.curve_table import TABLE_SUFFIXES, read_curve_table
from difftem.io.errors import InputError, input_error
from difftem.io.files import replacing, unpacked_suffix
from difftem.io.text import read_text

logger = logging.getLogger(__name__)

# Columns by name, without the leading underscore, of each block; all cells are text.
StarTable = dict[str, list[str]]

_FREQUENCY = "_rlnResolutionInversePixel"
_VALUE = "_rlnMtfValue"
# A curve that ends before goes on linearly, so that its end says something about its unit.
_EARLY_END = 0.45

# Cells that need no quotes: no blanks, quotes, comments, and no words that STAR keeps to itself.
_PLAIN = re.compile(
    r"\[[^\s'\"#]*\]|(?!(?:data_|save_|loop_|stop_|global_|\.$))[a-z0-9.+@/:<>-][^\s'\"#;]*",
    re.IGNORECASE,
)


def read_mtf_star(
    path: str | Path, nyquist: float = NYQUIST, kind: Literal["MTF", "NTF"] = "MTF"
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:  # (n,), (n,)
    """Read an MTF curve.

    Parameters
    ----------
    path : str or Path
        STAR file with a loop of ``_rlnResolutionInversePixel`` and ``_rlnMtfValue``, or a plain
        table of both (``.csv``, ``.tsv``, ``.txt``, ``.dat``), see `read_curve_table`.
    nyquist : float
        Frequency in the file that is Nyquist: 0.5 where it counts cycles/pixel, as RELION does, 1
        where it counts fractions of Nyquist.
    kind : str
        What the curve is for: an NTF may rise above 1.

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

    Examples
    --------
    >>> from difftem.io.star import read_mtf_star, write_mtf_star
    >>> write_mtf_star("k3.star", [0.0, 0.25, 0.5], [1.0, 0.8, 0.5])
    >>> frequency, value = read_mtf_star("k3.star")
    >>> frequency.tolist(), value.tolist()  # cycles/pixel
    ([0.0, 0.25, 0.5], [1.0, 0.8, 0.5])
    """
    read = read_curve_table if unpacked_suffix(path) in TABLE_SUFFIXES else _star_curve
    columns, left = read(path, kind)
    frequency, value = columns[:, 0] * (NYQUIST / nyquist), columns[:, 1]
    if (problem := measured_problem(frequency, value, kind)) is not None:
        raise input_error(path, problem)
    at_end = float(np.interp(NYQUIST, frequency, value))
    taken = [f"{kind} of {len(value)} points, 0 to {frequency[-1]:.4g} cycles/pixel"]
    if nyquist != NYQUIST:
        taken.append(f"Nyquist is {nyquist:g} in the file")
    taken.append(f"{at_end:.3g} at " + ("Nyquist" if frequency[-1] >= NYQUIST else "its end"))
    give_account(path, taken, left)
    if frequency[-1] < _EARLY_END:
        logger.warning(
            "%s: ends at %.3g cycles/pixel and goes on linearly; is its frequency in 1/Å?",
            Path(path).name,
            frequency[-1],
        )
    return frequency, value


def _star_curve(path: str | Path, kind: str) -> tuple[NDArray[np.float64], list[str]]:  # (n, 2)
    """Columns of a STAR file's curve, and the names of what else it has."""
    try:
        document = _document(path)
    except InputError as error:
        if unpacked_suffix(path) == ".star" or not Path(path).is_file():
            raise
        raise InputError(f"{error}; an {kind} is a table of {_FREQUENCY} and {_VALUE}") from error
    tables = [block.find([_FREQUENCY, _VALUE]) for block in document]
    rows = next((list(table) for table in tables if len(table)), None)
    if rows is None:
        raise input_error(path, f"no loop with {_FREQUENCY} and {_VALUE}")
    names = [tag for block in document for item in block for tag in _tags(item)]
    columns = np.array([[gemmi.cif.as_number(cell) for cell in row] for row in rows])
    return columns, [tag[1:] for tag in names if tag not in (_FREQUENCY, _VALUE)]


def write_mtf_star(
    path: str | Path,
    frequency: ArrayLike,
    value: ArrayLike,
    name: str = "mtf",
    *,
    comments: Sequence[str] = (),
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
    comments : sequence of str
        Lines above it, which readers skip.
    overwrite : bool
        Replace a file that exists.

    Raises
    ------
    InputError
        If the file exists and `overwrite` is false, or its folder does not exist.
    ValueError
        If the curve is not an MTF.

    Examples
    --------
    >>> from pathlib import Path
    >>> from difftem.io.star import write_mtf_star
    >>> write_mtf_star("mtf.star", [0.0, 0.5], [1.0, 0.5], comments=["of a made-up camera"])
    >>> [line for line in Path("mtf.star").read_text().splitlines() if "Mtf" in line or "#" in line]
    ['# of a made-up camera', '_rlnMtfValue']
    """
    x, y = np.asarray(frequency, dtype=np.float64), np.asarray(value, dtype=np.float64)
    if x.ndim != 1 or x.shape != y.shape:
        raise ValueError(f"frequency and value must be equally long, got {x.shape} and {y.shape}")
    if (problem := curve_problem(x, y)) is not None:
        raise ValueError(problem)
    columns = {_FREQUENCY[1:]: x, _VALUE[1:]: y}
    text = "".join(f"# {line}\n" for line in comments)
    text += star_text({name: {tag: [f"{v:.8f}" for v in cells] for tag, cells in columns.items()}})
    with replacing(Path(path), overwrite) as temporary:
        temporary.write_text(text, encoding="utf-8")


def read_star(path: str | Path) -> dict[str, StarTable]:
    r"""Read all tables of a STAR file.

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

    Examples
    --------
    >>> from pathlib import Path
    >>> from difftem.io.star import read_star
    >>> text = "data_particles\nloop_\n_rlnCoordinateX\n_rlnCoordinateY\n10 20\n30 40\n\n"
    >>> _ = Path("particles.star").write_text(text)
    >>> read_star("particles.star")
    {'particles': {'rlnCoordinateX': ['10', '30'], 'rlnCoordinateY': ['20', '40']}}
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

    Examples
    --------
    >>> from difftem.io.star import star_text
    >>> text = star_text({"particles": {"rlnCoordinateX": ["10", "30"]}})
    >>> text.split()
    ['data_particles', 'loop_', '_rlnCoordinateX', '10', '30']
    """
    document = gemmi.cif.Document()
    for name, table in tables.items():
        loop = document.add_new_block(name).init_loop("_", list(table))
        loop.set_all_values([[_quoted(cell) for cell in cells] for cells in table.values()])
    return document.as_string()


def _quoted(cell: str) -> str:
    """Quote a cell where that is needed: names and RELION's lists, [1,2], stand without quotes."""
    return cell if _PLAIN.fullmatch(cell) else gemmi.cif.quote(cell)


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

    Examples
    --------
    >>> from difftem.io.star import star_numbers
    >>> star_numbers("particles.star", {"rlnDefocusU": ["15000", "15200"]}, "rlnDefocusU").tolist()
    [15000.0, 15200.0]
    """
    if name not in table:
        raise input_error(path, f"no column {name}, the table has {', '.join(table) or 'none'}")
    numbers = np.array([gemmi.cif.as_number(cell) for cell in table[name]], dtype=np.float64)
    if not np.isfinite(numbers).all():
        row = int((~np.isfinite(numbers)).argmax())
        raise input_error(path, f"row {row + 1}: {name} must be a number, got {table[name][row]!r}")
    return numbers


def _tags(item: gemmi.cif.Item) -> list[str]:
    """Names of the columns of a loop, or of a pair."""
    if item.loop is not None:
        return list(item.loop.tags)
    return [item.pair[0]] if item.pair is not None else []


def _document(path: str | Path) -> gemmi.cif.Document:
    """Parse a file."""
    try:
        return gemmi.cif.read_string(read_text(path))
    except InputError:
        raise
    except (ValueError, RuntimeError) as error:
        raise input_error(path, f"not a STAR file: {error}") from error
