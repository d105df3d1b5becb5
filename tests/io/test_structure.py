import gzip

import numpy as np
import pytest
import torch

from difftem.io.errors import InputError
from difftem.io.examples import example_structure
from difftem.io.hydrogens import hydrogen_counts
from difftem.io.structure import read_structure, read_transforms
from tests.helpers.structures import cif, line, write


@pytest.fixture
def glycine(tmp_path):
    """Glycine with a hydrogen, two places for CA, a water and a calcium."""
    lines = [
        line(1, "N", 0.0, "N"),
        line(2, "CA", 1.5, alt="A", occ=0.3),
        line(3, "CA", 1.7, alt="B", occ=0.7),
        line(4, "C", 2.5),
        line(5, "O", 3.5, "O"),
        line(6, "H", 0.2, "H"),
        line(7, "O", 9.0, "O", res="HOH", number=2),
        line(8, "CA", 8.0, "CA", res=" CA", number=3),
    ]
    return write(tmp_path / "glycine.pdb", "".join(lines) + "END\n")


def test_pdb_file_gives_positions_elements_b_factors_and_occupancies(glycine):
    atoms = read_structure(glycine)
    assert atoms.atomic_numbers.tolist() == [7, 6, 6, 6, 8, 1, 8, 20]
    assert atoms.positions[1].tolist() == [1.5, 2.0, 3.0]
    assert atoms.positions.dtype == torch.float32
    assert set(atoms.b_factors.tolist()) == {10.0}
    assert atoms.occupancies[1:3].tolist() == pytest.approx([0.3, 0.7])


def test_first_altloc_is_the_one_with_the_highest_occupancy(glycine):
    atoms = read_structure(glycine, altlocs="first")
    assert len(atoms) == 7
    assert atoms.positions[1, 0].item() == pytest.approx(1.7)
    assert atoms.occupancies[1].item() == pytest.approx(0.7)


def test_hydrogens_waters_and_selection_are_kept_on_request(glycine):
    assert 1 not in read_structure(glycine, hydrogens="none").atomic_numbers
    assert len(read_structure(glycine, waters=False)) == 7
    assert read_structure(glycine, selection="(GLY)/[C]").atomic_numbers.tolist() == [6, 6, 6]


def test_implicit_hydrogens_sit_on_their_heavy_atoms_with_their_number_as_weight(glycine):
    atoms = read_structure(glycine, hydrogens="implicit")
    added = atoms.select(atoms.atomic_numbers == 1)
    # N 1, CA 2 in glycine at 0.3 and 0.7, water 2; none on C, O and calcium.
    assert added.positions[:, 0].tolist() == pytest.approx([0.0, 1.5, 1.7, 9.0])
    assert added.occupancies.tolist() == pytest.approx([1.0, 0.6, 1.4, 2.0])


@pytest.mark.parametrize(
    ("residue", "formula_hydrogens"),
    # Hydrogens of the residue in a chain at neutral pH, HIS doubly protonated.
    [("ALA", 5), ("ARG", 13), ("GLU", 6), ("HIS", 8), ("ILE", 11), ("LYS", 13), ("TRP", 10)],
)
def test_hydrogens_of_a_residue_add_up_to_its_formula(residue, formula_hydrogens):
    heavy = "N CA C O CB CG CG1 CG2 CD CD1 CD2 CE CE1 CE2 CE3 CZ CZ2 CZ3 CH2 NE NE1 NE2 ND1 "
    heavy += "NH1 NH2 NZ"
    atoms = np.array(heavy.encode().split())
    counts = hydrogen_counts(np.full(len(atoms), residue.encode()), atoms, np.full(len(atoms), 6))
    assert counts.sum() == formula_hydrogens


def test_mmcif_assembly_is_expanded_by_name_and_automatically(tmp_path):
    operators = "".join(f"{n} 1 0 0 0 1 0 0 0 1 {10 * n - 10} 0 0\n" for n in (1, 2))
    matrix = [f"matrix[{i}][{j}]" for i in (1, 2, 3) for j in (1, 2, 3)]
    columns = ["id", *matrix, "vector[1]", "vector[2]", "vector[3]"]
    text = cif(
        "ATOM 1 N N . GLY A 1 1 1.0 2.0 3.0 1 20", "ATOM 2 C CA . GLY B 1 1 4.0 2.0 3.0 1 20"
    )
    text += "loop_\n_pdbx_struct_assembly.id\ndimer\nplain\n"
    text += (
        "loop_\n_pdbx_struct_assembly_gen.assembly_id\n_pdbx_struct_assembly_gen.oper_expression\n"
        "_pdbx_struct_assembly_gen.asym_id_list\ndimer 1,2 A\nplain 1 A,B\n"
    )
    text += "loop_\n" + "".join(f"_pdbx_struct_oper_list.{c}\n" for c in columns) + operators
    path = write(tmp_path / "dimer.cif", text)
    assert read_structure(path).positions[:, 0].tolist() == [1.0, 11.0]
    assert len(read_structure(path, assembly="none")) == 2
    assert read_structure(path, assembly="plain").atomic_numbers.tolist() == [7, 6]
    with pytest.raises(InputError, match=r"dimer.cif: no assembly '7', the file has dimer, plain"):
        read_structure(path, assembly="7")
    with pytest.raises(InputError, match="no selected atoms belong to assembly 'dimer'"):
        read_structure(path, selection="//B")


def test_models_that_share_occupancy_are_one_structure_and_others_are_alternatives(tmp_path):
    def models(occ):
        return "".join(
            f"MODEL     {n:4d}\n{line(1, 'CA', float(n), occ=occ)}ENDMDL\n" for n in (1, 2)
        )

    shared = write(tmp_path / "shared.pdb", models(0.5))
    ensemble = write(tmp_path / "nmr.pdb", models(1.0))
    assert len(read_structure(shared)) == 2
    assert len(read_structure(shared, altlocs="first")) == 1
    assert read_structure(ensemble).positions[:, 0].tolist() == [1.0]
    assert read_structure(ensemble, model=2).positions[:, 0].tolist() == [2.0]
    assert len(read_structure(ensemble, model="all")) == 2
    with pytest.raises(InputError, match="no model 3, the file has 1 to 2"):
        read_structure(ensemble, model=3)


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("none.pdb", "HEADER    NOTHING\nEND\n", "no atoms"),
        ("none.cif", "data_x\n_entry.id x\n", "no atoms"),
        ("page.cif", "<html>404</html>", "not a whole cif file: .*expected block header"),
        ("element.pdb", line(7, "XX", 1.0, "XX"), "atom 7 'XX': unknown element"),
        ("element.cif", cif("ATOM 7 Xx Q . GLY A 1 1 1 2 3 1 20"), "atom 7 'Q': unknown element"),
        ("nan.pdb", line(7, "CA", float("nan")), "atom 7 'CA': coordinate is not a number"),
        ("nan.cif", cif("ATOM 7 C CA . GLY A 1 1 ? 2 3 1 20"), "atom 7 'CA': coordinate is not"),
        (
            "blank.pdb",
            line(7, "CA", 0.0).replace("   0.000   2.000", "           2.000"),
            "line 1, atom 7: x must be a number in columns 31-38, got '        '",
        ),
        ("stars.pdb", line(7, "CA", 0.0).replace("   3.000", "********"), r"z must be a number"),
        (
            "cut.pdb",
            line(7, "CA", 0.0)[:40] + "\n",
            "y must be a number in columns 39-46, got '  '",
        ),
        (
            "b.pdb",
            line(7, "CA", 0.0, b=-1.0),
            "atom 7 'CA': B-factor must be >= 0 Å², got -1.*structure.b_factor",
        ),
        (
            "occ.pdb",
            line(7, "CA", 0.0, occ=-1.0),
            "atom 7 'CA': occupancy must be >= 0, got -1.*structure.occupancy",
        ),
        ("empty.pdb", line(7, "CA", 0.0, occ=0.0), "no atoms are left"),
    ],
)
def test_bad_file_is_refused_in_one_line_that_names_it(tmp_path, name, text, message):
    path = write(tmp_path / name, text)
    with pytest.raises(InputError, match=message) as refused:
        read_structure(path)
    assert str(refused.value).startswith(str(path))
    assert "\n" not in str(refused.value)


def test_truncated_files_are_refused(tmp_path):
    packed = example_structure().read_bytes()
    half = tmp_path / "half.cif.gz"
    half.write_bytes(packed[: len(packed) // 2])
    with pytest.raises(InputError, match="truncated: the gzip stream of 315036 bytes has no end"):
        read_structure(half)
    text = gzip.decompress(packed).decode()
    cut = write(tmp_path / "cut.cif", text[: text.rindex(" ", 0, len(text) // 2)])
    with pytest.raises(InputError, match="Wrong number of values in loop _atom_site"):
        read_structure(cut)
    renamed = write(tmp_path / "text.pdb.gz", "hello")
    with pytest.raises(InputError, match="not a gzip file"):
        read_structure(renamed)


def test_missing_file_folder_and_bad_selection_are_named(tmp_path, glycine):
    for name in ("nowhere.cif", "nowhere.xyz"):
        with pytest.raises(InputError, match=f"{name}: no such file"):
            read_structure(tmp_path / name)
    for folder in (tmp_path, tmp_path / "folder.pdb"):
        folder.mkdir(exist_ok=True)
        with pytest.raises(InputError, match="is a folder, expected a file"):
            read_structure(folder)
    with pytest.raises(InputError, match="bad selection 'foo bar/baz'"):
        read_structure(glycine, selection="foo bar/baz")
    with pytest.raises(InputError, match="no atoms are selected by '//Z'"):
        read_structure(glycine, selection="//Z")


def test_example_is_hollow_apoferritin():
    atoms = read_structure(example_structure())
    assert len(atoms) == 32736
    assert atoms.extent().tolist() == pytest.approx([122.595, 122.584, 122.495], abs=2e-3)
    radius = atoms.centered().positions.norm(dim=-1)
    assert 37 < radius.min() < 38
    assert 67 < radius.max() < 68


def test_tobacco_mosaic_virus_has_the_published_number_of_atoms(shared_data):
    path = shared_data / "structures" / "2OM3.pdb"
    atoms = read_structure(path, assembly="none", hydrogens="implicit")
    hydrogen = atoms.atomic_numbers == 1
    assert (~hydrogen).sum() == 6395
    # Five models of occupancy 0.2: count / 0.2 is the number that TEM-simulator adds.
    assert (atoms.occupancies[hydrogen].sum() / 0.2).item() == pytest.approx(6110, rel=1e-5)
    assert atoms.occupancies[~hydrogen].sum().item() == pytest.approx(6395 / 5, rel=1e-5)


def test_assembly_of_the_pdb_header_is_that_of_the_transform_file(shared_data):
    folder = shared_data / "structures"
    rotations, shifts = read_transforms(folder / "2OM3_transf.txt")
    assert rotations.shape == (49, 3, 3)
    unit = read_structure(folder / "2OM3.pdb", assembly="none", dtype=torch.float64)
    whole = read_structure(folder / "2OM3.pdb", dtype=torch.float64)
    assert len(whole) == 49 * 6395
    torch.testing.assert_close(
        unit.copies(rotations, shifts).positions, whole.positions, rtol=0, atol=1e-9
    )


@pytest.mark.parametrize(
    ("name", "n_atoms", "extent"),
    [
        ("5ire.pdb.gz", 60 * 11024, (472, 469, 467)),
        ("6z6u.pdb.gz", 32618, (124, 124, 124)),
        ("4v5d.cif.gz", 148020, (215, 252, 265)),
        ("1l2y.pdb", 304, (21, 19, 13)),
    ],
)
def test_real_structures_have_their_atoms_and_size(shared_data, name, n_atoms, extent):
    atoms = read_structure(shared_data / "structures" / name)
    assert len(atoms) == n_atoms
    assert atoms.extent().tolist() == pytest.approx(extent, abs=2.5)


def test_six_columns_are_shift_and_euler_angles(tmp_path):
    rows = "# a comment\n 2 6\n1 2 3 90 0 0\n0 0 0 90 90 0\n"
    rotations, shifts = read_transforms(write(tmp_path / "t.txt", rows))
    x = torch.tensor([1.0, 0.0, 0.0], dtype=torch.float64)
    torch.testing.assert_close(rotations[0] @ x, torch.tensor([0.0, 1, 0]).double())
    # About z by 90°, then about x by 90°: x -> y -> z.
    torch.testing.assert_close(rotations[1] @ x, torch.tensor([0.0, 0, 1]).double())
    assert shifts.tolist() == [[1, 2, 3], [0, 0, 0]]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("# nothing\n", "expected a line 'rows columns', got ''"),
        ("a b\n", "expected a line 'rows columns', got 'a b'"),
        ("3 4\n1 0 0 0\n0 1 0 0\n", "expected 3 rows, got 2"),
        ("3 4\n1 0 0 0\n0 1 0\n0 0 1 0\n", "line 3: expected 4 values, got 3"),
        ("3 4\n1 0 0 0\n0 one 0 0\n0 0 1 0\n", "line 3: could not convert"),
        ("4 4\n" + "1 0 0 0\n" * 4, "expected 3 rows for each transform, got 4 rows"),
        ("3 4\n1 0 0 0\n0 2 0 0\n0 0 1 0\n", "transform 1 is not a rotation"),
        ("1 3\n1 0 0\n", "at least 1 row and 4 columns, got 1 x 3"),
        ("1 5\n1 0 0 0 0\n", "expected 4 or 6 columns, got 5"),
    ],
)
def test_bad_transforms_are_refused(tmp_path, text, message):
    with pytest.raises(InputError, match=message):
        read_transforms(write(tmp_path / "t.txt", text))
