"""PDB files as programs write them, made such that gemmi reads what they mean."""

import re
from dataclasses import dataclass, field
from pathlib import Path

from difftem.constants.scattering import ELEMENT_SYMBOLS
from difftem.io.account import counted
from difftem.io.elements import atomic_number, guessed_number, is_biopolymer, is_foreign
from difftem.io.errors import input_error

NOT_GIVEN = -99999.0  # a B-factor that fits into its columns and that nothing has

_COORDINATES = {"x": (30, 38), "y": (38, 46), "z": (46, 54)}
_OPTIONAL = {"occupancy": (54, 60, "  1.00"), "B": (60, 66, f"{NOT_GIVEN:6.0f}")}
_USUAL = ("C", "N", "O", "H", "S")
_HEADER = ("HEADER", "TITLE ", "REMARK", "EXPDTA", "PARENT", "COMPND", "DBREF ", "SOURCE")


@dataclass(frozen=True)
class PdbText:
    """Lines that gemmi reads, with what was found in the file besides."""

    text: str
    header: str  # what may say where the coordinates come from
    guessed: int  # atoms whose element their name tells
    left: list[str] = field(default_factory=list)


def repaired_pdb(path: str | Path, text: str) -> PdbText:
    """Complete the lines of atoms: elements by name, occupancy 1, B-factors marked as not given.

    Parameters
    ----------
    path : str or Path
        For messages.
    text : str
        Of the file, with any line ends.

    Returns
    -------
    PdbText
        Its atoms in lines of 80 columns.

    Raises
    ------
    InputError
        Where an atom's columns hold no number.
    """
    lines = re.split(r"\r\n|\r|\n", text)
    rows = [i for i, line in enumerate(lines) if line[:4].upper() in ("ATOM", "HETA")]
    for i in rows:
        # Columns are characters here, bytes in gemmi.
        lines[i] = _with_numbers(path, i + 1, lines[i].encode("ascii", "replace").decode())
    symbols = {i: _symbol(lines[i]) for i in rows}
    missing = {i for i in rows if not symbols[i] or _is_mistaken(symbols[i], lines[i])}
    if missing:
        aligned = not any(_is_left_aligned(lines[i]) for i in rows)
        for group in _residues(lines, rows):
            for i in missing.intersection(group):
                symbols[i] = _guess(lines[i], len(group) == 1, aligned)
    left = []
    charged = sum(bool(re.search("[+-]", lines[i][76:80])) for i in rows)
    if charged:
        left.append(f"charges of {counted(charged, 'atom')}")
    anisotropic = sum(line.startswith("ANISOU") for line in lines)
    if anisotropic:
        left.append(f"anisotropic displacements of {counted(anisotropic, 'atom')} (B taken)")
    for i in rows:
        lines[i] = f"{lines[i][:76]}{symbols[i]:>2s}  "
    header = "\n".join(line for line in lines if line.startswith(_HEADER))
    return PdbText("\n".join([*lines, ""]), header, len(missing), left)


def _with_numbers(path: str | Path, number: int, line: str) -> str:
    """Fill up a line; gemmi would read blanks and junk as 0."""
    parts = [line[:30].ljust(30)]
    for what, (start, stop) in _COORDINATES.items():
        parts.append(_number(path, number, line, what, start, stop))
    for what, (start, stop, default) in _OPTIONAL.items():
        blank = not line[start:stop].strip()
        parts.append(default if blank else _number(path, number, line, what, start, stop))
    return "".join(parts) + line[66:80].ljust(14)


def _number(path: str | Path, number: int, line: str, what: str, start: int, stop: int) -> str:
    """Columns that hold a number, with whatever width the end of the line leaves them."""
    text = line[start:stop]
    try:
        float(text)
    except ValueError:
        raise input_error(
            path,
            f"line {number}, atom {line[6:11].strip()}: {what} must be a number in "
            f"columns {start + 1}-{stop}, got {text!r}",
        ) from None
    return text.rjust(stop - start)


def _symbol(line: str) -> str:
    """Symbol in columns 77 and 78, or there with a charge behind it; empty if there is none."""
    match = re.match(r"\s*([A-Za-z]{1,2})", line[76:80])
    return match[1] if match else ""


def _is_mistaken(symbol: str, line: str) -> bool:
    """Whether an amino acid has no such element."""
    return symbol not in _USUAL and is_foreign(atomic_number(symbol), _residue(line))


def _guess(line: str, alone: bool, aligned: bool) -> str:
    """Symbol that an atom's name tells, or X."""
    name = line[12:16]
    found = guessed_number(name, _residue(line), alone, aligned and _in_first_column(name))
    return ELEMENT_SYMBOLS[found] if found else "X"


def _residue(line: str) -> str:
    """Name of a residue, also of four letters as in CHARMM."""
    return line[17:21].strip()


def _in_first_column(name: str) -> bool:
    """Whether a name stands where a symbol of two letters does."""
    return name[:1].isalpha() and len(name.strip()) < 4


def _is_left_aligned(line: str) -> bool:
    """Whether the name of an atom of C, N, O, S or P stands in the first column after all."""
    return is_biopolymer(_residue(line)) and _in_first_column(line[12:16])


def _residues(lines: list[str], rows: list[int]) -> list[list[int]]:
    """Rows of each residue: those that follow one another, until an atom's name comes again."""
    groups: list[list[int]] = []
    names: set[str] = set()
    last = ""
    for i in rows:
        key, name = lines[i][17:27], lines[i][12:16]
        if key != last or name in names:
            groups.append([])
            names, last = set(), key
        groups[-1].append(i)
        names.add(name)
    return groups
