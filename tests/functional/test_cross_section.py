import math

import pytest
import torch

from difftem.functional.cross_section import total_cross_section

ENERGY = torch.tensor(200e3, dtype=torch.float64)


@pytest.mark.parametrize(
    ("z", "expected_nm2"),
    [
        (1, 8.686209e-5),
        (6, 1.594206e-4),
        (7, 1.721973e-4),
        (8, 1.850312e-4),
        (15, 2.790952e-4),
        (16, 2.932569e-4),
    ],
)
def test_cross_sections_at_200_kv_are_those_of_tem_simulator(z, expected_nm2):
    assert total_cross_section(z, ENERGY).item() / 100 == pytest.approx(expected_nm2, rel=2e-6)


def test_cross_section_is_the_integral_of_its_differential_cross_section():
    # temsim.md section 2, written in numpy with constants of its own.
    np = pytest.importorskip("numpy")
    e0, a0, lam, ev = 510998.95, 0.529177210903, 0.0250793404, 200e3
    k, gamma, z = 2 * math.pi / lam, 1 + ev / e0, 8
    theta0 = (z ** (1 / 3) / (k * a0)) ** 2
    theta_e = (13.5 * z / (4 * ev)) ** 2
    theta = np.geomspace(1e-9, 100.0, 400_001)
    elastic = 4 * z ** (2 / 3) * (a0 * gamma / (1 + theta**2 / theta0)) ** 2
    inelastic = 4 * z * (gamma / (k**2 * a0 * (theta**2 + theta_e))) ** 2
    inelastic = inelastic * (1 - (1 + theta**2 / theta0) ** -2)
    total = np.trapezoid(2 * math.pi * theta * (elastic + inelastic), theta)
    # The closed form drops nothing of order theta_e / theta0 (5e-5); the sum is over small angles.
    assert total_cross_section(8, ENERGY).item() == pytest.approx(total, rel=2e-4)
