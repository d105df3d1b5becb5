"""Structure files (mmCIF, PDB, and through ASE XYZ and others) as `Atoms`."""

from pathlib import Path
from typing import Literal

import gemmi
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from difftem.atoms import Atoms, concatenate
from difftem.io.errors import input_error
from difftem.io.files import unpacked_suffix
from difftem.io.hydrogens import hydrogen_counts
from difftem.io.macromolecule import AtomTable, atom_table, read_macromolecule
from difftem.io.materials import read_material
from difftem.io.text_matrix import read_transforms

__all__ = ["read_structure", "read_transforms"]

_FORMATS = {".pdb": "pdb", ".ent": "pdb", ".cif": "cif", ".mmcif": "cif"}
_FULL_OCCUPANCY = 1.01  # occupancies are rounded to two decimals


def read_structure(
    path: str | Path,
    *,
    assembly: str = "auto",
    model: int | Literal["auto", "all"] = "auto",
    altlocs: Literal["all", "first"] = "all",
    hydrogens: Literal["file", "implicit", "tem_simulator", "none"] = "file",
    waters: bool = True,
    selection: str | None = None,
    default_b_factor: float = 0.5,
    dtype: torch.dtype = torch.float32,
) -> Atoms:
    """Read the atoms of a structure file.

    Atoms of occupancy 0 are left out, deuterium counts as hydrogen. Only the coordinates are
    moved into assemblies; anisotropic displacements are read as their isotropic B-factor.

    Parameters
    ----------
    path : str or Path
        ``.cif``, ``.mmcif``, ``.pdb``, ``.ent``, each also as ``.gz``; any other suffix is read by
        ASE (``pip install difftem[materials]``), where only `default_b_factor` and `dtype` apply.
    assembly : str
        ``"auto"``: the first biological assembly if the file has one; ``"none"``: the atoms as
        they are in the file (asymmetric unit); else the name of an assembly, such as ``"1"``.
    model : int or {"auto", "all"}
        Number of a model, or all of them. ``"auto"``: all if their occupancies share one
        structure out (as the five models of 2OM3, 0.2 each), else the first (as of NMR).
    altlocs : {"all", "first"}
        All conformers with their occupancies, or of each residue only that of the highest
        occupancy, which it keeps; the first of equals. ``"first"`` with model ``"auto"`` takes
        the first model.
    hydrogens : {"file", "implicit", "tem_simulator", "none"}
        Those of the file; or one entry at the place of each heavy atom of proteins, nucleic acids
        and water that carries any, with its B-factor and their number times its occupancy; or that
        with TEM-simulator's isoleucine and uridine; or none.
    waters : bool
        Keep water molecules.
    selection : str, optional
        What to keep, in gemmi's syntax: ``"//A,B"`` are two chains, ``"(ALA)"`` a residue,
        ``"[C]"`` an element.
    default_b_factor : float
        B in Å² for formats that have none: 0.5 is typical of metals at room temperature.
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
        selection, or holds an atom with an unknown element or without coordinates.

    Examples
    --------
    >>> import difftem
    >>> from difftem.io.examples import example_structure
    >>> subunit = difftem.read_structure(example_structure(), selection="//A")
    >>> len(subunit), [round(side) for side in subunit.extent().tolist()]  # Å
    (1364, [48, 51, 47])
    """
    path = Path(path)
    file_format = _FORMATS.get(unpacked_suffix(path))
    if file_format is None and not path.is_dir():
        if selection is not None:
            raise input_error(path, f"selection {selection!r} needs an mmCIF or PDB file")
        return read_material(path, default_b_factor, dtype)
    structure = read_macromolecule(path, file_format or "pdb")
    _select(path, structure, selection)
    if not waters:
        structure.remove_waters()
    table = atom_table(path, structure)
    table = _keep_model(path, table, model, may_share=altlocs == "all")
    if altlocs == "first":
        table = table.keep(_best_conformers(table))
    table = table.keep(table.occupancies > 0)
    if hydrogens != "file":
        table = table.keep(table.atomic_numbers > 1)
    if len(table.atomic_numbers) == 0:
        raise input_error(path, "no atoms are left after selection (occupancy must be > 0)")
    added = None
    if hydrogens in ("implicit", "tem_simulator"):
        added = _implicit_hydrogens(table, hydrogens == "tem_simulator")
    everything = [table] if added is None else [table, added]
    return _assemble(path, structure, assembly, everything, dtype)


def _select(path: Path, structure: gemmi.Structure, selection: str | None) -> None:
    """Remove what is not selected."""
    if selection is None:
        return
    try:
        gemmi.Selection(selection).remove_not_selected(structure)
    except (RuntimeError, ValueError) as error:
        raise input_error(path, f"bad selection {selection!r}: {error}") from error
    if not any(model.count_atom_sites() for model in structure):
        raise input_error(path, f"no atoms are selected by {selection!r}")


def _keep_model(path: Path, table: AtomTable, model: int | str, may_share: bool) -> AtomTable:
    """Rows of the wanted model or models."""
    numbers = np.unique(table.models).tolist()
    if model == "auto":
        highest = [table.occupancies[table.models == n].max() for n in numbers]
        model = "all" if may_share and sum(highest) <= _FULL_OCCUPANCY else numbers[0]
    if model == "all":
        return table
    if model not in numbers:
        raise input_error(path, f"no model {model}, the file has {numbers[0]} to {numbers[-1]}")
    return table.keep(table.models == model)


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


def _implicit_hydrogens(table: AtomTable, as_in_tem_simulator: bool) -> AtomTable | None:
    """One row per heavy atom with hydrogens, weighted by their number."""
    counts = hydrogen_counts(table.residues, table.names, table.atomic_numbers, as_in_tem_simulator)
    bonded = table.keep(counts > 0)
    if len(bonded.names) == 0:
        return None
    bonded.occupancies[:] *= counts[counts > 0]
    bonded.atomic_numbers[:] = 1
    return bonded


def _assemble(
    path: Path, structure: gemmi.Structure, name: str, tables: list[AtomTable], dtype: torch.dtype
) -> Atoms:
    """Atoms of all tables, copied by the operators of an assembly."""
    known = [assembly.name for assembly in structure.assemblies]
    if name == "none" or (name == "auto" and not known):
        return concatenate([_atoms(table, dtype) for table in tables])
    if name != "auto" and name not in known:
        raise input_error(path, f"no assembly {name!r}, the file has {', '.join(known) or 'none'}")
    chosen = structure.assemblies[0 if name == "auto" else known.index(name)]
    parts = []
    for generator in chosen.generators:
        # PDB files name chains, mmCIF files subchains (label_asym_id).
        chains = [chain.encode() for chain in generator.chains]
        subchains = [chain.encode() for chain in generator.subchains]
        if len(generator.operators) == 0:
            raise input_error(path, f"assembly {chosen.name!r} names operators that are not there")
        rotations, shifts = _operators(generator)
        for table in tables:
            part = table.keep(np.isin(table.chains, chains) | np.isin(table.subchains, subchains))
            if len(part.names):
                parts.append(_atoms(part, torch.float64).copies(rotations, shifts).to(dtype=dtype))
    if not parts:
        raise input_error(path, f"no selected atoms belong to assembly {chosen.name!r}")
    return concatenate(parts)


def _operators(generator: gemmi.Assembly.Gen) -> tuple[Tensor, Tensor]:  # (n, 3, 3), (n, 3)
    """Rotations and shifts of a generator."""
    transforms = [operator.transform for operator in generator.operators]
    rotations = np.array([transform.mat.tolist() for transform in transforms])
    shifts = np.array([transform.vec.tolist() for transform in transforms])
    return torch.from_numpy(rotations), torch.from_numpy(shifts)


def _atoms(table: AtomTable, dtype: torch.dtype) -> Atoms:
    """Tensors of a table's physical columns."""
    return Atoms(
        torch.as_tensor(table.positions, dtype=dtype),
        torch.as_tensor(table.atomic_numbers),
        torch.as_tensor(table.b_factors, dtype=dtype),
        torch.as_tensor(table.occupancies, dtype=dtype),
    )
