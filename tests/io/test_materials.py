import sys

import numpy as np
import pytest

from difftem.io.errors import InputError
from difftem.io.structure import read_structure
from tests.helpers.structures import said, write

POSCAR = "Pt\n1.0\n4 0 0\n0 4 0\n0 0 4\nPt O\n1 1\nCartesian\n0 0 0\n2 2 2\n"


def test_other_formats_are_read_through_ase(tmp_path):
    pytest.importorskip("ase")
    path = write(tmp_path / "pt.vasp", POSCAR)
    with said() as lines:
        atoms = read_structure(path)
    assert atoms.atomic_numbers.tolist() == [78, 8]
    assert atoms.positions[1].tolist() == [2.0, 2.0, 2.0]
    assert "2 atoms (O 1, Pt 1), B 0.5 Å² (default_b_factor, the file has none)" in lines[0]


def test_the_last_frame_is_taken(tmp_path):
    ase = pytest.importorskip("ase")
    ase_io = pytest.importorskip("ase.io")
    frames = [ase.Atoms("PtO", positions=[[0, 0, 0], [0, 0, z]]) for z in (1.0, 2.0)]
    frames[1].set_initial_charges([1.0, -1.0])
    ase_io.write(tmp_path / "two.traj", frames)
    with said() as lines:
        atoms = read_structure(tmp_path / "two.traj")
    assert atoms.positions[1].tolist() == [0.0, 0.0, 2.0]
    assert "frame 2 of 2" in lines[0]
    assert lines[0].endswith("not used: 1 earlier frame, column initial_charges")


def test_occupancies_and_b_factors_of_ase_are_taken(tmp_path):
    ase = pytest.importorskip("ase")
    ase_io = pytest.importorskip("ase.io")
    crystal = ase.Atoms("PtO", positions=[[0, 0, 0], [0, 0, 2]], cell=[4, 4, 4], pbc=True)
    crystal.set_array("occupancies", np.array([1.0, 0.5]))
    path = tmp_path / "pt.xtl"
    b_factors = [8 * np.pi**2 * u for u in (0.005, 0.01)]  # the file holds U to four decimals
    given = dict(zip(("Pt", "O"), b_factors, strict=True))
    ase_io.write(path, crystal, format="mustem", keV=300, debye_waller_factors=given)
    atoms = read_structure(path)
    assert dict(zip(atoms.atomic_numbers.tolist(), atoms.occupancies.tolist(), strict=True)) == {
        8: 0.5,
        78: 1.0,
    }
    assert sorted(atoms.b_factors.tolist()) == pytest.approx(b_factors, rel=1e-6)


def test_waters_of_gromacs_files_are_known_by_their_residues(tmp_path):
    pytest.importorskip("ase")
    rows = ["    1GLY     CA    1   0.100   0.200   0.300"]
    rows += [
        f"    2SOL  {n:>5s}    2   0.{i}00   0.900   0.900"
        for i, n in enumerate(("OW", "HW1", "HW2"))
    ]
    path = write(tmp_path / "box.gro", "box\n    4\n" + "\n".join(rows) + "\n   2.0 2.0 2.0\n")
    with said() as lines:
        atoms = read_structure(path, waters=False)
    assert len(atoms) == 1
    assert "1 water" in lines[0]


def test_what_ase_cannot_read_is_refused_in_one_line(tmp_path):
    pytest.importorskip("ase")
    path = write(tmp_path / "bad.vasp", "Pt\n1.0\nnothing\n")
    with pytest.raises(InputError, match=r"bad.vasp: not readable by ASE \("):
        read_structure(path)


def test_missing_ase_is_told_with_the_extra_to_install(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "ase", None)
    monkeypatch.setitem(sys.modules, "ase.io", None)
    path = write(tmp_path / "pt.vasp", POSCAR)
    with pytest.raises(InputError, match=r"pip install difftem\[materials\]"):
        read_structure(path)


@pytest.mark.parametrize(
    ("name", "text", "number"),
    [
        ("a.vasp", POSCAR.replace("1 1\n", "1 5000000000\n"), 7),
        ("a.gro", "box\n5000000000\n    1GLY     CA    1   0.100   0.200   0.300\n 2 2 2\n", 2),
        ("a.lammpstrj", "ITEM: TIMESTEP\n0\nITEM: NUMBER OF ATOMS\n5000000000\n", 4),
        ("a.cfg", "Number of particles = 5000000000\nA = 1.0 Angstrom\n", 1),
        ("a.data", "LAMMPS\n\n5000000000 atoms\n", 3),
    ],
)
def test_more_atoms_than_fit_into_a_file_are_refused_at_once(tmp_path, name, text, number):
    pytest.importorskip("ase")
    with pytest.raises(InputError, match=rf"{name}: line {number} says 5000000000 atoms"):
        read_structure(write(tmp_path / name, text))


def test_a_late_time_step_is_no_number_of_atoms(tmp_path):
    pytest.importorskip("ase")
    text = "ITEM: TIMESTEP\n5000000000\nITEM: NUMBER OF ATOMS\n1\nITEM: BOX BOUNDS pp pp pp\n"
    text += "0 9\n0 9\n0 9\nITEM: ATOMS id type element x y z\n1 1 Pt 1 2 3\n"
    atoms = read_structure(write(tmp_path / "late.lammpstrj", text))
    assert atoms.positions.tolist() == [[1.0, 2.0, 3.0]]
