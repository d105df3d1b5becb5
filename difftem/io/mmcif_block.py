"""mmCIF blocks as programs write them, made such that gemmi reads what they mean."""

import re
from dataclasses import dataclass, field
from itertools import pairwise

import gemmi
import numpy as np

from difftem.constants.scattering import ELEMENT_SYMBOLS
from difftem.io.account import counted
from difftem.io.elements import atomic_number, guessed_number, is_foreign
from difftem.io.pdb_text import NOT_GIVEN

_SITES = "_atom_site."
_MISSING = (".", "?")
# Without these columns gemmi drops the assemblies of a file without a word.
_ASSEMBLY_COLUMNS = {
    "_pdbx_struct_assembly.": "details method_details oligomeric_details oligomeric_count",
    "_pdbx_struct_oper_list.": "type",
}
# Without these it reads no atoms.
_NEEDED = "id label_atom_id label_alt_id label_comp_id label_asym_id label_seq_id"
# What says which atom it is, or repeats it.
_IDENTITY = re.compile(
    r"group_PDB|id|type_symbol|(label|auth)_.*|pdbx_PDB_\w*|pdbx_(label|auth|sifts)_.*|pdbx_tls.*|"
    r"Cartn_[xyz](_esd)?|fract_[xyz](_esd)?|occupancy(_esd)?|([BU]_iso_or_equiv)(_esd)?|"
    r"pdbx_formal_charge|calc_flag|footnote_id|pdbx_\w*label_index|ihm_\w*",
    re.IGNORECASE,
)


@dataclass
class MmcifNotes:
    """What was found in a block besides atoms."""

    guessed: int = 0  # atoms whose element their name tells
    left: list[str] = field(default_factory=list)


def has_atoms(block: gemmi.cif.Block) -> bool:
    """Whether a block holds atoms with Cartesian coordinates, as loop or as one row."""
    return len(block.find_values(_SITES + "Cartn_x")) > 0


def repair_mmcif(block: gemmi.cif.Block) -> MmcifNotes:
    """Complete a block with atoms: elements, occupancies, B-factors marked as not given.

    Parameters
    ----------
    block : gemmi.cif.Block
        Changed.

    Returns
    -------
    MmcifNotes
        What a user should know.

    Raises
    ------
    ValueError
        If it is no mmCIF.
    """
    _check_loops(block)
    _complete_assemblies(block)
    if block.find_loop(_SITES + "Cartn_x").get_loop() is None:
        block.find_mmcif_category(_SITES).ensure_loop()
    loop = block.find_loop(_SITES + "Cartn_x").get_loop()
    wanted = [_SITES + name for name in _NEEDED.split()]
    absent = [tag for tag in wanted if not _has(loop, tag)]
    if absent:
        loop.add_columns(absent, ".")
    notes = MmcifNotes()
    notes.guessed = _repair_elements(block, loop)
    _repair_numbers(block, loop)
    notes.left = _unused(block, loop)
    return notes


def _check_loops(block: gemmi.cif.Block) -> None:
    """Refuse a loop with tags of two categories, which gemmi does not survive everywhere."""
    for item in block:
        tags = [] if item.loop is None else item.loop.tags
        categories = {tag.partition(".")[0].lower() for tag in tags}
        if len(categories) > 1:
            raise ValueError(f"a loop has tags of {' and '.join(sorted(categories))}")


def _has(loop: gemmi.cif.Loop, tag: str) -> bool:
    """Whether a loop has a tag; their case does not count."""
    return tag.lower() in [each.lower() for each in loop.tags]


def _column(block: gemmi.cif.Block, loop: gemmi.cif.Loop, name: str) -> list[str] | None:
    """Values of a column of atoms, if it is there."""
    if not _has(loop, _SITES + name):
        return None
    return list(block.find_values(_SITES + name))


def _write(block: gemmi.cif.Block, loop: gemmi.cif.Loop, name: str, values: list[str]) -> None:
    """Set a column of atoms, a new one if need be."""
    if not _has(loop, _SITES + name):
        loop.add_columns([_SITES + name], ".")
    column = block.find_values(_SITES + name)
    for i, (old, new) in enumerate(zip(list(column), values, strict=True)):
        if new != old:
            column[i] = new


def _repair_elements(block: gemmi.cif.Block, loop: gemmi.cif.Loop) -> int:
    """Take charges off the symbols; where there is none, ask the name. Return how often."""
    symbols = _column(block, loop, "type_symbol")
    known = {each: atomic_number(_unquoted(each)) for each in set(symbols or ())}
    residues = _column(block, loop, "label_comp_id") or []
    pairs = set(zip(symbols or [], residues, strict=False))
    mistaken = {(each, name) for each, name in pairs if is_foreign(known[each], _unquoted(name))}
    usual = all(ELEMENT_SYMBOLS[z] == each for each, z in known.items())
    if symbols is not None and usual and not mistaken:
        return 0
    # An unknown symbol stays, so that it is refused; only where there is none the name counts.
    symbols = symbols or ["?"] * loop.length()
    silent = [
        each in _MISSING or (each, name) in mistaken
        for each, name in zip(symbols, residues, strict=True)
    ]
    fixed = [ELEMENT_SYMBOLS[known.get(each, 0)] if known.get(each) else each for each in symbols]
    if any(silent):
        names = _column(block, loop, "label_atom_id") or []
        alone = _alone(block, loop)
        for i in np.flatnonzero(silent).tolist():
            z = guessed_number(_unquoted(names[i]), _unquoted(residues[i]), alone[i])
            fixed[i] = ELEMENT_SYMBOLS[z] if z else "X"
    _write(block, loop, "type_symbol", fixed)
    return sum(silent)


def _alone(block: gemmi.cif.Block, loop: gemmi.cif.Loop) -> list[bool]:
    """Whether each atom is the only one of its residue."""
    names = ("label_asym_id", "auth_asym_id", "label_seq_id", "auth_seq_id", "label_comp_id")
    columns = [_column(block, loop, name) for name in (*names, "pdbx_PDB_model_num")]
    keys = list(zip(*(each for each in columns if each is not None), strict=True))
    same = [a == b for a, b in pairwise(keys)]
    return [not (a or b) for a, b in zip([False, *same], [*same, False], strict=True)]


def _repair_numbers(block: gemmi.cif.Block, loop: gemmi.cif.Loop) -> None:
    """Give occupancy 1 where there is none, and mark B-factors that are not there."""
    occupancies = _column(block, loop, "occupancy")
    if occupancies is not None and any(each in _MISSING for each in occupancies):
        filled = ["1" if each in _MISSING else each for each in occupancies]
        _write(block, loop, "occupancy", filled)
    b_factors = _column(block, loop, "B_iso_or_equiv")
    if b_factors is None:
        displacements = _column(block, loop, "U_iso_or_equiv") or ["?"] * loop.length()
        values = [gemmi.cif.as_number(each) * 8 * np.pi**2 for each in displacements]
        b_factors = ["?" if np.isnan(each) else f"{each:.4f}" for each in values]
    elif not any(each in _MISSING for each in b_factors):
        return
    marked = [f"{NOT_GIVEN:g}" if each in _MISSING else each for each in b_factors]
    _write(block, loop, "B_iso_or_equiv", marked)


def _unused(block: gemmi.cif.Block, loop: gemmi.cif.Loop) -> list[str]:
    """Name what there is about atoms and is not used."""
    left = []
    charges = _column(block, loop, "pdbx_formal_charge") or []
    charged = sum(each not in (*_MISSING, "0") for each in charges)
    if charged:
        left.append(f"charges of {counted(charged, 'atom')}")
    anisotropic = len(block.find_mmcif_category("_atom_site_anisotrop."))
    if anisotropic:
        left.append(f"anisotropic displacements of {counted(anisotropic, 'atom')} (B taken)")
    names = [tag[len(_SITES) :] for tag in loop.tags]
    left += [f"column {name}" for name in names if not _IDENTITY.fullmatch(name)]
    return left


def _unquoted(text: str) -> str:
    """Value of a token."""
    return gemmi.cif.as_string(text)


def _complete_assemblies(block: gemmi.cif.Block) -> None:
    """Add the descriptive columns of assemblies that a program left out."""
    for category, names in _ASSEMBLY_COLUMNS.items():
        table = block.find_mmcif_category(category)
        tags = [category + name for name in names.split()]
        missing = [tag for tag in tags if tag not in [each.lower() for each in table.tags]]
        if len(table) and missing:
            table.ensure_loop()
            table.loop.add_columns(missing, "?")
    details = block.find_values("_pdbx_struct_assembly.details")
    for i in range(len(details)):  # gemmi leaves out assemblies by what they are described as
        details[i] = "?"
