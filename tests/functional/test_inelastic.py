import math

import pytest
import torch

from difftem.functional.beam import wavelength
from difftem.functional.cross_section import total_cross_section
from difftem.functional.inelastic import (
    CARBON,
    WATER,
    angular_transfer,
    coarse_angular_step,
    differential_cross_sections,
    ice_attenuation,
    transferred_fraction,
)
from difftem.functional.solvent import ice_absorption_potential

ENERGY = torch.tensor(200e3, dtype=torch.float64)
APERTURE = 8.3e-3


def shells(theta):
    """Solid angle between logarithmic steps of θ, trapezoids."""
    return 2 * math.pi * theta**2 * math.log(theta[1] / theta[0])


@pytest.mark.parametrize("z", [1, 6, 8, 16])
def test_differential_cross_sections_integrate_to_the_total(z):
    theta = torch.logspace(-9, 2, 20_001, dtype=torch.float64)
    elastic, inelastic = differential_cross_sections(z, ENERGY, theta)
    total = ((elastic + inelastic) * shells(theta)).sum()
    # The closed form drops terms of order (θE / θ0)²; temsim.md section 2.
    assert total.item() == pytest.approx(total_cross_section(z, ENERGY).item(), rel=2e-4)
    k, gamma = 2 * math.pi / wavelength(ENERGY), 1 + 200e3 / 510998.95
    expected = 4 * math.pi * z ** (4 / 3) * (gamma / k) ** 2
    assert (elastic * shells(theta)).sum().item() == pytest.approx(expected.item(), rel=1e-5)


def test_forward_elastic_scattering_is_that_of_a_screened_charge():
    # dσ/dΩ(0) = f²: Born amplitude of a Wentzel atom, 2 Z R² γ / a0 with R = a0 Z^(-1/3).
    elastic, inelastic = differential_cross_sections(8, ENERGY, torch.zeros(1).double())
    gamma, a0 = 1 + 200e3 / 510998.95, 0.529177210903
    amplitude = 2 * 8 * gamma * (a0 * 8 ** (-1 / 3)) ** 2 / a0
    assert elastic.item() == pytest.approx(amplitude**2, rel=1e-8)
    assert inelastic.item() == 0


@pytest.mark.parametrize("composition", [CARBON, WATER])
def test_transfer_is_the_bessel_integral_of_the_angles(composition):
    transfer = angular_transfer(composition, ENERGY, APERTURE, 1e5)
    theta = APERTURE * torch.linspace(0, 1, 200_001, dtype=torch.float64) ** 2
    width = theta.diff()
    middle = (theta[1:] + theta[:-1]) / 2
    density = sum(
        n * sum(differential_cross_sections(z, ENERGY, middle)) for z, n in composition.items()
    )
    for x in (0.0, 30.0, 1234.5, 2e4, 9.7e4):
        j0 = torch.special.bessel_j0(x * middle)
        expected = (2 * math.pi * middle * width * density * j0).sum()
        got = transfer.total * transferred_fraction(transfer, torch.tensor(x).double())
        assert got.item() == pytest.approx(expected.item(), abs=2e-4 * float(transfer.total))


def test_wider_apertures_pass_more_and_everything_in_the_end():
    zero = torch.zeros(()).double()
    passed = [
        float(transferred_fraction(angular_transfer(CARBON, ENERGY, a, 1.0), zero))
        for a in (1e-3, 5e-3, 2e-2, 0.1, 1.5)
    ]
    assert passed == sorted(passed)
    assert 0 < passed[0] < 0.4
    assert passed[-1] == pytest.approx(1, abs=5e-3)  # the formulas take sin θ = θ


def test_transfer_lies_between_zero_and_what_passes_and_falls_from_it():
    transfer = angular_transfer(CARBON, ENERGY, APERTURE, 2e4)
    fraction = transferred_fraction(transfer, torch.linspace(0, 2e4, 500).double())
    assert fraction.argmax() == 0
    assert fraction.max() < 1
    assert fraction.min() > -0.02 * fraction.max()  # the sharp aperture rings
    assert fraction[-1] < 0.1 * fraction[0]


def test_ice_loses_only_what_the_aperture_stops_and_without_one_by_the_mean_free_path():
    tiny = angular_transfer(WATER, ENERGY, 1e-8, 1.0)
    lost = ice_attenuation(tiny, torch.zeros(()).double())
    assert (0.1 / lost).item() == pytest.approx(83.206, abs=2e-3)  # nm
    sigma_v = ice_absorption_potential(ENERGY)
    assert sigma_v.item() == pytest.approx(0.8244816, rel=2e-6)
    usual = ice_attenuation(
        angular_transfer(WATER, ENERGY, APERTURE, 1e4), torch.tensor([0.0, 9e3]).double()
    )
    assert 0 < usual[0] < usual[1] < 1.01 * lost


def test_coarse_sum_is_that_of_tem_simulator():
    step = coarse_angular_step(5.0, 5e4)
    assert step == pytest.approx(5.0 / (math.pi * 6e4))
    transfer = angular_transfer(CARBON, ENERGY, APERTURE, 1.0, step)
    assert transfer.step == pytest.approx(1 / APERTURE)
    assert len(transfer.transmitted) == math.ceil(APERTURE / step)
    theta = step * torch.arange(1, int(APERTURE / step) + 1).double()
    weight = 2 * math.pi * theta * step * sum(differential_cross_sections(6, ENERGY, theta))
    knot = 7 / APERTURE
    expected = [
        (weight * torch.special.bessel_j0(theta * x)).sum().item() for x in (knot, 8 / APERTURE)
    ]
    between = torch.tensor([knot, knot + 0.25 / APERTURE, 1e9]).double()
    got = transfer.total * transferred_fraction(transfer, between)
    assert got[0].item() == pytest.approx(expected[0])
    assert got[1].item() == pytest.approx(0.75 * expected[0] + 0.25 * expected[1])
    assert got[2].item() == pytest.approx(transfer.transmitted[-1].item())
    # Finer steps approach the converged table.
    converged = angular_transfer(CARBON, ENERGY, APERTURE, 1.0).transmitted[0]
    errors = [
        abs(float(angular_transfer(CARBON, ENERGY, APERTURE, 1.0, s).transmitted[0] - converged))
        for s in (step, step / 3, step / 9)
    ]
    assert errors[0] > errors[1] > errors[2]


def test_gradients_reach_the_energy_and_the_reach():
    reach = torch.tensor([333.3, 1204.1]).double().requires_grad_()
    energy = ENERGY.clone().requires_grad_()

    def fraction(reach, energy):
        transfer = angular_transfer(CARBON, energy / 1.0, APERTURE, 2e3)
        return transferred_fraction(transfer, reach)

    torch.autograd.gradcheck(fraction, (reach, energy), eps=1e-3, atol=1e-9, rtol=1e-4)


def test_impossible_apertures_are_refused():
    for aperture in (0.0, -1e-3, 8.3):
        with pytest.raises(ValueError, match="aperture must be in"):
            angular_transfer(CARBON, ENERGY, aperture, 1.0)
    with pytest.raises(ValueError, match="angular_step must be positive"):
        angular_transfer(CARBON, ENERGY, APERTURE, 1.0, 0.0)
