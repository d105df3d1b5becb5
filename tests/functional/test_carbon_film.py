import pytest
import torch

from difftem.constants.amorphous import CARBON_STRUCTURE
from difftem.functional.carbon_film import carbon_power
from difftem.functional.structure_factor import structure_factor

Q = torch.linspace(0, 2.5, 5001, dtype=torch.float64)


def test_carbon_has_rings_at_2_1_and_1_2_angstrom():
    curve = structure_factor(Q, CARBON_STRUCTURE)
    inner = curve[1:-1]
    found = Q[1:-1][(inner > curve[:-2]) & (inner > curve[2:])]
    assert 1 / float(found[0]) == pytest.approx(2.1, abs=0.1)
    assert 1 / float(found[1]) == pytest.approx(1.18, abs=0.05)
    assert float(curve.min()) > 0.05
    assert float(curve[-1]) == pytest.approx(1.0, abs=0.01)


def test_fine_power_of_carbon_is_that_of_its_atoms_one_by_one():
    # Mott-Bethe: far out an atom scatters as its nucleus, f = 2 Z / (4 π² a0 q²) = 0.02393 Z / s²,
    # s = q / 2. At 1.9 1/Å Peng's fit of neutral carbon is within 15 % of that.
    f = 0.023934 * (6 - 1.1) / 0.95**2  # X-ray factor of carbon at s = 0.95 1/Å: 1.1
    expected = 0.1 * 100.0 * (47.878 * f) ** 2
    found = float(carbon_power(torch.tensor([1.9]), 100.0))
    assert found == pytest.approx(expected, rel=0.1)


def test_twice_the_film_has_twice_the_power():
    torch.testing.assert_close(carbon_power(Q, 200.0), 2 * carbon_power(Q, 100.0))
    torch.testing.assert_close(carbon_power(Q, 100.0, 0.05), carbon_power(Q, 100.0) / 2)
