import gzip

import numpy as np
import pytest

from difftem.io.errors import InputError
from difftem.io.structure import read_structure
from tests.helpers.structures import said, write

PRISMATIC = """one unit of CeO2
  5.411 5.411 5.411
58 0.0 0.0 0.0 1.00 0.085
58 0.0 2.7055 2.7055 1.00 0.085
8 1.3528 1.3528 1.3528 0.50 0.085
-1
"""


def test_plain_xyz_gives_symbols_numbers_and_the_default_b_factor(tmp_path):
    path = write(tmp_path / "pt.xyz", "3\r\n\r\nPt 0 0 0\r\no 0 0 1.5\r\n6 1 1.0D0 1\r\n\r\n")
    with said() as lines:
        atoms = read_structure(path, default_b_factor=0.3)
    assert atoms.atomic_numbers.tolist() == [78, 8, 6]
    assert atoms.positions[1:].tolist() == [[0.0, 0.0, 1.5], [1.0, 1.0, 1.0]]
    assert atoms.b_factors.tolist() == pytest.approx([0.3] * 3)
    assert "B 0.3 Å² (default_b_factor, the file has none)" in lines[0]


def test_the_last_frame_is_taken_and_said(tmp_path):
    text = "2\nframe\nPt 0 0 0\nPt 2.77 0 0\n2\n\nPt 0 0 0\nPt 7.77 0 0\n"
    for name in ("two.xyz", "two.extxyz"):
        with said() as lines:
            assert read_structure(write(tmp_path / name, text)).positions[1, 0] == pytest.approx(
                7.77
            )
        assert "frame 2 of 2" in lines[0]
        assert "1 earlier frame" in lines[0]
    three = write(tmp_path / "three.xyz", text + "1\nlast\nAu 1 2 3\n\n\n")
    assert read_structure(three).atomic_numbers.tolist() == [79]


@pytest.mark.parametrize(
    ("column", "value", "b"),
    [
        ("b_iso", 1.2, 1.2),
        ("debye_waller_factors", 1.2, 1.2),
        ("U_iso", 0.01, 0.7895684),
        ("u_rms", 0.1, 0.7895684),
    ],
)
def test_extended_xyz_gives_occupancies_and_b_factors(tmp_path, column, value, b):
    header = 'Lattice="5 0 0 0 5 0 0 0 5" Properties=species:S:1:pos:R:3:force:R:3:'
    header += f"occupancy:R:1:{column}:R:1"
    rows = f"Ce 0 0 0 9 9 9 1.0 {value}\nO 1 2 3 9 9 9 0.5 {value}\n"
    path = write(tmp_path / "ceo2.xyz", f"2\n{header}\n{rows}")
    with said() as lines:
        atoms = read_structure(path)
    assert atoms.occupancies.tolist() == [1.0, 0.5]
    assert atoms.b_factors.tolist() == pytest.approx([b, b], rel=1e-6)
    assert lines[0].endswith("not used: column force, Lattice")


def test_columns_may_come_in_any_order_and_by_number(tmp_path):
    text = "1\nProperties=tag:I:1:pos:R:3:Z:I:1 pbc=T\n7 1 2 3 58\n"
    atoms = read_structure(write(tmp_path / "any.xyz", text))
    assert atoms.atomic_numbers.tolist() == [58]
    assert atoms.positions.tolist() == [[1.0, 2.0, 3.0]]


def test_further_columns_of_plain_xyz_are_named(tmp_path):
    with said() as lines:
        read_structure(write(tmp_path / "more.xyz", "1\n\nPt 0 0 0 0.1 0.2\n"))
    assert lines[0].endswith("not used: 2 further columns")


@pytest.mark.parametrize("first", ["one unit of CeO2", "3", "58"])
def test_xyz_of_prismatic_gives_occupancies_and_displacements(tmp_path, first):
    text = PRISMATIC.replace("one unit of CeO2", first)
    packed = tmp_path / "ceo2.xyz.gz"
    packed.write_bytes(gzip.compress(text.encode()))
    for path in (write(tmp_path / "ceo2.xyz", text), packed):
        with said() as lines:
            atoms = read_structure(path)
        assert atoms.atomic_numbers.tolist() == [58, 58, 8]
        assert atoms.occupancies.tolist() == [1.0, 1.0, 0.5]
        assert atoms.b_factors.tolist() == pytest.approx([8 * np.pi**2 * 0.085**2] * 3)
        assert "XYZ of Prismatic and computem" in lines[0]


def test_waters_hydrogens_and_values_can_be_asked_of_xyz_too(tmp_path):
    path = write(tmp_path / "oh.xyz", "3\n\nO 0 0 0\nH 0 0 1\nPt 5 5 5\n")
    assert read_structure(path, hydrogens="none").atomic_numbers.tolist() == [8, 78]
    with said() as lines:
        assert len(read_structure(path, hydrogens="implicit", waters=False)) == 3
    assert "1 hydrogen of unnamed residues as in the file" in lines[0]
    atoms = read_structure(path, b_factor=3.0, occupancy=0.5)
    assert atoms.b_factors.tolist() == [3.0] * 3
    assert atoms.occupancies.tolist() == [0.5] * 3


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("5000000000\n\nPt 0 0 0\n", "line 1 says 5000000000 atoms, 1 lines of atoms follow"),
        ("2\n\nPt 0 0 0\n", "line 1 says 2 atoms, 1 lines of atoms follow"),
        ("1\n\nPt 0 0 0\n9\n\nPt 0 0 0\n", "line 4 says 9 atoms, 1 lines of atoms follow"),
        ("1\n\nPt 0 0 0\nPt 1 1 1\n", "line 4: expected the number of atoms, got 'Pt 1 1 1'"),
        ("0\n\n", "line 1: no atoms"),
        ("", "line 1: expected the number of atoms, got ''"),
        ("-1\n\nPt 0 0 0\n", "line 1: expected the number of atoms, got '-1'"),
        ("1e9\n\nPt 0 0 0\n", "line 1: expected the number of atoms, got '1e9'"),
        ("1\n\nPt 0 0\n", "line 3: expected 4 columns, got 3"),
        ("1\n\nPt 0 zero 0\n", "line 3: expected a number in column 3, got 'zero'"),
        ("1\n\nQq 0 0 0\n", "line 3: unknown element 'Qq'"),
        ("2\n\nPt 0 0 0\nO nan 0 1\n", "atom 2: coordinate is not a number"),
        ("1\n\nPt 0 0 1e30\n", r"atom 1: coordinates must lie within 1e\+06 Å"),
        ("1\nProperties=pos:R:3:b:R:1\n0 0 0 1\n", "have no z"),
        ("1\nProperties=species:S:one:pos:R:3\nC 0 0 0\n", "bad Properties"),
        ("1\nProperties=species:S:1:pos:R:3:b:R:1\nC 0 0 0 1e39\n", "B-factor must be at most"),
        ("1\nProperties=species:S:1:pos:R:3:occ:R:1\nC 0 0 0 1e9\n", "occupancy must be at most"),
    ],
)
def test_bad_xyz_is_refused_at_once_in_one_line(tmp_path, text, message):
    path = write(tmp_path / "bad.xyz", text)
    with pytest.raises(InputError, match=message) as refused:
        read_structure(path)
    assert str(refused.value).startswith(str(path))
    assert "\n" not in str(refused.value)
