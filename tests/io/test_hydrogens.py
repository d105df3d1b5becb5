import numpy as np
import pytest

from difftem.io.hydrogens import hydrogen_counts


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
