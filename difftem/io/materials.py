"""Structures of materials (POSCAR, CFG, LAMMPS, GROMACS, ...) through ASE, an optional extra."""

import warnings
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from difftem.io.account import counted
from difftem.io.atom_table import StructureFile, plain_table
from difftem.io.errors import InputError, input_error
from difftem.io.text import is_number

_B = ("debye_waller_factors", "bfactor", "b_factors")
_OCCUPANCIES = ("occupancies", "occupancy")
_HEAD = 50  # lines that may say how many atoms there are
_FEW = 1_000_000
_WORDS = b"Number of particles = atoms".split()
_KNOWN = {"numbers", "positions", "residuenames", "residuenumbers", "atomtypes", *_B, *_OCCUPANCIES}


def read_material(path: Path, content: bytes) -> StructureFile:
    """Read the last frame of whatever ASE reads.

    Parameters
    ----------
    path : Path
        Of any suffix.
    content : bytes
        The file's.

    Returns
    -------
    StructureFile
        With NaN where there is no B-factor.

    Raises
    ------
    InputError
        If ASE is not installed, or does not read it.
    """
    try:
        import ase.io
    except ImportError:
        raise InputError(
            f"{path}: this format is read by ASE, install it with: pip install difftem[materials]"
        ) from None
    _check_counts(path, content)
    frames, frame = 0, None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about symmetry and units of cells, not of atoms
            for each in ase.io.iread(path, index=":"):
                frames, frame = frames + 1, each
    except Exception as error:  # each of ASE's readers fails in its own way
        reason = str(error) or type(error).__name__
        raise input_error(path, f"not readable by ASE ({reason})") from error
    if frame is None or len(frame) == 0:
        raise input_error(path, "no atoms")
    arrays: dict[str, Any] = frame.arrays
    table = plain_table(
        frame.get_positions(),
        frame.get_atomic_numbers(),
        _first(arrays, _OCCUPANCIES),
        _first(arrays, _B),
        names=_text(arrays, "atomtypes"),
        residues=_text(arrays, "residuenames"),
        residue_numbers=_text(arrays, "residuenumbers"),
    )
    taken = [f"frame {frames} of {frames}"] if frames > 1 else []
    left = [counted(frames - 1, "earlier frame")] if frames > 1 else []
    left += [f"column {name}" for name in arrays if name not in _KNOWN]
    return StructureFile(table, taken=taken, left=left)


def _check_counts(path: Path, content: bytes) -> None:
    """Refuse a text that claims more atoms than it has letters: ASE would go and look for them."""
    lines = [] if b"\0" in content[:1000] else content[:10_000].splitlines()[:_HEAD]
    for number, (before, line) in enumerate(pairwise([b"", *lines]), start=1):
        words = [word for word in line.split() if word not in _WORDS]
        if b"TIMESTEP" in before.upper() or not all(map(is_number, words)):
            continue
        most = max((int(word[:18]) for word in words if word.isdigit()), default=0)
        if most > max(len(content), _FEW):
            raise input_error(path, f"line {number} says {most} atoms, more than fit into the file")


def _first(arrays: dict[str, Any], names: tuple[str, ...]) -> NDArray[np.float64] | None:
    """First of some columns of numbers that is there."""
    found = next((arrays[name] for name in names if name in arrays), None)
    return None if found is None else np.asarray(found, dtype=np.float64)


def _text(arrays: dict[str, Any], name: str) -> NDArray[np.bytes_] | None:
    """Column of words."""
    return np.array([str(each).encode() for each in arrays[name]]) if name in arrays else None
