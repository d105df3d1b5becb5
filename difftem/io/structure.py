"""Structure files (mmCIF, PDB, crystal CIF, XYZ, and through ASE others) as `Atoms`."""

import re
from pathlib import Path
from typing import Literal

import gemmi
import numpy as np
import torch
from numpy.typing import NDArray

from difftem.atoms import Atoms
from difftem.io.account import counted, give_account
from difftem.io.assemblies import assembled
from difftem.io.atom_table import AtomTable, StructureFile, check_atoms
from difftem.io.atom_values import settle_b_factors, settle_occupancies
from difftem.io.crystal import has_fractions, read_crystal
from difftem.io.errors import input_error
from difftem.io.files import read_bytes, unpacked_suffix
from difftem.io.hydrogens import replace_hydrogens
from difftem.io.macromolecule import read_mmcif, read_pdb
from difftem.io.materials import read_material
from difftem.io.mmcif_block import has_atoms
from difftem.io.models import ChosenModels, choose_models
from difftem.io.structure_account import atoms_in_words, conformers_in_words
from difftem.io.text_matrix import read_transforms
from difftem.io.waters import is_water, name_waters
from difftem.io.xyz import XYZ_SUFFIXES, read_xyz

__all__ = ["read_structure", "read_transforms"]

_PDB = re.compile(r"\.(pdb|ent|brk)[0-9]*")  # .pdb1 is the first assembly
_CIF = (".cif", ".mmcif", ".mcif")
# They look like what is read, and mean something else.
_CONVERT = {
    ".pqr": "has charges and radii in place of occupancies and B-factors; convert it to PDB",
    ".pdbqt": "has types of AutoDock in place of elements; convert it to PDB",
    ".bcif": "is binary; take the entry's .cif",
    ".mmtf": "is binary; take the entry's .cif",
    ".star": "has places of particles, not atoms; copies.coordinates takes it",
    **dict.fromkeys((".tif", ".tiff"), "is an image, not atoms; a map is an MRC file"),
    **dict.fromkeys(
        (".mrc", ".map", ".ccp4", ".rec", ".mrcs"),
        "is a map, not atoms; difftem generate takes it as the source of a scene's particle",
    ),
}


def read_structure(
    path: str | Path,
    *,
    assembly: str = "auto",
    model: int | Literal["auto", "all"] = "auto",
    altlocs: Literal["all", "first"] = "all",
    hydrogens: Literal["file", "implicit", "tem_simulator", "none"] = "file",
    waters: bool = True,
    selection: str | None = None,
    b_factor: float | None = None,
    default_b_factor: float = 0.5,
    occupancy: float | None = None,
    dtype: torch.dtype = torch.float32,
) -> Atoms:
    """Read the atoms of a structure file.

    Atoms of occupancy 0 are left out, deuterium counts as hydrogen. Only the coordinates are
    moved into assemblies; anisotropic displacements are read as their isotropic B-factor. One
    line, logged, says what was taken and what was left.

    Parameters
    ----------
    path : str or Path
        PDB (``.pdb``, ``.ent``, ``.pdb1`` ...), mmCIF or crystal CIF (``.cif``, ``.mmcif``), XYZ
        (plain, extended, or Prismatic's; the last frame), each also as ``.gz``; any other format is
        read by ASE (``pip install difftem[materials]``). Of a crystal, one unit cell.
    assembly : str
        ``"auto"``: the first biological assembly if the file has one, else the copies that strict
        non-crystallographic symmetry gives; ``"none"``: the atoms as they are in the file
        (asymmetric unit); else the name of an assembly, such as ``"1"``.
    model : int or {"auto", "all"}
        Number of a model, or all of them. ``"auto"``: all if they lie side by side (an assembly
        written as models) or their occupancies share one structure out (as the five models of
        2OM3, 0.2 each), else the first (as of NMR).
    altlocs : {"all", "first"}
        All conformers with their occupancies, or of each residue only that of the highest
        occupancy, which it keeps; the first of equals. ``"first"`` with model ``"auto"`` takes
        the first model.
    hydrogens : {"file", "implicit", "tem_simulator", "none"}
        Those of the file; or one entry at the place of each heavy atom of proteins, nucleic acids
        and water that carries any, with its B-factor and their number times its occupancy, and
        those of the file for other residues; or that as TEM-simulator does it, with its isoleucine
        and uridine and no others; or none.
    waters : bool
        Keep water molecules, whatever a program calls them.
    selection : str, optional
        What to keep, in gemmi's syntax: ``"//A,B"`` are two chains, ``"(ALA)"`` a residue,
        ``"[C]"`` an element.
    b_factor : float, optional
        B of every atom in Å². Default: those of the file.
    default_b_factor : float
        B in Å² where the file has none, or a predicted structure's confidence (pLDDT) in their
        place: 0.5 is typical of metals at room temperature.
    occupancy : float, optional
        Occupancy of every atom. Default: those of the file.
    dtype : torch.dtype
        Of the real-valued tensors.

    Returns
    -------
    Atoms
        In Å, as oriented and placed in the file; heavy atoms before implicit hydrogens.

    Raises
    ------
    InputError
        If the file is missing, truncated or of another format, has no such model, assembly or
        selection, or holds an atom with an unknown element, without coordinates, or with an
        impossible B-factor or occupancy that is used.

    Examples
    --------
    >>> import difftem
    >>> from difftem.io.examples import example_structure
    >>> subunit = difftem.read_structure(example_structure(), selection="//A")
    >>> len(subunit), [round(side) for side in subunit.extent().tolist()]  # Å
    (1364, [48, 51, 47])
    """
    path = Path(path)
    file = _read_file(path, selection)
    chosen = _chosen_atoms(path, file, model, altlocs, waters, occupancy)
    table, taken, left = chosen.table, chosen.taken, chosen.left
    table, more, rest = settle_b_factors(path, table, b_factor, default_b_factor, file.confidence)
    taken, left = [*taken, *more], [*left, *rest]
    tables = [table]
    if hydrogens == "none":
        tables = [table.keep(table.atomic_numbers > 1)]
        n_left = len(table) - len(tables[0])
        left += [counted(n_left, "hydrogen")] if n_left else []
        if len(tables[0]) == 0:
            raise input_error(path, "no atoms are left without hydrogens")
    elif hydrogens != "file":
        table, added, more, rest = replace_hydrogens(table, hydrogens == "tem_simulator")
        tables = [each for each in (table, added) if each is not None and len(each)]
        taken, left = [*taken, *more], [*left, *rest]
        if not tables:
            raise input_error(path, "no atoms are left without hydrogens")
    atoms, more, rest = assembled(path, file, assembly, tables, dtype, chosen.are_copies)
    everything = AtomTable.joined(tables)
    words = [atoms_in_words(len(atoms), everything), *file.taken, *more, *taken]
    give_account(path, words, [*left, *rest, *file.left])
    return atoms


def _read_file(path: Path, selection: str | None) -> StructureFile:
    """Read a file by its suffix, or one without a known suffix by what is in it."""
    suffix = unpacked_suffix(path)
    packed = read_bytes(path)  # a missing or truncated file is told the same way for every format
    if suffix in _CONVERT:
        raise input_error(path, f"{suffix} {_CONVERT[suffix]}")
    is_pdb, is_cif = _PDB.fullmatch(suffix) is not None, suffix in _CIF
    is_xyz = suffix in XYZ_SUFFIXES
    if not (is_pdb or is_cif or is_xyz):
        is_pdb = re.search(rb"^(ATOM  |HETATM)[ 0-9A-Za-z]{5} ", packed[:100_000], re.M) is not None
        is_cif = re.search(rb"^_atom_site[._]", packed[:1_000_000], re.M) is not None
    if is_pdb:
        return read_pdb(path, _text(path, packed), selection)
    document = None
    if is_cif:
        try:
            document = gemmi.cif.read_string(_text(path, packed))
        except (ValueError, RuntimeError, IndexError) as error:
            raise input_error(path, f"not a whole cif file: {error}") from error
        if any(map(has_atoms, document)):
            return read_mmcif(path, document, selection)
    if selection is not None:
        raise input_error(path, f"selection {selection!r} needs an mmCIF or PDB file")
    if document is not None:
        if any(map(has_fractions, document)):
            return read_crystal(path, document)
        raise input_error(path, "no atoms: no _atom_site loop with Cartn_x or fract_x")
    return read_xyz(path, _text(path, packed)) if is_xyz else read_material(path, packed)


def _text(path: Path, packed: bytes) -> str:
    """Text of a file: UTF-8, or of old programs Latin-1, with or without a mark of byte order."""
    try:
        return packed.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        if re.search(rb"[\x00-\x08\x0e-\x1a]", packed):
            raise input_error(path, f"not a text file (byte {error.start})") from None
    return packed.decode("latin-1")


def _chosen_atoms(
    path: Path,
    file: StructureFile,
    model: int | Literal["auto", "all"],
    altlocs: Literal["all", "first"],
    waters: bool,
    occupancy: float | None,
) -> ChosenModels:
    """Atoms of the wanted models and conformers that are there, and what to say of it."""
    table, sites = name_waters(file.table)
    left = [f"{counted(sites, 'virtual site')} of water"] if sites else []
    check_atoms(path, table)
    chosen = choose_models(path, table, model, altlocs == "all", file.is_ensemble)
    table, taken, left = chosen.table, chosen.taken, [*left, *chosen.left]
    if not waters:
        wet = is_water(table)
        oxygens = int((wet & (table.atomic_numbers == 8)).sum())
        table = table.keep(~wet)
        left += [counted(oxygens, "water")] if wet.any() else []
        if len(table) == 0:
            raise input_error(path, "no atoms are left without water (structure.waters keeps it)")
    before = table
    if altlocs == "first":
        table = table.keep(_best_conformers(table))
    more, rest = conformers_in_words(before, len(table))
    taken, left = [*taken, *more], [*left, *rest]
    table, more, rest = settle_occupancies(path, table, occupancy)
    return ChosenModels(table, chosen.are_copies, [*taken, *more], [*left, *rest])


def _best_conformers(table: AtomTable) -> NDArray[np.bool_]:  # (n_atoms,)
    """Mask of atoms that have one place, or belong to their residue's likeliest conformer."""
    keep: NDArray[np.bool_] = table.altlocs == b""
    best: dict[tuple[int, bytes, bytes], tuple[float, bytes]] = {}
    rows = np.flatnonzero(~keep).tolist()
    keys = [(int(table.models[i]), table.chains[i], table.residue_numbers[i]) for i in rows]
    for i, key in zip(rows, keys, strict=True):
        if key not in best or table.occupancies[i] > best[key][0]:
            best[key] = (float(table.occupancies[i]), table.altlocs[i])
    for i, key in zip(rows, keys, strict=True):
        keep[i] = table.altlocs[i] == best[key][1]
    return keep
