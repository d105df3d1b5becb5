"""Atoms of a structure file as columns, before it is decided which of them are used."""

from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from difftem.atoms import Atoms
from difftem.constants.scattering import ELEMENT_SYMBOLS
from difftem.io.errors import input_error

MAX_COORDINATE = 1e6  # Å: a tenth of a millimetre
MAX_B_FACTOR = 1e5  # Å²
MAX_OCCUPANCY = 1e3


@dataclass(frozen=True, eq=False)
class AtomTable:
    """One row per atom of a file, in its order; every array is ``(n_atoms, ...)``."""

    positions: NDArray[np.float64]  # (n_atoms, 3) Å
    atomic_numbers: NDArray[np.int64]  # 0 where there is no such element
    occupancies: NDArray[np.float64]
    b_factors: NDArray[np.float64]  # Å²; NaN where the file has none
    serials: NDArray[np.int64]
    altlocs: NDArray[np.bytes_]  # b"" where there is one conformer
    models: NDArray[np.int64]
    chains: NDArray[np.bytes_]
    subchains: NDArray[np.bytes_]
    residue_numbers: NDArray[np.bytes_]  # with insertion code
    residues: NDArray[np.bytes_]
    names: NDArray[np.bytes_]

    def __len__(self) -> int:
        return len(self.atomic_numbers)

    def keep(self, rows: NDArray[np.bool_] | NDArray[np.int64]) -> "AtomTable":
        """Select rows."""
        return AtomTable(*(getattr(self, each.name)[rows] for each in fields(self)))

    @staticmethod
    def joined(tables: "list[AtomTable]") -> "AtomTable":
        """Rows of several tables, one after the other."""
        names = [each.name for each in fields(AtomTable)]
        return AtomTable(*(np.concatenate([getattr(t, name) for t in tables]) for name in names))

    def with_columns(self, **columns: NDArray[Any]) -> "AtomTable":
        """Replace columns."""
        return replace(self, **columns)

    def atoms(self, dtype: torch.dtype) -> Atoms:
        """Tensors of the physical columns."""
        return Atoms(
            torch.as_tensor(self.positions, dtype=dtype),
            torch.as_tensor(self.atomic_numbers),
            torch.as_tensor(self.b_factors, dtype=dtype),
            torch.as_tensor(self.occupancies, dtype=dtype),
        )


@dataclass(frozen=True, eq=False)
class AssemblyPart:
    """Chains of an assembly and where their copies are."""

    chains: list[bytes]  # PDB files name chains, mmCIF files subchains (label_asym_id)
    subchains: list[bytes]
    rotations: Tensor  # (n, 3, 3)
    shifts: Tensor  # (n, 3) Å

    def has(self, table: AtomTable) -> NDArray[np.bool_]:  # (n_atoms,)
        """Mask of the atoms that belong to it."""
        named: NDArray[np.bool_] = np.isin(table.chains, self.chains)
        return named | np.isin(table.subchains, self.subchains)


@dataclass(frozen=True, eq=False)
class StructureFile:
    """What a file says: its atoms, how they are copied, and what there is to know about it."""

    table: AtomTable
    assemblies: dict[str, list[AssemblyPart]] = field(default_factory=dict)
    ncs: tuple[Tensor, Tensor] | None = None  # (n, 3, 3), (n, 3) Å: strict copies not in the file
    is_ensemble: bool = False  # its models are alternatives (NMR)
    confidence: str | None = None  # what stands in place of B-factors
    taken: list[str] = field(default_factory=list)
    left: list[str] = field(default_factory=list)


def plain_table(
    positions: NDArray[np.float64],  # (n_atoms, 3) Å
    atomic_numbers: NDArray[np.int64],
    occupancies: NDArray[np.float64] | None = None,
    b_factors: NDArray[np.float64] | None = None,
    names: NDArray[np.bytes_] | None = None,
    residues: NDArray[np.bytes_] | None = None,
    residue_numbers: NDArray[np.bytes_] | None = None,
) -> AtomTable:
    """Table of a file that knows no chains; NaN stands for what is not known of an atom."""
    n_atoms = len(atomic_numbers)
    nothing = np.full(n_atoms, b"", dtype="S8")
    unknown = np.full(n_atoms, np.nan)
    occupancies = np.ones(n_atoms) if occupancies is None else occupancies
    return AtomTable(
        positions=np.asarray(positions, dtype=np.float64).reshape(n_atoms, 3),
        atomic_numbers=np.asarray(atomic_numbers, dtype=np.int64),
        occupancies=np.where(np.isnan(occupancies), 1.0, occupancies),
        b_factors=unknown if b_factors is None else b_factors,
        serials=np.arange(1, n_atoms + 1),
        altlocs=nothing,
        models=np.ones(n_atoms, dtype=np.int64),
        chains=nothing,
        subchains=nothing,
        residue_numbers=nothing if residue_numbers is None else residue_numbers,
        residues=nothing if residues is None else residues,
        names=nothing if names is None else names,
    )


def check_atoms(path: str | Path, table: AtomTable) -> None:
    """Raise `InputError` for the first atom that is nowhere, or of an unknown element."""
    if len(table) == 0:
        raise input_error(path, "no atoms")
    heaviest = len(ELEMENT_SYMBOLS) - 1
    unknown = (table.atomic_numbers < 1) | (table.atomic_numbers > heaviest)
    refuse_first(
        path, table, unknown, f"unknown element, expected H to {ELEMENT_SYMBOLS[-1]}", None
    )
    farthest = np.abs(table.positions).max(-1)
    refuse_first(path, table, ~np.isfinite(farthest), "coordinate is not a number", table.positions)
    rule = f"coordinates must lie within {MAX_COORDINATE:g} Å of the origin"
    refuse_first(path, table, farthest > MAX_COORDINATE, rule, table.positions)


def refuse_first(
    path: str | Path,
    table: AtomTable,
    bad: NDArray[np.bool_],  # (n_atoms,)
    rule: str,
    values: NDArray[Any] | None,  # (n_atoms, ...)
    advice: str = "",
) -> None:
    """Raise `InputError` for the first bad atom, if there is one."""
    if not bad.any():
        return
    row = int(bad.argmax())
    name = table.names[row].decode(errors="replace")
    what = f"atom {table.serials[row]}" + (f" {name!r}" if name else "")
    # Single precision has seven digits.
    found = [] if values is None else [f"{each:.7g}" for each in np.atleast_1d(values[row])]
    got = f", got {' '.join(found)}" if found else ""
    raise input_error(path, f"{what}: {rule}{got}{advice}")
