import pytest

from difftem.io.elements import atomic_number, formula, guessed_number
from difftem.io.errors import InputError
from difftem.io.structure import read_structure
from tests.helpers.structures import CIF_COLUMNS, bare_line, cif, line, said, write


@pytest.mark.parametrize(
    ("symbol", "number"),
    [
        *(("C", 6), ("zn", 30), ("ZN2+", 30), ("O2-", 8), ("Ce4+", 58), ("CA+2", 20), ("NA+", 11)),
        *(("D", 1), ("T", 1), ("Pt12", 78), ("K1+", 19), ("Xx", 0), ("", 0), ("?", 0), ("12", 0)),
    ],
)
def test_symbols_are_read_in_any_case_with_charges_and_numbers(symbol, number):
    assert atomic_number(symbol) == number


@pytest.mark.parametrize(
    ("name", "residue", "alone", "two_letters", "number"),
    [
        ("CA", "GLY", False, True, 6),  # whatever its alignment
        ("CA", "GLY", True, True, 6),
        ("CA", "CA", True, True, 20),
        ("CAL", "CAL", True, False, 20),
        ("HG", "SER", False, True, 1),
        ("HG", "HG", True, True, 80),
        ("1HB", "ALA", False, False, 1),
        ("SE", "MSE", False, True, 34),
        ("FE", "HEM", False, None, 26),
        ("CL1", "LIG", False, None, 17),
        ("NA", "HEM", False, False, 7),
        ("NA", "LIG", False, True, 11),
        ("NA+", "NA+", True, False, 11),
        ("SOD", "SOD", True, False, 11),
        ("Cl-", "Cl-", True, False, 17),
        ("MG", "ION", True, False, 12),
        ("C218", "POPC", False, False, 6),
        ("C1'", "DA", False, False, 6),
        ("QB", "ALA", False, False, 0),
    ],
)
def test_names_tell_elements_by_their_residue(name, residue, alone, two_letters, number):
    assert guessed_number(name, residue, alone, two_letters) == number


def test_formula_begins_with_carbon():
    import numpy as np

    assert formula(np.array([8, 6, 1, 1, 1])) == {"C": 1, "H": 3, "O": 1}


def test_ions_without_elements_are_told_by_their_residues(tmp_path):
    names = {"POT": 19, "CLA": 17, "SOD": 11, "CAL": 20, "CES": 55, "MG": 12, "ZN": 30}
    text = "".join(
        bare_line(f" {name:<3s}", name, i, 10.0 * i, "  1.00  1.00      IONS")
        for i, name in enumerate(names, 1)
    )
    for suffix, ends in ((".pdb", "\n"), (".ent", "\r\n"), (".pdb1", "\r")):
        path = write(tmp_path / f"ions{suffix}", text.replace("\n", ends))
        with said() as lines:
            assert read_structure(path).atomic_numbers.tolist() == list(names.values())
        assert "elements of 7 atoms by their names" in lines[0]


@pytest.mark.parametrize("name", ["CA  ", " CA ", "  CA"])
def test_a_trace_is_of_carbon_wherever_its_names_stand(tmp_path, name):
    text = "".join(bare_line(name, "GLY", i, 3.8 * i) for i in range(1, 31))
    atoms = read_structure(write(tmp_path / "trace.pdb", text))
    assert atoms.atomic_numbers.tolist() == [6] * 30


def test_names_that_begin_in_column_13_throughout_are_no_metals(tmp_path):
    peptide = [bare_line(name, "GLY", 1, float(i)) for i, name in enumerate(("N", "CA", "C", "O"))]
    ligand = [bare_line(name, "LIG", 2, float(i)) for i, name in enumerate(("CA", "CD", "NB"))]
    calcium = [bare_line("CA", "CA", 3, 20.0)]
    path = write(tmp_path / "left.pdb", "".join([*peptide, *ligand, *calcium]))
    assert read_structure(path).atomic_numbers.tolist() == [7, 6, 6, 8, 6, 6, 7, 20]
    path = write(tmp_path / "right.pdb", "".join([*ligand, *calcium]))
    assert read_structure(path).atomic_numbers.tolist() == [20, 48, 41, 20]


def test_charges_behind_symbols_of_pdb_files_are_left(tmp_path):
    fields = {"Zn2+": 30, "MG2+": 12, "CL1-": 17, "CA+2": 20, "Fe+3": 26, " K1+": 19, "NA+ ": 11}
    text = "".join(
        line(i, "X", 10.0 * i, res="ION", number=i)[:76] + field + "\n"
        for i, field in enumerate(fields, 1)
    )
    with said() as lines:
        atoms = read_structure(write(tmp_path / "ions.pdb", text))
    assert atoms.atomic_numbers.tolist() == list(fields.values())
    assert lines[0].endswith("not used: charges of 7 atoms")


def test_type_symbols_of_mmcif_have_charges_cases_and_isotopes(tmp_path):
    symbols = {"O2-": 8, "ZN2+": 30, "c": 6, "D": 1, "Fe3+": 26}
    rows = [
        f"HETATM {i} {symbol} Q{i} . UNL A 1 {i} {i} 2 3 1 20"
        for i, symbol in enumerate(symbols, 1)
    ]
    atoms = read_structure(write(tmp_path / "ions.cif", cif(*rows)))
    assert atoms.atomic_numbers.tolist() == list(symbols.values())


def test_mmcif_without_type_symbols_is_read_by_names(tmp_path):
    columns = [each for each in CIF_COLUMNS if each != "type_symbol"]
    rows = [
        "ATOM 1 N . GLY A 1 1 1 2 3 1 20",
        "ATOM 2 CA . GLY A 1 1 2 2 3 1 20",
        "HETATM 3 CA . CA B 2 . 9 2 3 1 20",
        "HETATM 4 POT . POT C 3 . 19 2 3 1 20",
    ]
    path = write(tmp_path / "bare.cif", cif(*rows, columns=columns))
    with said() as lines:
        assert read_structure(path).atomic_numbers.tolist() == [7, 6, 20, 19]
    assert "elements of 4 atoms by their names" in lines[0]


def test_a_name_that_tells_no_element_is_refused(tmp_path):
    path = write(tmp_path / "dummy.pdb", bare_line(" QB ", "ALA"))
    with pytest.raises(InputError, match=r"dummy.pdb: atom 1 'QB': unknown element"):
        read_structure(path)


def test_metals_of_amino_acids_are_the_atoms_that_their_names_mean(tmp_path):
    # As programs write that take the name's first two letters: CA, CD, HG.
    names = {"CA": ("CA", 6), "CD": ("CD", 6), "HG": ("HG", 1), "SD": ("S", 16)}
    text = "".join(
        line(i, name, 2.0 * i, symbol, res="MET")
        for i, (name, (symbol, _)) in enumerate(names.items())
    )
    rows = [
        f"ATOM {i} {symbol.capitalize()} {name} . MET A 1 1 {2 * i} 2 3 1 20"
        for i, (name, (symbol, _)) in enumerate(names.items())
    ]
    calcium = line(9, "CA", 30.0, "CA", res=" CA", number=9)
    for path in (
        write(tmp_path / "a.pdb", text + calcium),
        write(tmp_path / "a.cif", cif(*rows, "HETATM 9 CA CA . CA B 2 . 30 2 3 1 20")),
    ):
        with said() as lines:
            assert read_structure(path).atomic_numbers.tolist() == [6, 6, 1, 16, 20]
        assert "elements of 3 atoms by their names" in lines[0]


def test_a_trace_of_unknown_amino_acids_is_of_carbon(tmp_path):
    text = "".join(bare_line("CA  ", "UNK", i, 3.8 * i) for i in range(1, 5))
    assert read_structure(write(tmp_path / "u.pdb", text)).atomic_numbers.tolist() == [6] * 4
