"""Copies of a file's atoms: biological assemblies and strict non-crystallographic symmetry."""

from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from difftem.atoms import Atoms, concatenate
from difftem.io.atom_table import MAX_COORDINATE, AssemblyPart, AtomTable, StructureFile
from difftem.io.errors import input_error

_SAME_PLACE = 0.5  # Å
_DISTORTED = 0.01  # of a matrix times its transpose from 1; files round to six decimals
_SAMPLE = 2000  # atoms that decide
_MANY = 0.4  # of two chains along a line, one has no image


def assembled(
    path: Path,
    file: StructureFile,
    name: str,
    tables: list[AtomTable],
    dtype: torch.dtype,
    whole: bool = False,
) -> tuple[Atoms, list[str], list[str]]:
    """Copy atoms as an assembly says.

    Parameters
    ----------
    path : Path
        For messages.
    file : StructureFile
        Its assemblies and strict symmetry.
    name : str
        ``"auto"``: the first assembly, or strict symmetry where there is no assembly; ``"none"``;
        or an assembly's name.
    tables : list of AtomTable
        Atoms, the heaviest first; the others stand at the places of some of the first.
    dtype : torch.dtype
        Of the real-valued tensors.
    whole : bool
        The file holds the assembly itself, as models side by side.

    Returns
    -------
    atoms : Atoms
        All copies.
    taken, left : list of str
        What to say.

    Raises
    ------
    InputError
        If there is no such assembly, or nothing belongs to it.
    """
    known = list(file.assemblies)
    if name not in ("auto", "none", *known):
        raise input_error(path, f"no assembly {name!r}, the file has {', '.join(known) or 'none'}")
    chosen = known[0] if name == "auto" and known and not whole else name
    if chosen in known:
        for part in file.assemblies[chosen]:
            _check_operators(path, f"assembly {chosen!r}", part.rotations, part.shifts)
        if name != "auto" or not _is_expanded(tables[0], file.assemblies[chosen]):
            return _copies(path, file, chosen, tables, dtype)
        reason = f"operators of assembly {chosen}, whose copies the file holds"
        return _as_they_are(tables, dtype), [], [reason]
    left = [f"assembly {', '.join(known)}" + (" (the models are its copies)" if whole else "")]
    left = left if known else []
    if file.ncs is None:
        return _as_they_are(tables, dtype), [], left
    rotations, shifts = file.ncs
    n = len(rotations)
    _check_operators(path, "strict NCS", rotations, shifts)
    if name == "none" or whole or _is_copied(tables[0], rotations[1:], shifts[1:]):
        return _as_they_are(tables, dtype), [], [*left, f"strict NCS (MTRIX, {n} copies)"]
    parts = [_moved(table, rotations, shifts, dtype) for table in tables]
    return concatenate(parts), [f"strict NCS applied (MTRIX, {n} copies)"], left


def _copies(
    path: Path, file: StructureFile, name: str, tables: list[AtomTable], dtype: torch.dtype
) -> tuple[Atoms, list[str], list[str]]:
    """Make the copies that a named assembly has."""
    parts, most = [], 0
    for part in file.assemblies[name]:
        n = len(part.rotations)
        if n == 0:
            raise input_error(path, f"assembly {name!r} names operators that are not there")
        for table in tables:
            chosen = table.keep(part.has(table))
            if len(chosen):
                parts.append(_moved(chosen, part.rotations, part.shifts, dtype))
                most = max(most, n)
    if not parts:
        raise input_error(path, f"no selected atoms belong to assembly {name!r}")
    others = [other for other in file.assemblies if other != name]
    left = [f"assembly {', '.join(others)}"] if others else []
    members = np.logical_or.reduce([part.has(tables[0]) for part in file.assemblies[name]])
    if not members.all():
        left.append(f"{int((~members).sum())} atoms that are not in assembly {name}")
    if file.ncs is not None:
        left.append(f"strict NCS (MTRIX, {len(file.ncs[0])} copies)")
    copies = "1 copy" if most == 1 else f"{most} copies"
    return concatenate(parts), [f"assembly {name} ({copies})"], left


def _check_operators(path: Path, what: str, rotations: Tensor, shifts: Tensor) -> None:
    """Refuse what turns no molecule: numbers that are none, or matrices that distort."""
    identity = torch.eye(3, dtype=rotations.dtype)
    wrong = (rotations @ rotations.transpose(-1, -2) - identity).abs().amax((-2, -1))
    far = shifts.abs().amax(-1)
    for i in range(len(rotations)):
        if not (wrong[i] < _DISTORTED and far[i] <= MAX_COORDINATE):
            matrix = torch.cat([rotations[i], shifts[i, :, None]], -1).tolist()
            raise input_error(path, f"{what}: operator {i + 1} is no rotation and shift: {matrix}")


def _as_they_are(tables: list[AtomTable], dtype: torch.dtype) -> Atoms:
    """Atoms without copies."""
    return concatenate([table.atoms(dtype) for table in tables])


def _moved(table: AtomTable, rotations: Tensor, shifts: Tensor, dtype: torch.dtype) -> Atoms:
    """Move copies of a table's atoms."""
    return table.atoms(torch.float64).copies(rotations, shifts).to(dtype=dtype)


def _is_expanded(table: AtomTable, parts: list[AssemblyPart]) -> bool:
    """Whether an assembly's copies of the atoms are there already."""
    for part in parts:
        own = table.keep(part.has(table))
        identity = torch.eye(3, dtype=torch.float64)
        moves = (part.rotations - identity).abs().amax((-2, -1)) + part.shifts.abs().amax(-1)
        other = moves > _SAME_PLACE / 1000
        if len(own) and other.any() and _is_copied(own, part.rotations[other], part.shifts[other]):
            return True
    return False


def _is_copied(table: AtomTable, rotations: Tensor, shifts: Tensor) -> bool:
    """Whether many atoms have their first image at the place of an atom of the same element."""
    from scipy.spatial import cKDTree  # loads slowly

    rows = np.arange(0, len(table), max(1, len(table) // _SAMPLE))
    images = table.positions[rows] @ rotations[0].numpy().T + shifts[0].numpy()
    # The image of an atom on an axis is that atom: it says nothing.
    off = np.linalg.norm(images - table.positions[rows], axis=-1) > _SAME_PLACE
    if not off.any():
        return False
    apart, nearest = cKDTree(table.positions).query(images[off])
    same = table.atomic_numbers[nearest] == table.atomic_numbers[rows[off]]
    return bool((same & (apart < _SAME_PLACE)).mean() > _MANY)
