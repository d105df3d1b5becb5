import numpy as np
import pytest

from difftem.io.hydrogens import hydrogen_counts
from difftem.io.structure import read_structure
from tests.helpers.structures import line, said, write

CHAIN = ("N", "CA", "C", "O", "SG")


@pytest.mark.parametrize(
    ("residue", "atom", "ours", "theirs"),
    [
        ("ILE", "CG1", 2, 3),
        ("ILE", "CG2", 3, 2),
        ("ILE", "CD1", 3, 3),
        ("ILE", "CA", 1, 1),
        ("U", "C5'", 2, 0),
        ("U", "N3", 1, 0),
        ("A", "C5'", 2, 2),
        ("GLY", "CA", 2, 2),
        ("HOH", "O", 2, 2),
    ],
)
def test_tem_simulator_differs_in_isoleucine_and_uridine(residue, atom, ours, theirs):
    arrays = (np.array([residue.encode()]), np.array([atom.encode()]), np.array([6]))
    assert hydrogen_counts(*arrays).tolist() == [ours]
    assert hydrogen_counts(*arrays, as_in_tem_simulator=True).tolist() == [theirs]


def lipid(with_hydrogens):
    """A peptide's glycine, and a residue that the table does not know."""
    rows = [line(1, "N", 0.0, "N"), line(2, "CA", 1.5), line(3, "HA", 2.0, "H")]
    rows += [line(4, "C1", 9.0, res="PLM", number=2), line(5, "C2", 10.0, res="PLM", number=2)]
    rows += [line(6, "N", 11.0, "N", res="PLM", number=2)]
    if with_hydrogens:
        rows += [line(7 + i, f"H{i}", 9.5 + i, "H", res="PLM", number=2) for i in range(5)]
    return "".join(rows)


def test_hydrogens_of_unknown_residues_are_kept_and_said(tmp_path):
    path = write(tmp_path / "lipid.pdb", lipid(True))
    with said() as lines:
        atoms = read_structure(path, hydrogens="implicit")
    hydrogens = atoms.select(atoms.atomic_numbers == 1)
    # Five of the lipid where they are, one on N and two on CA of glycine.
    assert sorted(hydrogens.positions[:, 0].tolist()) == [0.0, 1.5, 9.5, 10.5, 11.5, 12.5, 13.5]
    assert hydrogens.occupancies.sum().item() == 8
    assert "5 hydrogens of PLM as in the file" in lines[0]
    assert "1 hydrogen of the file (implicit instead)" in lines[0]
    theirs = read_structure(path, hydrogens="tem_simulator")
    assert (theirs.atomic_numbers == 1).sum() == 3  # that program knows none, and N of any residue


def test_unknown_residues_without_hydrogens_are_named(tmp_path):
    rows = [line(i, name, 20.0 + i, name[0], res="CSX", number=3) for i, name in enumerate(CHAIN)]
    path = write(tmp_path / "bare.pdb", lipid(False) + "".join(rows))
    with said() as lines:
        atoms = read_structure(path, hydrogens="implicit")
    assert atoms.occupancies[atoms.atomic_numbers == 1].tolist() == [1.0, 2.0, 1.0, 1.0]
    assert "no hydrogens for PLM, which the table" in lines[0]
    assert "hydrogens of the main chain alone for CSX, which the table" in lines[0]


@pytest.mark.parametrize(
    ("residue", "side_chain", "n"),
    [
        ("HSD", "CB CG ND1 CD2 CE1 NE2", 5),
        ("HIE", "CB CG ND1 CD2 CE1 NE2", 5),
        ("HIP", "CB CG ND1 CD2 CE1 NE2", 6),
        ("CYX", "CB SG", 2),
        ("GLH", "CB CG CD OE1 OE2", 5),
        ("LYN", "CB CG CD CE NZ", 10),
    ],
)
def test_protonation_states_have_the_hydrogens_of_their_formula(residue, side_chain, n):
    atoms = np.array(side_chain.encode().split())
    counts = hydrogen_counts(np.full(len(atoms), residue.encode()), atoms, np.full(len(atoms), 6))
    assert counts.sum() == n
