"""PDB and mmCIF files as tables of atoms, by gemmi, with what gemmi lets pass caught here."""

from dataclasses import dataclass, fields
from pathlib import Path

import gemmi
import numpy as np
from numpy.typing import NDArray

from difftem.constants.scattering import ELEMENT_SYMBOLS
from difftem.io.errors import InputError, input_error
from difftem.io.files import read_bytes

_DEUTERIUM = 119  # where gemmi keeps it
_COLUMNS = {"x": (30, 38), "y": (38, 46), "z": (46, 54), "occupancy": (54, 60), "B": (60, 66)}


# Without these columns gemmi drops the assemblies of a file without a word.
_ASSEMBLY_COLUMNS = {
    "_pdbx_struct_assembly.": "details method_details oligomeric_details oligomeric_count",
    "_pdbx_struct_oper_list.": "type",
}


@dataclass(frozen=True, eq=False)
class AtomTable:
    """One row per atom of a file, in its order; every array is ``(n_atoms, ...)``."""

    positions: NDArray[np.float64]  # (n_atoms, 3) Å
    atomic_numbers: NDArray[np.int64]
    occupancies: NDArray[np.float64]
    b_factors: NDArray[np.float64]  # Å²
    altlocs: NDArray[np.bytes_]  # b"" where there is one conformer
    models: NDArray[np.int32]
    chains: NDArray[np.bytes_]
    subchains: NDArray[np.bytes_]
    residue_numbers: NDArray[np.bytes_]  # with insertion code
    residues: NDArray[np.bytes_]
    names: NDArray[np.bytes_]

    def keep(self, rows: NDArray[np.bool_] | NDArray[np.int64]) -> "AtomTable":
        """Select rows."""
        return AtomTable(*(getattr(self, field.name)[rows] for field in fields(self)))


def read_macromolecule(path: str | Path, file_format: str) -> gemmi.Structure:
    """Parse a ``"pdb"`` or ``"cif"`` file; `InputError` says what is wrong with it."""
    try:
        text = read_bytes(path).decode("utf-8")
    except UnicodeDecodeError as error:
        raise input_error(path, f"not a text file (byte {error.start})") from None
    try:
        if file_format == "pdb":
            _check_columns(path, text)
            structure = gemmi.read_pdb_string(text)
            structure.setup_entities()
            return structure
        document = gemmi.cif.read_string(text)
        blocks = [block for block in document if block.find_loop("_atom_site.Cartn_x")]
        if not blocks:
            raise input_error(path, "no atoms: no _atom_site loop with Cartn_x (crystals: as XYZ)")
        _complete_assemblies(blocks[0])
        return gemmi.make_structure_from_block(blocks[0])
    except InputError:
        raise
    except (ValueError, RuntimeError, IndexError) as error:
        raise input_error(path, f"not a whole {file_format} file: {error}") from error


def atom_table(path: str | Path, structure: gemmi.Structure) -> AtomTable:
    """All atoms of a structure, checked; `InputError` names the first impossible one."""
    flat = gemmi.FlatStructure(structure)
    flat.strings_as_numbers = False
    if len(flat) == 0:
        raise input_error(path, "no atoms")
    numbers = np.array(flat.elements, dtype=np.int64)
    numbers[numbers == _DEUTERIUM] = 1
    code = np.array(flat.icodes, dtype=np.uint8).view("S1")
    table = AtomTable(
        positions=np.array(flat.pos, dtype=np.float64),
        atomic_numbers=numbers,
        occupancies=np.array(flat.occ, dtype=np.float64),
        b_factors=np.array(flat.b_iso, dtype=np.float64),
        altlocs=np.array(flat.altlocs, dtype=np.uint8).view("S1"),
        models=np.array(flat.model_num, dtype=np.int32),
        chains=np.array(flat.chain_ids),
        subchains=np.array(flat.subchains),
        residue_numbers=np.char.add(np.array(flat.resnums).astype("S"), code),
        residues=np.array(flat.residue_names),
        names=np.array(flat.atom_names),
    )
    serials = np.array(flat.serials)
    symbols = np.array(flat.element_names)
    _check(path, table, serials, symbols)
    return table


def _complete_assemblies(block: gemmi.cif.Block) -> None:
    """Add the descriptive columns of assemblies that a program left out."""
    for category, names in _ASSEMBLY_COLUMNS.items():
        table = block.find_mmcif_category(category)
        tags = [category + name for name in names.split()]
        missing = [tag for tag in tags if tag not in list(table.tags)]
        if len(table) and missing:
            table.ensure_loop()
            table.loop.add_columns(missing, "?")


def _check(
    path: str | Path, table: AtomTable, serials: NDArray[np.int32], symbols: NDArray[np.bytes_]
) -> None:
    """Raise for the first atom with an impossible value."""
    heaviest = len(ELEMENT_SYMBOLS) - 1
    rules = [
        (
            (table.atomic_numbers < 1) | (table.atomic_numbers > heaviest),
            symbols,
            f"unknown element, expected H to {ELEMENT_SYMBOLS[-1]}",
        ),
        (~np.isfinite(table.positions).all(-1), table.positions, "coordinate is not a number"),
        (
            ~(np.isfinite(table.b_factors) & (table.b_factors >= 0)),
            table.b_factors,
            "B-factor must be >= 0 Å²",
        ),
        (
            ~(np.isfinite(table.occupancies) & (table.occupancies >= 0)),
            table.occupancies,
            "occupancy must be >= 0",
        ),
    ]
    for bad, values, rule in rules:
        if bad.any():
            row = int(bad.argmax())
            name = table.names[row].decode()
            found = values[row].decode() if values.dtype.kind == "S" else values[row].tolist()
            raise input_error(path, f"atom {serials[row]} {name!r}: {rule}, got {found}")


def _check_columns(path: str | Path, text: str) -> None:
    """Raise where an atom's columns hold no number: gemmi reads blanks and junk as 0."""
    for number, line in enumerate(text.splitlines(), start=1):
        if not line.startswith(("ATOM  ", "HETATM")):
            continue
        for what, (start, stop) in _COLUMNS.items():
            field = line[start:stop]
            if len(line) < stop and start >= 54 and not field.strip():
                break  # occupancy and B may be left out at the end of a line
            try:
                float(field)
            except ValueError:
                raise input_error(
                    path,
                    f"line {number}, atom {line[6:11].strip()}: {what} must be a number in "
                    f"columns {start + 1}-{stop}, got {field!r}",
                ) from None
