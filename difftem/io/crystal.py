"""Crystal structures as CIF files of small molecules and minerals: one unit cell of atoms."""

import re
from collections.abc import Sequence
from pathlib import Path

import gemmi
import numpy as np
from numpy.typing import NDArray

from difftem.io.account import counted
from difftem.io.atom_table import StructureFile, plain_table
from difftem.io.elements import atomic_number
from difftem.io.errors import input_error

_SITES = "_atom_site_"
_OPERATIONS = ("_space_group_symop_operation_xyz", "_symmetry_equiv_pos_as_xyz")
_NAMES = (
    "_space_group_name_H-M_alt",
    "_symmetry_space_group_name_H-M",
    "_space_group_name_Hall",
    "_symmetry_space_group_name_Hall",
)
# Behind the name of a group: ":1", "(origin choice 1)", and S or Z, as the ICSD writes.
_ORIGIN = re.compile(r"\s*(?:(?::\s*|\(?origin choice )([12])\)?|\s([SZ]))$")
_SAME_PLACE = 0.05  # Å, as 0.3333 times a cell differs from a third of it
_SAME_FRACTION = 1e-4
_DISPLACEMENTS = ("U_iso_or_equiv", "B_iso_or_equiv")
_USED = ("label", "type_symbol", "fract_", "occupancy", *_DISPLACEMENTS)


def has_fractions(block: gemmi.cif.Block) -> bool:
    """Whether a block holds atoms by fractions of a cell."""
    return len(block.find(_SITES, ["fract_x", "fract_y", "fract_z"])) > 0


def read_crystal(path: str | Path, document: gemmi.cif.Document) -> StructureFile:
    """Read one unit cell of a crystal, its sites copied by the symmetry of the space group.

    Parameters
    ----------
    path : str or Path
        For messages.
    document : gemmi.cif.Document
        Content of a CIF file; its first block with atoms is taken.

    Returns
    -------
    StructureFile
        Sites within the cell in Å (a along x, b in the xy plane), with their occupancies, and
        B = 8π² U where the file has displacements.

    Raises
    ------
    InputError
        If cell or space group are not to be understood.
    """
    blocks = [block for block in document if has_fractions(block)]
    block = blocks[0]
    left = [f"data block {each.name!r}" for each in blocks[1:]]
    try:
        small = gemmi.make_small_structure_from_block(block)
    except (ValueError, RuntimeError, IndexError) as error:
        raise input_error(path, f"not a crystal's cif file: {error}") from error
    cell = small.cell
    if not (cell.is_crystal() and np.isfinite(cell.volume) and cell.volume > 0):
        raise input_error(
            path, "atoms by fractions of a cell, but no _cell_length and _cell_angle that span one"
        )
    operations, group = _symmetry(path, block, small)
    columns = [_column(block, name) for name in ("fract_x", "fract_y", "fract_z")]
    _check_lengths(path, block, len(columns[0]))
    fractions = np.array([[gemmi.cif.as_number(each) for each in column] for column in columns]).T
    placed = np.isfinite(fractions).all(-1)
    if not placed.all():
        left.append(f"{counted(int((~placed).sum()), 'site')} without coordinates")
    occupancies = _numbers(block, "occupancy", len(fractions))
    b_factors = _b_factors(block, small, len(fractions))
    symbols = _symbols(block, len(fractions))
    rows, places = [], []
    for site in np.flatnonzero(placed).tolist():
        images = _images(fractions[site], operations, cell)
        places.append(images)
        rows += [site] * len(images)
    if not rows:
        raise input_error(path, "no atoms: no site has numbers as coordinates")
    numbers = np.array([atomic_number(each) for each in symbols])
    matrix = np.array(cell.orth.mat.tolist())
    table = plain_table(
        np.concatenate(places) @ matrix.T,
        numbers[rows],
        occupancies[rows],
        b_factors[rows],
        names=np.array([each.encode() for each in _labels(block, symbols)])[rows],
    )
    sides = " x ".join(f"{side:.4g}" for side in (cell.a, cell.b, cell.c))
    n_sites = counted(len(fractions), "site")
    taken = [f"one unit cell of {sides} Å ({group}) from {n_sites}"]
    return StructureFile(table, taken=taken, left=left + _unused(block))


def _symmetry(
    path: str | Path, block: gemmi.cif.Block, small: gemmi.SmallStructure
) -> tuple[Sequence[gemmi.Op], str]:
    """Operations of the space group: those that the file lists, else by its name or number."""
    found = [each for tag in _OPERATIONS for each in block.find_values(tag)]
    listed = [gemmi.cif.as_string(each) for each in found]
    names = [gemmi.cif.as_string(block.find_value(tag) or "?") for tag in _NAMES]
    name = next((each for each in names if each), "")
    if listed:
        try:
            return [gemmi.Op(each) for each in listed], name or f"{len(listed)} operations"
        except (ValueError, RuntimeError) as error:
            raise input_error(path, f"bad symmetry operation: {error}") from None
    group = small.spacegroup or gemmi.find_spacegroup_by_name(_ORIGIN.sub("", name) or "?")
    if group is None and not name and small.spacegroup_number:
        group = gemmi.find_spacegroup_by_number(small.spacegroup_number)
    if group is not None:
        return _with_origin(block, name, group)
    if name or small.spacegroup_number:
        what = repr(name) if name else f"number {small.spacegroup_number}"
        raise input_error(
            path, f"unknown space group {what}; list its operations (_space_group_symop_...)"
        )
    return [gemmi.Op("x,y,z")], "no symmetry in the file: P 1"


def _with_origin(
    block: gemmi.cif.Block, name: str, group: gemmi.SpaceGroup
) -> tuple[Sequence[gemmi.Op], str]:
    """Operations from that of a group's two origins which the name says, else the second.

    The second lies in the inversion centre, as in most files. A name of Hall's says it itself.
    """
    hall = any(gemmi.cif.as_string(block.find_value(tag) or "?") for tag in _NAMES[2:])
    if group.ext not in "12" or hall:
        return list(group.operations()), group.xhm()
    said = _ORIGIN.search(name)
    choice = "1" if said and (said[1] or said[2]) in "1S" else "2"
    found = gemmi.find_spacegroup_by_name(f"{group.hm}:{choice}") or group
    note = "" if said else ", as the file names none of its two origins"
    return list(found.operations()), found.xhm() + note


def _images(
    fraction: NDArray[np.float64], operations: Sequence[gemmi.Op], cell: gemmi.UnitCell
) -> NDArray[np.float64]:  # (n, 3)
    """Images of a site within the cell; where symmetry maps it onto itself, once."""
    images = np.array([each.apply_to_xyz(fraction.tolist()) for each in operations])
    images -= np.floor(images + _SAME_FRACTION)
    matrix = np.array(cell.orth.mat.tolist())
    kept: list[NDArray[np.float64]] = []
    for image in images:
        apart = np.array(kept).reshape(-1, 3) - image
        apart -= np.round(apart)
        if not (np.linalg.norm(apart @ matrix.T, axis=-1) < _SAME_PLACE).any():
            kept.append(image)
    return np.array(kept)


def _check_lengths(path: str | Path, block: gemmi.cif.Block, n_sites: int) -> None:
    """Refuse columns of sites that come from several loops."""
    for name in ("label", "type_symbol", "occupancy", "fract_y", "fract_z", *_DISPLACEMENTS):
        found = len(block.find_values(_SITES + name))
        if found not in (0, n_sites):
            raise input_error(
                path, f"{_SITES}{name} has {found} values, {_SITES}fract_x has {n_sites}"
            )


def _column(block: gemmi.cif.Block, name: str) -> list[str]:
    """Values of a column of sites; empty if it is not there."""
    return [gemmi.cif.as_string(each) for each in block.find_values(_SITES + name)]


def _numbers(block: gemmi.cif.Block, name: str, n_sites: int) -> NDArray[np.float64]:
    """Numbers of a column of sites, NaN where there are none."""
    values = list(block.find_values(_SITES + name))
    return np.array([gemmi.cif.as_number(each) for each in values or ["?"] * n_sites])


def _b_factors(
    block: gemmi.cif.Block, small: gemmi.SmallStructure, n_sites: int
) -> NDArray[np.float64]:
    """B in Å² of each site, from B, U, or the mean of an anisotropic U; NaN without."""
    b_factors = _numbers(block, "B_iso_or_equiv", n_sites)
    displacements = _numbers(block, "U_iso_or_equiv", n_sites)
    b_factors = np.where(np.isnan(b_factors), 8 * np.pi**2 * displacements, b_factors)
    anisotropic = {each.label: small.cell.calculate_u_eq(each.aniso) for each in small.sites}
    labels = _column(block, "label") or [""] * n_sites
    for i in np.flatnonzero(np.isnan(b_factors)).tolist():
        mean = anisotropic.get(labels[i], 0.0)
        if mean != 0:
            b_factors[i] = 8 * np.pi**2 * mean
    return b_factors


def _symbols(block: gemmi.cif.Block, n_sites: int) -> list[str]:
    """Symbol of each site, or where there is none, its label."""
    labels = _column(block, "label") or [""] * n_sites
    types = _column(block, "type_symbol") or [""] * n_sites
    return [each or _of_label(label) for each, label in zip(types, labels, strict=True)]


def _of_label(label: str) -> str:
    """Symbol that a label such as ``Ce1A`` or ``O(2)`` starts with."""
    letters = ""
    for letter in label[:2]:
        if not letter.isalpha():
            break
        letters += letter
    two = len(letters) == 2 and (letters[1].islower() or not atomic_number(letters[0]))
    if atomic_number(letters) and (two or len(letters) == 1):
        return letters
    return letters[:1]


def _labels(block: gemmi.cif.Block, symbols: list[str]) -> list[str]:
    """Labels of the sites, or their symbols."""
    return _column(block, "label") or symbols


def _unused(block: gemmi.cif.Block) -> list[str]:
    """Columns of sites that are not used and change the image."""
    loop = block.find_loop(_SITES + "fract_x").get_loop()
    names = [tag[len(_SITES) :] for tag in ([] if loop is None else loop.tags)]
    used = tuple(map(str.lower, _USED))
    return [f"column {name}" for name in names if not name.lower().startswith(used)]
