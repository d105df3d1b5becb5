import pytest
import torch

from difftem.functional.particle_map import (
    fill_with_ice,
    map_grid,
    particle_map,
    with_amplitude_contrast,
    without_border_mean,
)
from difftem.functional.soft_potential import soft_potential
from difftem.functional.solvent import ICE_MOLECULES_PER_A3, ice_absorption_potential, ice_potential
from tests.helpers.specimen import random_atoms

ENERGY = torch.tensor(200e3, dtype=torch.float64)


@pytest.fixture
def atoms():
    return random_atoms(400, (14.0, 12.0, 11.0), (1, 6, 8), (10.0, 60.0))


def border(values):
    mask = torch.ones(values.shape, dtype=torch.bool)
    mask[1:-1, 1:-1, 1:-1] = False
    return values[mask]


def test_box_holds_the_atoms_and_five_angstrom_around_them():
    positions = torch.tensor([[1.0, 2.0, 3.0], [11.5, 4.0, 3.2]])
    shape, center = map_grid(positions, 1.0)
    assert shape == (11, 12, 21)  # ceil of 10.2, 12 and 20.5
    assert center.tolist() == pytest.approx([6.25, 3.0, 3.1])
    assert map_grid(positions, 2.0)[0] == (6, 6, 11)
    assert map_grid(positions, 1.0, (5, 6, 7))[0] == (5, 6, 7)
    with pytest.raises(ValueError, match="pixel_size must be positive"):
        map_grid(positions, 0.0)


def test_ice_fills_what_the_atoms_leave_and_the_border_is_zero_on_average(atoms):
    made = particle_map(atoms, 1.0, ENERGY)
    values = made.values
    assert values.is_complex()
    assert border(values).mean().abs() < 1e-12
    shape, center = map_grid(atoms.positions, 1.0)
    assert values.shape == shape
    assert torch.equal(made.center, center)
    raw = soft_potential(atoms, 1.0, shape, center, ENERGY)
    filled = fill_with_ice(raw, ENERGY)
    assert float(filled.real.min()) == pytest.approx(ice_potential(ICE_MOLECULES_PER_A3))
    assert float(filled.imag.min()) == pytest.approx(float(ice_absorption_potential(ENERGY)))
    inside = raw.real > ice_potential(ICE_MOLECULES_PER_A3)
    assert torch.equal(filled.real[inside], raw.real[inside])
    assert inside.any()
    assert not inside.all()
    torch.testing.assert_close(values - values[0, 0, 0], filled - filled[0, 0, 0])


def test_in_vacuum_nothing_is_filled(atoms):
    made = particle_map(atoms, 1.0, ENERGY, solvent=False)
    raw = soft_potential(atoms, 1.0, made.values.shape, made.center, ENERGY)
    torch.testing.assert_close(made.values, raw - border(raw).mean())


def test_amplitude_contrast_replaces_the_absorption(atoms):
    made = particle_map(atoms, 1.0, ENERGY, amplitude_contrast=0.1)
    whole = particle_map(atoms, 1.0, ENERGY)
    torch.testing.assert_close(made.values.real, 0.99**0.5 * whole.values.real)
    torch.testing.assert_close(made.values.imag, 0.1 * whole.values.real)
    real = torch.tensor([2.0])
    assert with_amplitude_contrast(real, 0.6).tolist() == pytest.approx([1.6 + 1.2j])


def test_border_mean_keeps_its_digits_in_single_precision():
    values = 4.877 + torch.zeros(60, 64, 61)
    values[20:40, 20:40, 20:40] = 9.5
    left = without_border_mean(values)
    assert border(left).abs().max() < 1e-6
    assert float(left.max()) == pytest.approx(9.5 - 4.877, abs=1e-6)


def test_complex_map_needs_the_energy_for_its_ice(atoms):
    shape, center = map_grid(atoms.positions, 1.0)
    raw = soft_potential(atoms, 1.0, shape, center, ENERGY)
    with pytest.raises(ValueError, match="needs the beam's energy"):
        fill_with_ice(raw)
    assert not fill_with_ice(raw.real).is_complex()
