"""PDB and mmCIF files through gemmi, with what gemmi lets pass caught here."""

from dataclasses import dataclass
from pathlib import Path

import gemmi
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from difftem.io.account import counted
from difftem.io.atom_table import AssemblyPart, AtomTable, StructureFile
from difftem.io.errors import input_error
from difftem.io.mmcif_block import has_atoms, repair_mmcif
from difftem.io.pdb_text import NOT_GIVEN, repaired_pdb
from difftem.io.provenance import is_ensemble, mmcif_confidence, pdb_confidence

_DEUTERIUM = 119  # where gemmi keeps it
_LONGEST = 7  # letters of a name that gemmi's arrays hold


@dataclass(frozen=True)
class _ParsedFile:
    """A parsed file with what its text said."""

    structure: gemmi.Structure
    guessed: int
    confidence: str | None
    left: list[str]


def read_pdb(path: str | Path, text: str, selection: str | None = None) -> StructureFile:
    """Read a PDB file.

    Parameters
    ----------
    path : str or Path
        For messages.
    text : str
        Its content.
    selection : str, optional
        What to keep, in gemmi's syntax.

    Returns
    -------
    StructureFile
        All models and conformers.

    Raises
    ------
    InputError
        In one line that says what is wrong with it.
    """
    repaired = repaired_pdb(path, text)
    try:
        structure = gemmi.read_pdb_string(repaired.text)
        structure.setup_entities()
    except (ValueError, RuntimeError, IndexError) as error:
        raise input_error(path, f"not a whole pdb file: {error}") from error
    confidence = pdb_confidence(repaired.header)
    found = _ParsedFile(structure, repaired.guessed, confidence, repaired.left)
    return _structure_file(path, found, selection)


def read_mmcif(
    path: str | Path, document: gemmi.cif.Document, selection: str | None = None
) -> StructureFile:
    """Read an mmCIF file: its first block that has atoms.

    Parameters
    ----------
    path : str or Path
        For messages.
    document : gemmi.cif.Document
        Its content; changed.
    selection : str, optional
        What to keep, in gemmi's syntax.

    Returns
    -------
    StructureFile
        All models and conformers.

    Raises
    ------
    InputError
        In one line that says what is wrong with it.
    """
    blocks = [block for block in document if has_atoms(block)]
    try:
        notes = repair_mmcif(blocks[0])
        structure = gemmi.make_structure_from_block(blocks[0])
    except (ValueError, RuntimeError, IndexError) as error:
        raise input_error(path, f"not a whole cif file: {error}") from error
    left = [f"data block {block.name!r}" for block in blocks[1:]] + notes.left
    found = _ParsedFile(structure, notes.guessed, mmcif_confidence(blocks[0]), left)
    return _structure_file(path, found, selection)


def _structure_file(path: str | Path, found: _ParsedFile, selection: str | None) -> StructureFile:
    """Turn gemmi's structure into arrays."""
    structure = found.structure
    _select(path, structure, selection)
    taken = [f"selection {selection!r}"] if selection else []
    if found.guessed:
        taken.append(f"elements of {counted(found.guessed, 'atom')} by their names")
    return StructureFile(
        _atom_table(structure),
        {each.name: _parts(each) for each in structure.assemblies},
        _strict_copies(structure),
        is_ensemble(structure.info["_exptl.method"] if "_exptl.method" in structure.info else ""),
        found.confidence,
        taken,
        found.left,
    )


def _select(path: str | Path, structure: gemmi.Structure, selection: str | None) -> None:
    """Remove what is not selected."""
    if selection is None:
        return
    try:
        gemmi.Selection(selection).remove_not_selected(structure)
    except (RuntimeError, ValueError) as error:
        raise input_error(path, f"bad selection {selection!r}: {error}") from error
    if not any(model.count_atom_sites() for model in structure):
        raise input_error(path, f"no atoms are selected by {selection!r}")


def _atom_table(structure: gemmi.Structure) -> AtomTable:
    """All atoms; names of any length."""
    names = _shortened(structure)
    flat = gemmi.FlatStructure(structure)
    flat.strings_as_numbers = False
    numbers = np.array(flat.elements, dtype=np.int64)
    numbers[numbers == _DEUTERIUM] = 1
    b_factors = np.array(flat.b_iso, dtype=np.float64)
    b_factors[b_factors == NOT_GIVEN] = np.nan
    code = np.array(flat.icodes, dtype=np.uint8).view("S1")
    return AtomTable(
        positions=np.array(flat.pos, dtype=np.float64).reshape(-1, 3),
        atomic_numbers=numbers,
        occupancies=np.array(flat.occ, dtype=np.float64),
        b_factors=b_factors,
        serials=np.array(flat.serials, dtype=np.int64),
        altlocs=np.array(flat.altlocs, dtype=np.uint8).view("S1"),
        models=np.array(flat.model_num, dtype=np.int64),
        chains=_restored(np.array(flat.chain_ids), names),
        subchains=_restored(np.array(flat.subchains), names),
        residue_numbers=np.char.add(np.array(flat.resnums).astype("S"), code),
        residues=_restored(np.array(flat.residue_names), names),
        names=_restored(np.array(flat.atom_names), names),
    )


def _shortened(structure: gemmi.Structure) -> dict[str, str]:
    """Put short names in place of those that gemmi's arrays do not hold; return what they mean."""
    meant: dict[str, str] = {}
    short: dict[str, str] = {}

    def shorten(name: str) -> str:
        if len(name.encode()) <= _LONGEST:
            return name
        if name not in short:
            short[name] = f"\x01{len(short):06d}"  # nothing in a file is called so
            meant[short[name]] = name
        return short[name]

    for model in structure:
        for chain in model:
            chain.name = shorten(chain.name)
            for residue in chain:
                residue.name = shorten(residue.name)
                residue.subchain = shorten(residue.subchain)
                residue.entity_id = shorten(residue.entity_id)
                for atom in residue:
                    if len(atom.name) > _LONGEST // 2:  # bytes of UTF-8 are at most four a letter
                        atom.name = shorten(atom.name)
    return meant


def _restored(short: NDArray[np.bytes_], names: dict[str, str]) -> NDArray[np.bytes_]:
    """Names as in the file."""
    if not names:
        return short
    unique, inverse = np.unique(short, return_inverse=True)
    meant = [names.get(each.decode(errors="replace"), "").encode() or each for each in unique]
    return np.array(meant)[inverse]


def _strict_copies(structure: gemmi.Structure) -> tuple[Tensor, Tensor] | None:
    """Find copies by strict non-crystallographic symmetry that the file leaves to its reader."""
    transforms = [operator.tr for operator in structure.ncs if not operator.given]
    if not transforms:
        return None
    return _matrices([gemmi.Transform(), *transforms])


def _parts(assembly: gemmi.Assembly) -> list[AssemblyPart]:
    """Chains of an assembly with their copies."""
    parts = []
    for generator in assembly.generators:
        rotations, shifts = _matrices([operator.transform for operator in generator.operators])
        chains = [chain.encode() for chain in generator.chains]
        subchains = [chain.encode() for chain in generator.subchains]
        parts.append(AssemblyPart(chains, subchains, rotations, shifts))
    return parts


def _matrices(transforms: list[gemmi.Transform]) -> tuple[Tensor, Tensor]:  # (n, 3, 3), (n, 3)
    """Rotations and shifts."""
    rotations = np.array([each.mat.tolist() for each in transforms]).reshape(-1, 3, 3)
    shifts = np.array([each.vec.tolist() for each in transforms]).reshape(-1, 3)
    return torch.from_numpy(rotations), torch.from_numpy(shifts)
