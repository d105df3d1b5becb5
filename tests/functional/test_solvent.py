import math

import pytest
import torch

from difftem.constants.scattering import scattering_table
from difftem.functional.beam import interaction_constant
from difftem.functional.cross_section import total_cross_section
from difftem.functional.form_factor import scattering_factor
from difftem.functional.solvent import (
    ICE_MOLECULES_PER_A3,
    absorption_from_mean_free_path,
    ice_absorption_potential,
    ice_amplitude_contrast,
    ice_mean_free_path,
    ice_molecules_per_a3,
    ice_potential,
    slab_transmission,
)


def energy(kv):
    return torch.tensor(kv * 1e3, dtype=torch.float64)


def test_mean_inner_potential_of_ice_is_that_of_tem_simulator():
    assert ice_potential(ICE_MOLECULES_PER_A3) == pytest.approx(4.877462, abs=1e-5)


def test_a_mole_of_ice_takes_19_cubic_centimetres():
    # 18.015 g at 0.93 g/cm³ are 19.37 cm³ = 1.937e25 Å³.
    assert ice_molecules_per_a3(0.93) * 18.015 / 0.93 * 1e24 == pytest.approx(6.02214e23, rel=5e-5)
    assert ice_molecules_per_a3() == ice_molecules_per_a3(0.93)
    # TEM-simulator's 33.5 molecules/nm³ are 1.002 g/cm³.
    assert ice_molecules_per_a3(1.0) == pytest.approx(ICE_MOLECULES_PER_A3, rel=3e-3)


def test_mean_inner_potential_follows_from_density_and_scattering_amplitudes():
    # f(0) of oxygen and hydrogen, International Tables C (2004), table 4.3.1.1, in Å.
    expected = 47.878 * ice_molecules_per_a3(0.93) * (1.983 + 2 * 0.529)
    assert ice_potential(ice_molecules_per_a3(0.93)) == pytest.approx(expected, rel=2e-3)
    assert ice_potential(ice_molecules_per_a3(0.93)) == pytest.approx(4.526, abs=1e-3)
    # Another table, another f(0): within the tables' own differences.
    lobato = scattering_factor(torch.zeros(1), torch.tensor([8, 1]), scattering_table("lobato"))
    other = 47.878 * ice_molecules_per_a3(0.93) * float(lobato[0, 0] + 2 * lobato[1, 0])
    assert ice_potential(ice_molecules_per_a3(0.93)) == pytest.approx(other, rel=0.03)


def test_mean_free_path_goes_with_the_squared_velocity():
    # v/c from the textbook: 0.5482 at 100 kV, 0.6953 at 200 kV, 0.7765 at 300 kV (Williams &
    # Carter, table 1.2).
    path = ice_mean_free_path(torch.tensor([1e5, 2e5, 3e5], dtype=torch.float64)) / 10
    expected = [300 * (v / 0.7765) ** 2 for v in (0.5482, 0.6953, 0.7765)]
    assert path.tolist() == pytest.approx(expected, rel=4e-4)
    assert path[0].item() == pytest.approx(150, abs=1)


@pytest.mark.parametrize("kv", [60, 100, 120, 200, 300, 1000])
def test_amplitude_contrast_is_the_ratio_of_absorption_to_potential_at_every_voltage(kv):
    # The same specimen: absorption from the mean free path over its (fixed) real potential.
    def absorption(kilovolt):
        sigma = interaction_constant(energy(kilovolt))
        return absorption_from_mean_free_path(ice_mean_free_path(energy(kilovolt)), sigma).item()

    expected = 0.07 * absorption(kv) / absorption(300)
    assert ice_amplitude_contrast(energy(kv)).item() == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize(("kv", "expected"), [(100, 0.9908395), (200, 0.8244816), (300, 0.7590903)])
def test_absorption_of_ice_is_that_of_tem_simulator(kv, expected):
    # Its physical constants are older: six digits.
    assert ice_absorption_potential(energy(kv)).item() == pytest.approx(expected, rel=2e-6)


def test_mean_free_path_in_ice_is_83_nm_at_200_kv():
    sigma = interaction_constant(energy(200))
    path = 1 / (2 * sigma * ice_absorption_potential(energy(200)))
    assert path.item() / 10 == pytest.approx(83.206, abs=1e-3)
    molecule = total_cross_section(8, energy(200)) + 2 * total_cross_section(1, energy(200))
    assert path.item() == pytest.approx((1 / (ICE_MOLECULES_PER_A3 * molecule)).item(), rel=1e-12)


def test_tilted_slab_is_thicker_by_the_inverse_cosine():
    sigma = interaction_constant(energy(300))
    path = torch.tensor(3000.0, dtype=torch.float64)
    absorption = absorption_from_mean_free_path(path, sigma)
    tilt = torch.deg2rad(torch.tensor([0.0, 30.0, -60.0], dtype=torch.float64))
    thickness, potential = torch.tensor(500.0).double(), torch.tensor(4.88).double()
    t = slab_transmission(thickness, torch.cos(tilt), potential, absorption, sigma)
    length = torch.tensor([1.0, 2 / math.sqrt(3), 2.0], dtype=torch.float64) * 500
    torch.testing.assert_close(t.abs() ** 2, torch.exp(-length / 3000))
    phase = sigma * potential * length
    torch.testing.assert_close(t / t.abs(), torch.exp(1j * phase))


def test_slab_seen_edge_on_is_refused():
    one = torch.ones((), dtype=torch.float64)
    for degrees in (90.0, 120.0, -90.0):
        with pytest.raises(ValueError, match="less than 90"):
            slab_transmission(one, torch.cos(torch.deg2rad(torch.tensor(degrees))), one, one, one)
