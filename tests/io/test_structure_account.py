import gzip

import numpy as np
import pytest

from difftem.io.account import grouped
from difftem.io.atom_table import plain_table
from difftem.io.errors import InputError
from difftem.io.structure import read_structure
from difftem.io.structure_account import atoms_in_words
from tests.helpers.structures import CIF_COLUMNS, bare_line, cif, line, said, write


@pytest.mark.parametrize(("number", "text"), [(7, "7"), (1159, "1159"), (857088, "857 088")])
def test_numbers_of_five_digits_are_grouped(number, text):
    assert grouped(number) == text


def test_copies_multiply_the_formula():
    table = plain_table(np.zeros((3, 3)), np.array([6, 6, 8]))
    assert atoms_in_words(3, table) == "3 atoms (C 2, O 1)"
    assert atoms_in_words(30_000, table) == "30 000 atoms (C 20 000, O 10 000)"
    assert atoms_in_words(4, table) == "4 atoms (in one copy: C 2, O 1)"


def test_one_line_says_what_was_taken_and_what_was_left(tmp_path):
    atoms = [
        line(1, "N", 0.0, "N"),
        line(2, "CA", 1.5, alt="A", occ=0.3),
        line(3, "CA", 1.7, alt="B", occ=0.7),
        line(4, "H", 0.2, "H"),
        line(5, "O", 9.0, "O", res="HOH", number=2),
        "ANISOU    1  N   GLY A   1      100    100    100      0      0      0       N  \n",
        line(6, "ZN", 8.0, "ZN", res=" ZN", number=3)[:78] + "2+\n",
    ]
    path = write(tmp_path / "all.pdb", "".join(atoms))
    with said() as lines:
        read_structure(path, hydrogens="implicit", waters=False, selection="//A")
    assert lines == [
        "all.pdb: 7 atoms (C 2, H 3, N 1, Zn 1), selection '//A', 2 atoms in alternative "
        "conformers, occupancies 0.3-1, B 10 Å² from the file, 5 implicit hydrogens on 3 atoms of "
        "the file; not used: 1 water, 1 hydrogen of the file (implicit instead), charges of 1 "
        "atom, anisotropic displacements of 1 atom (B taken)"
    ]
    with said() as lines:
        read_structure(path, hydrogens="none", altlocs="first")
    assert "not used: 1 atom of other conformers, 1 hydrogen, charges" in lines[0]


def test_columns_of_mmcif_that_nothing_uses_are_named(tmp_path):
    columns = [*CIF_COLUMNS, "pdbx_formal_charge", "qscore", "auth_asym_id"]
    path = write(
        tmp_path / "q.cif", cif("ATOM 1 N N . GLY A 1 1 1 2 3 1 20 1 0.8 A", columns=columns)
    )
    with said() as lines:
        read_structure(path)
    assert lines[0].endswith("not used: charges of 1 atom, column qscore")


def test_files_are_read_whatever_their_line_ends_marks_and_letters(tmp_path):
    text = "REMARK   1 MÜLLER\n" + line(1, "CA", 1.0, "c") + line(2, "O", 2.0, "o", number=2)
    crystal = cif("ATOM 1 C CA . GLY A 1 1 1 2 3 1 20", "ATOM 2 O O . GLY A 1 1 2 2 3 1 20")
    for name, content in (("a.pdb", text), ("a.cif", "# MÜLLER\n" + crystal)):
        for encoding in ("utf-8", "utf-8-sig", "latin-1"):
            for ends in ("\n", "\r\n"):
                packed = tmp_path / f"{name}.gz"
                packed.write_bytes(gzip.compress(content.replace("\n", ends).encode(encoding)))
                assert read_structure(packed).atomic_numbers.tolist() == [6, 8]


@pytest.mark.parametrize("serial", ["A0000", "186a0", "*****", "     "])
def test_serials_beyond_99999_do_not_matter(tmp_path, serial):
    path = write(tmp_path / "many.pdb", bare_line(" CA ", "GLY", serial=serial))
    assert read_structure(path).atomic_numbers.tolist() == [6]


def test_the_first_data_block_with_atoms_counts_and_others_are_named(tmp_path):
    block = cif("ATOM 1 N N . GLY A 1 1 1 2 3 1 20")
    text = "data_empty\n_entry.id x\n" + block + block.replace("data_test", "data_other")
    with said() as lines:
        assert len(read_structure(write(tmp_path / "two.cif", text))) == 1
    assert lines[0].endswith("not used: data block 'other'")


def test_one_atom_of_mmcif_needs_no_loop(tmp_path):
    values = "ATOM 1 N N . GLY A 1 1 1 2 3 1 20".split()
    rows = "".join(f"_atom_site.{c} {v}\n" for c, v in zip(CIF_COLUMNS, values, strict=True))
    atoms = read_structure(write(tmp_path / "one.cif", "data_one\n" + rows))
    assert atoms.positions.tolist() == [[1.0, 2.0, 3.0]]


def test_mmcif_of_few_columns_is_read(tmp_path):
    columns = ["type_symbol", "Cartn_x", "Cartn_y", "Cartn_z"]
    path = write(tmp_path / "few.cif", cif("Pt 1 2 3", "O 4 5 6", columns=columns))
    assert read_structure(path).atomic_numbers.tolist() == [78, 8]


@pytest.mark.parametrize("name", ["1abc.ent1", "1abc.pdb2", "1abc.txt", "1abc"])
def test_pdb_files_of_other_suffixes_are_known(tmp_path, name):
    assert len(read_structure(write(tmp_path / name, line(1, "CA", 1.0)))) == 1


def test_conformers_of_different_residues_share_their_place(tmp_path):
    rows = [
        line(4, "CA", 9.0, alt="A", res="SER", number=60, occ=0.6),
        line(5, "OG", 10.0, "O", alt="A", res="SER", number=60, occ=0.6),
        line(6, "CA", 9.2, alt="B", res="THR", number=60, occ=0.4),
        line(7, "OG1", 10.2, "O", alt="B", res="THR", number=60, occ=0.4),
        line(8, "CG2", 10.4, alt="B", res="THR", number=60, occ=0.4),
        line(9, "CA", 12.0, alt="A", res="ALA", number=61, occ=0.0),
        line(10, "CA", 12.1, alt="B", res="ALA", number=61, occ=1.0),
    ]
    path = write(tmp_path / "micro.pdb", "".join(rows))
    assert len(read_structure(path)) == 6
    atoms = read_structure(path, altlocs="first")
    assert atoms.positions[:, 0].tolist() == pytest.approx([9.0, 10.0, 12.1])


def test_tags_of_mmcif_have_any_case(tmp_path):
    text = cif("ATOM 1 N N . GLY A 1 1 1 2 3 1 20").replace("Cartn", "CARTN")
    text = text.replace("B_iso_or_equiv", "b_iso_or_EQUIV").replace("type_symbol", "Type_Symbol")
    atoms = read_structure(write(tmp_path / "case.cif", text))
    assert atoms.b_factors.tolist() == [20.0]
    assert atoms.atomic_numbers.tolist() == [7]


@pytest.mark.parametrize("tag", ["_atom_site.group_PDB", "_atom_site.occupancy"])
def test_a_loop_of_two_categories_is_refused(tmp_path, tag):
    text = cif("ATOM 1 N N . GLY A 1 1 1 2 3 1 20").replace(tag, "_atom_?site.x")
    path = write(tmp_path / "mixed.cif", text)
    with pytest.raises(InputError, match=r"a loop has tags of _atom_.site and _atom_site"):
        read_structure(path)


@pytest.mark.parametrize("name", ["a.pqr", "a.pdbqt.gz", "a.bcif.gz", "a.mmtf"])
def test_formats_that_look_alike_are_refused_with_what_to_do(tmp_path, name):
    path = tmp_path / name
    text = line(1, "CA", 1.0).encode()
    path.write_bytes(gzip.compress(text) if name.endswith(".gz") else text)
    with pytest.raises(InputError, match=r"; (convert it to PDB|take the entry's .cif)"):
        read_structure(path)


@pytest.mark.parametrize(
    ("name", "command"),
    [
        ("a.mrc", "generate takes it"),
        ("a.map.gz", "generate takes it"),
        ("a.star", "copies.coord"),
        ("a.tif", "MRC"),
    ],
)
def test_maps_and_coordinates_are_sent_where_they_are_taken(tmp_path, name, command):
    path = tmp_path / name
    path.write_bytes(gzip.compress(b"MAP") if name.endswith(".gz") else b"MAP")
    with pytest.raises(InputError, match=command):
        read_structure(path)
