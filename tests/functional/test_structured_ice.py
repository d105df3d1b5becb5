import math

import pytest
import torch

from difftem.constants.scattering import scattering_table
from difftem.functional.beam import wavelength
from difftem.functional.form_factor import scattering_factor
from difftem.functional.grid import frequency_grid, radius
from difftem.functional.lens import aberration_phase
from difftem.functional.structured_ice import (
    beam_blurring,
    draw_ice_contrast,
    ice_contrast_power,
    ice_power,
    water_form_factors,
)

Q = torch.linspace(0, 1.2, 241, dtype=torch.float64)


def test_water_scatters_as_the_mean_over_random_rotations_of_its_atoms(generator):
    half = math.radians(106.6 / 2)
    hydrogens = 0.97 * torch.tensor(
        [[math.sin(half), math.cos(half), 0.0], [-math.sin(half), math.cos(half), 0.0]]
    )
    q = torch.tensor([0.1, 0.27, 0.5, 1.0], dtype=torch.float64)
    f_o, f_h = scattering_factor(q, torch.tensor([8, 1]), scattering_table("peng"))
    axis = torch.nn.functional.normalize(
        torch.randn(40_000, 3, generator=generator, dtype=torch.float64), dim=-1
    )
    phases = 2 * math.pi * (axis @ hydrogens.double().T)  # of q along random directions
    amplitude = f_o[:, None] + f_h[:, None] * torch.exp(1j * q[:, None, None] * phases).sum(-1)
    square, mean = water_form_factors(q)
    torch.testing.assert_close(square, (amplitude.abs() ** 2).mean(-1), rtol=6e-3, atol=0)
    torch.testing.assert_close(mean, amplitude.real.mean(-1), rtol=6e-3, atol=0)


def test_coarse_power_of_ice_is_its_potential_times_what_its_density_fluctuates():
    # Over long distances: variance of the number of molecules in an area times (K f(0))².
    number = 0.93 / 18.01528 * 0.602214076 * 500.0  # molecules per Å² of 500 Å
    expected = number * 0.06 * (47.878 * (1.983 + 2 * 0.529)) ** 2
    square, mean = water_form_factors(Q[:1])
    assert float(ice_power(Q[:1], 500.0)) == pytest.approx(expected, rel=2e-3)
    assert float(mean) ** 2 == pytest.approx(float(square), rel=1e-12)


def test_fine_power_of_ice_is_that_of_its_molecules_one_by_one():
    fine = torch.tensor([1.6], dtype=torch.float64)
    alone = 0.0310885 * 100.0 * 47.878**2 * water_form_factors(fine)[0]
    torch.testing.assert_close(ice_power(fine, 100.0), alone, rtol=0.01, atol=0)


def test_power_grows_with_thickness_and_density():
    base = ice_power(Q, 200.0, 0.93)
    torch.testing.assert_close(ice_power(Q, 600.0, 0.93), 3 * base)
    torch.testing.assert_close(ice_power(Q, 200.0, 0.465), base / 2)
    assert bool((base > 0).all())


def test_the_ring_is_best_seen_at_4_electrons_per_image():
    # As McMullan et al. (2015) found: signal-to-noise of a sum of spectra grows as N B(N) / √N.
    exposure = torch.linspace(0.5, 20, 1951, dtype=torch.float64)
    ring = torch.tensor(1 / 3.7, dtype=torch.float64)
    visibility = torch.sqrt(exposure) * torch.stack([beam_blurring(ring, n) for n in exposure])
    assert float(exposure[visibility.argmax()]) == pytest.approx(4.0, abs=0.15)


def test_blurring_is_that_of_molecules_on_random_walks(generator):
    exposure, steps, q = 6.0, 300, 0.2
    step = math.sqrt(1.1 * exposure / 3 / steps)  # Å along each axis
    walk = step * torch.randn(4000, steps, generator=generator, dtype=torch.float64)
    mean = torch.exp(2j * math.pi * q * walk.cumsum(-1)).mean(-1)
    expected = float((mean.abs() ** 2).mean())
    found = float(beam_blurring(torch.tensor(q, dtype=torch.float64), exposure))
    assert found == pytest.approx(expected, rel=0.03)


def test_blurring_is_smooth_at_no_exposure_and_stronger_for_slow_electrons():
    q = torch.tensor(0.27, dtype=torch.float64)
    doses = torch.tensor([0.0, 1e-3, 0.0188, 0.0190, 0.1], dtype=torch.float64)
    values = torch.stack([beam_blurring(q, each) for each in doses])
    assert float(values[0]) == 1.0
    slope = (values[1:] - values[:-1]) / (doses[1:] - doses[:-1])
    torch.testing.assert_close(slope, slope[:1].expand(4), rtol=0.02, atol=0)
    slow = beam_blurring(q, 5.0, torch.tensor(1e5, dtype=torch.float64))
    # Carbon's and ice's cross sections are 2.007 times those at 300 kV.
    torch.testing.assert_close(slow, beam_blurring(q, 5.0 * 2.007), rtol=1e-3, atol=0)


def test_drawn_contrast_has_the_spectrum_of_theory_in_every_ring(generator):
    shape, pixel_size, kwargs = (256, 192), 0.9, {"thickness": 400.0, "exposure": 12.0}
    power = 0.0
    for _ in range(16):
        image = draw_ice_contrast(
            shape, pixel_size, defocus_um=0.8, cs_mm=2.7, generator=generator, **kwargs
        )
        power = power + torch.fft.rfft2(image.double()).abs() ** 2
    power = power * pixel_size**2 / (16 * shape[0] * shape[1])
    energy = torch.tensor(3e5, dtype=torch.float64)
    qy, qx = frequency_grid(shape, pixel_size, half=True)
    lens = {"C10": torch.tensor(-8000.0).double(), "C30": torch.tensor(2.7e7).double()}
    chi = aberration_phase(qy, qx, wavelength(energy), lens)
    q = radius((qy, qx))
    theory = ice_contrast_power(q, chi, energy, **kwargs)
    ring = (q * shape[0] * pixel_size / 4).long()
    number = torch.bincount(ring.flatten())
    enough = (number > 100) & (torch.arange(len(number)) < 32)
    found, expected = (
        torch.bincount(ring.flatten(), weights=each.flatten())[: len(number)][enough]
        for each in (power, theory)
    )
    assert int(enough.sum()) > 25
    torch.testing.assert_close(found, expected, rtol=0.05, atol=0)


def test_underfocus_makes_dense_ice_dark():
    # A weak object images as 2σ sin χ v; absorption adds to what underfocus does.
    energy = torch.tensor(3e5, dtype=torch.float64)
    q = torch.tensor([0.02], dtype=torch.float64)
    chi = torch.tensor([-0.3], dtype=torch.float64)
    weak, strong = (
        ice_contrast_power(q, chi, energy, 300.0, amplitude_contrast=a) for a in (0.0, 0.1)
    )
    ratio = (math.sqrt(0.99) * math.sin(0.3) + 0.1 * math.cos(0.3)) / math.sin(0.3)
    torch.testing.assert_close(strong / weak, torch.tensor([ratio**2]).double())
