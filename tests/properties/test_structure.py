"""Structure files that are almost right."""

import pytest

from difftem.io.structure import read_structure
from tests.properties.mutations import bytes_of, for_each, text_of

PDB = "\n".join(
    [
        "CRYST1   40.000   40.000   40.000  90.00  90.00  90.00 P 1           1",
        "MODEL        1",
        *(
            f"ATOM  {i:5d} {name:^4} {residue} A{i // 4 + 1:4d}    {i * 1.1:8.3f}{i * 0.7:8.3f}"
            f"{-i * 0.9:8.3f}  1.00{10.0 + i:6.2f}          {name[0]:>2}"
            for i, (name, residue) in enumerate(
                [("N", "ALA"), ("CA", "ALA"), ("C", "ALA"), ("O", "ALA")] * 3, start=1
            )
        ),
        "HETATM   13  O   HOH A  10       1.000   2.000   3.000  1.00 20.00           O",
        "TER",
        "ENDMDL",
        "END",
        "",
    ]
)
CIF = """data_small
_cell.length_a 40
_cell.length_b 40
_cell.length_c 40
_cell.angle_alpha 90
_cell.angle_beta 90
_cell.angle_gamma 90
loop_
_atom_site.group_PDB
_atom_site.id
_atom_site.type_symbol
_atom_site.label_atom_id
_atom_site.label_alt_id
_atom_site.label_comp_id
_atom_site.label_asym_id
_atom_site.label_seq_id
_atom_site.Cartn_x
_atom_site.Cartn_y
_atom_site.Cartn_z
_atom_site.occupancy
_atom_site.B_iso_or_equiv
_atom_site.auth_seq_id
_atom_site.auth_asym_id
_atom_site.pdbx_PDB_model_num
ATOM 1 N N . ALA A 1 1.0 2.0 3.0 1.0 20.0 1 A 1
ATOM 2 C CA . ALA A 1 2.0 2.5 3.5 1.0 20.0 1 A 1
ATOM 3 C C . ALA A 1 3.0 2.9 3.2 0.5 21.0 1 A 1
ATOM 4 O O . ALA A 1 3.5 2.1 2.2 1.0 25.0 1 A 1
"""
XYZ = """4
Lattice="5 0 0 0 5 0 0 0 5" Properties=species:S:1:pos:R:3:occupancy:R:1
Ce 0.0 0.0 0.0 1.0
O 1.3 1.3 1.3 0.5
O 3.9 1.3 1.3 0.5
O 1.3 3.9 1.3 0.5
"""
PRISMATIC = """two cerium atoms
5.41 5.41 5.41
58 0.0 0.0 0.0 1.0 0.085
8 1.35 1.35 1.35 0.5 0.085
-1
"""


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(
    ("name", "text", "examples"),
    [("a.pdb", PDB, 20), ("a.cif", CIF, 20), ("a.xyz", XYZ, 20), ("b.xyz", PRISMATIC, 10)],
)
def test_a_mutated_structure_is_atoms_or_one_line(attempt, times, name, text, examples):
    def read(path):
        atoms = read_structure(path)
        assert len(atoms) > 0 and bool(atoms.positions.isfinite().all())

    assert attempt(name, text.encode(), read) == 0
    for_each(text_of(text), examples * times, lambda content: attempt(name, content, read))


@pytest.mark.filterwarnings("ignore")
def test_mutated_bytes_of_a_structure_are_atoms_or_one_line(attempt, times):
    import gzip

    packed = gzip.compress(PDB.encode(), mtime=0)
    for_each(
        bytes_of(packed),
        15 * times,
        lambda content: attempt("a.pdb.gz", content, lambda path: read_structure(path) and None),
    )
