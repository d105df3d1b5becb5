import math

import pytest
import torch

from difftem.constants.scattering import scattering_table
from difftem.functional.beam import interaction_constant, wavelength
from difftem.functional.form_factor import scattering_factor
from difftem.functional.grid import band_limit_mask, frequency_grid, radius
from difftem.functional.multislice import (
    complex_dtype,
    fresnel_propagator,
    multislice,
    phase_factor,
    propagate,
    transmit,
)
from tests.helpers.specimen import make_atoms, pixel_axes, project, random_atoms

ENERGY = torch.tensor(200e3, dtype=torch.float64)
LAM = wavelength(ENERGY)
SIGMA = interaction_constant(ENERGY)
LAMBDA = 0.025079340450548


def gaussian_beam(shape, pixel_size, waist, z):
    """Exact paraxial Gaussian beam a distance z behind its waist."""
    y, x = pixel_axes(shape, pixel_size)
    r2 = y[:, None] ** 2 + x**2
    q = 1 + 1j * z * LAMBDA / (math.pi * waist**2)
    return torch.exp(-r2 / (waist**2 * q)) / q


def test_phase_factor_is_the_complex_exponential():
    phase = torch.linspace(-30, 30, 101, dtype=torch.float64)
    torch.testing.assert_close(phase_factor(phase), torch.exp(1j * phase), rtol=0, atol=1e-14)
    assert complex_dtype(torch.float32) == torch.complex64
    assert complex_dtype(torch.float64) == torch.complex128


@pytest.mark.parametrize("shape", [(16, 16), (15, 18)])
def test_vacuum_leaves_the_wave_at_one(shape):
    propagator = fresnel_propagator(shape, 0.5, 10.0, LAM)
    wave = multislice([torch.zeros(shape, dtype=torch.float64)] * 6, SIGMA, propagator)
    assert (wave - 1).abs().max() < 1e-14


def test_propagator_has_kirklands_sign_and_is_one_at_dc():
    shape, pixel_size, distance = (12, 9), 0.4, 37.0
    p = fresnel_propagator(shape, pixel_size, distance, LAM, band_limit=1.0, taper=0)
    q = radius(frequency_grid(shape, pixel_size))
    inside = q <= 0.5 / pixel_size
    expected = torch.exp(-1j * math.pi * LAMBDA * distance * q**2)
    assert (p - expected)[inside].abs().max() < 1e-12
    assert p[0, 0] == 1
    assert p.dtype == torch.complex128
    assert fresnel_propagator(shape, 0.4, 37.0, LAM, dtype=torch.float32).dtype == torch.complex64


@pytest.mark.parametrize("tilt", [None, (5e-3, -2e-3)])
def test_propagator_is_unitary_inside_the_band_and_its_inverse_is_the_way_back(tilt):
    shape = (21, 24)
    tilt = None if tilt is None else torch.tensor(tilt, dtype=torch.float64)
    there = fresnel_propagator(shape, 0.5, 80.0, LAM, tilt)
    back = fresnel_propagator(shape, 0.5, -80.0, LAM, tilt)
    mask = band_limit_mask(shape, dtype=torch.float64)
    torch.testing.assert_close(there.abs(), mask, rtol=0, atol=1e-14)
    generator = torch.Generator().manual_seed(0)
    wave = torch.randn(*shape, generator=generator, dtype=torch.complex128)
    wave = torch.fft.ifft2(torch.fft.fft2(wave) * (mask == 1))
    assert (propagate(propagate(wave, there), back) - wave).abs().max() < 1e-13


def test_intensity_is_conserved_when_nothing_leaves_the_band():
    atoms = random_atoms(30, (16.0, 16.0, 20.0), (6, 7, 8), (40.0, 60.0))
    slices = project(atoms, (48, 45), 0.35, n_slices=5, slice_thickness=4.0, band_limit=0.5)
    propagator = fresnel_propagator((48, 45), 0.35, 4.0, LAM, band_limit=1.0, taper=0)
    wave = multislice(slices, SIGMA, propagator)
    assert (wave.abs() ** 2).mean().item() == pytest.approx(1, abs=1e-9)
    # Parseval
    spectrum = torch.fft.fft2(wave)
    total = (spectrum.abs() ** 2).sum() / wave.numel()
    assert total.item() == pytest.approx((wave.abs() ** 2).sum().item(), rel=1e-12)


@pytest.mark.parametrize("z", [6, 29, 79])
def test_single_atom_focuses_the_beam(z):
    shape, pixel_size = (64, 64), 0.25
    atom = project(make_atoms([[0.0, 0.0, 0.0]], [z], 15.0), shape, pixel_size)
    step = fresnel_propagator(shape, pixel_size, 20.0, LAM)
    empty = torch.zeros_like(atom[0])
    wave = multislice([atom[0], empty, empty], SIGMA, step)
    intensity = wave.abs() ** 2
    assert intensity[32, 32] > 1.03
    assert intensity.argmax() == 32 * 64 + 32
    # Before the atom's plane, as if the propagator had the other sign, it is a dark spot.
    behind = fresnel_propagator(shape, pixel_size, -60.0, LAM)
    dark = propagate(transmit(torch.ones_like(atom[0]), atom[0], SIGMA), behind)
    assert dark.abs()[32, 32] < 1


def test_focus_behind_a_carbon_atom_has_its_weak_phase_brightness():
    # I(0) = 1 + 2 σ ∫ c f(q) exp(-B q²/4) sin(πλz q²) 2πq dq up to the band limit.
    shape, pixel_size, z, b = (96, 96), 0.25, 60.0, 30.0
    atom = 0.1 * project(make_atoms([[0.0, 0.0, 0.0]], [6], b), shape, pixel_size)[0]
    wave = multislice([atom], SIGMA, fresnel_propagator(shape, pixel_size, z, LAM, taper=0))
    q = torch.linspace(0, 2 / 3 / 2 / pixel_size, 4001, dtype=torch.float64)
    f = scattering_factor(q, torch.tensor([6]), scattering_table("peng"))[0]
    density = 2 * math.pi * q * 47.877647 * f * torch.exp(-b * q**2 / 4)
    gain = 2 * SIGMA * torch.trapezoid(density * torch.sin(math.pi * LAM * z * q**2), q)
    excess = (wave.abs()[48, 48] ** 2 - 1) / 0.1
    assert gain > 0.015
    assert excess.item() == pytest.approx(gain.item(), rel=5e-3)


def test_gaussian_beam_spreads_and_curves_as_paraxial_optics_says():
    shape, pixel_size, waist, z = (128, 120), 0.5, 6.0, 2500.0
    start = gaussian_beam(shape, pixel_size, waist, 0.0)
    propagator = fresnel_propagator(shape, pixel_size, z, LAM, band_limit=1.0, taper=0)
    got = propagate(start, propagator)
    rayleigh = math.pi * waist**2 / LAMBDA
    expected = gaussian_beam(shape, pixel_size, waist, z)
    assert z / rayleigh > 0.5
    assert (got - expected).abs().max() < 1e-6
    y, x = pixel_axes(shape, pixel_size)
    r2 = y[:, None] ** 2 + x**2
    intensity = got.abs() ** 2
    width2 = 2 * (intensity * r2).sum() / intensity.sum()
    assert width2.item() == pytest.approx(waist**2 * (1 + (z / rayleigh) ** 2), rel=1e-6)
    # Phase on the axis lags by the Gouy phase, the front curves with R = z (1 + (z_R / z)^2).
    assert torch.angle(got[64, 60]).item() == pytest.approx(-math.atan(z / rayleigh), abs=1e-6)
    curvature = torch.angle(got[64, 66] / got[64, 60]) / (math.pi * 3.0**2 / LAMBDA)
    radius_ = z * (1 + (rayleigh / z) ** 2)
    assert curvature.item() == pytest.approx(1 / radius_, rel=1e-5)


def test_tilted_beam_walks_towards_plus_x_by_height_times_angle():
    shape, pixel_size, distance = (64, 80), 0.5, 400.0
    tilt = torch.tensor([[8e-3, 0.0], [0.0, -5e-3]], dtype=torch.float64)
    start = gaussian_beam(shape, pixel_size, 5.0, 0.0)
    propagator = fresnel_propagator(shape, pixel_size, distance, LAM, tilt, 1.0, 0.0)
    assert propagator.shape == (2, 64, 80)
    intensity = propagate(start, propagator).abs() ** 2
    y, x = pixel_axes(shape, pixel_size)
    weight = intensity.sum((1, 2))
    center_x = (intensity * x).sum((1, 2)) / weight
    center_y = (intensity * y[:, None]).sum((1, 2)) / weight
    torch.testing.assert_close(center_x, distance * tilt[:, 0], atol=1e-6, rtol=0)
    torch.testing.assert_close(center_y, distance * tilt[:, 1], atol=1e-6, rtol=0)


def test_tilted_propagator_is_the_plane_wave_of_that_direction():
    # Physical truth: put the tilt on the wave as a plane wave of a whole number of periods.
    shape, pixel_size, distance = (40, 50), 0.5, 90.0
    y, x = pixel_axes(shape, pixel_size)
    qx, qy = 3 / (50 * pixel_size), -2 / (40 * pixel_size)
    carrier = torch.exp(2j * math.pi * (qy * y[:, None] + qx * x))
    straight = fresnel_propagator(shape, pixel_size, distance, LAM, band_limit=1.0, taper=0)
    start = gaussian_beam(shape, pixel_size, 3.0, 0.0)
    physical = propagate(start * carrier, straight) / carrier
    tilt = LAM * torch.tensor([qx, qy], dtype=torch.float64)
    ours = propagate(start, fresnel_propagator(shape, pixel_size, distance, LAM, tilt, 1.0, 0.0))
    common = torch.exp(-1j * math.pi * LAM * distance * (qx**2 + qy**2))
    assert (ours * common - physical).abs().max() < 1e-6


def test_weak_phase_limit_is_the_first_born_approximation():
    atoms = random_atoms(20, (14.0, 14.0, 30.0), (6, 8), (60.0, 60.0))
    slices = project(atoms, (32, 32), 0.5, n_slices=6, slice_thickness=5.0)
    propagator = fresnel_propagator((32, 32), 0.5, 5.0, LAM, taper=0)
    born = 0.0
    for i, v in enumerate(slices):
        on = fresnel_propagator((32, 32), 0.5, 5.0 * (6 - i), LAM, taper=0)
        born = born + propagate(1j * SIGMA * v + 0j, on)
    previous = None
    for strength in (1e-2, 1e-3):
        wave = multislice(strength * slices, SIGMA, propagator)
        second_order = (wave - 1 - strength * born).abs().max()
        assert second_order < 2 * (strength * SIGMA * slices.sum(0).max()) ** 2
        if previous is not None:
            assert second_order.item() == pytest.approx(previous.item() / 100, rel=0.1)
        previous = second_order
    whole = transmit(torch.ones(32, 32), 1e-4 * slices[0], SIGMA)
    assert (whole - 1 - 1j * SIGMA * 1e-4 * slices[0]).abs().max() < 1e-8


def test_amplitude_contrast_absorbs_exponentially():
    v = torch.linspace(0, 300, 12, dtype=torch.float64).view(3, 4)
    contrast = torch.tensor([0.0, 0.1, 0.35], dtype=torch.float64)
    wave = transmit(torch.ones(3, 4), v, SIGMA, contrast)
    assert wave.shape == (3, 3, 4)
    for a, each in zip(contrast.tolist(), wave, strict=True):
        torch.testing.assert_close(each.abs(), torch.exp(-SIGMA * a * v))
        phase = SIGMA * v * math.sqrt(1 - a**2)
        torch.testing.assert_close(each / each.abs(), torch.exp(1j * phase))


def test_band_limited_transmission_stays_inside_the_band():
    atoms = make_atoms([[0.0, 0.0, 0.0]], [79], 0.0)
    v = project(atoms, (32, 32), 0.2, band_limit=0.9)[0]
    mask = band_limit_mask((32, 32), dtype=torch.float64)
    wave = transmit(torch.ones_like(v), v, SIGMA, mask=mask)
    spectrum = torch.fft.fft2(wave)
    assert spectrum[mask == 0].abs().max() < 1e-12
    free = torch.fft.fft2(transmit(torch.ones_like(v), v, SIGMA))
    assert (spectrum - free)[mask == 1].abs().max() < 1e-11


def test_slices_may_come_from_a_generator_and_at_least_one_is_needed():
    atoms = random_atoms(10, (10.0, 10.0, 10.0))
    slices = project(atoms, (24, 20), 0.5, n_slices=4, slice_thickness=3.0)
    propagator = fresnel_propagator((24, 20), 0.5, 3.0, LAM)
    stacked = multislice(slices, SIGMA, propagator)
    streamed = multislice((s for s in slices), SIGMA, propagator)
    assert torch.equal(stacked, streamed)
    with pytest.raises(ValueError, match="at least one slice"):
        multislice([], SIGMA, propagator)


@pytest.mark.parametrize("batch", [(), (2,), (1, 2)])
def test_batch_of_specimens_is_a_loop_over_them(batch):
    count = math.prod(batch)
    each = [
        project(
            random_atoms(8, (10.0, 10.0, 9.0), seed=i), (20, 24), 0.5, n_slices=3, slice_thickness=3
        )
        for i in range(count)
    ]
    propagator = fresnel_propagator((20, 24), 0.5, 3.0, LAM)
    slices = torch.stack(each).reshape(*batch, 3, 20, 24)
    together = multislice(slices.unbind(-3), SIGMA, propagator)
    assert together.shape == (*batch, 20, 24)
    alone = torch.stack([multislice(s, SIGMA, propagator) for s in each])
    assert (together.reshape(alone.shape) - alone).abs().max() < 1e-14


def test_single_precision_keeps_five_digits_over_many_slices():
    atoms = random_atoms(60, (20.0, 20.0, 200.0), (6, 8), (30.0, 30.0))
    slices = project(atoms, (64, 64), 0.35, n_slices=50, slice_thickness=4.0)
    double = multislice(slices, SIGMA, fresnel_propagator((64, 64), 0.35, 4.0, LAM))
    single = multislice(
        slices.to(torch.float32),
        SIGMA.to(torch.float32),
        fresnel_propagator((64, 64), 0.35, 4.0, LAM, dtype=torch.float32),
    )
    assert single.dtype == torch.complex64
    assert (single - double).abs().max() < 1e-5


@pytest.mark.parametrize("contrast", [None, 0.2])
def test_without_gradients_the_result_is_the_same_and_the_inputs_are_left_alone(contrast):
    atoms = random_atoms(10, (10.0, 10.0, 10.0), (6, 26))
    slices = project(atoms, (24, 20), 0.5, n_slices=4, slice_thickness=3.0)
    contrast = None if contrast is None else torch.tensor(contrast, dtype=torch.float64)
    mask = band_limit_mask((24, 20), dtype=torch.float64)
    propagator = fresnel_propagator((24, 20), 0.5, 3.0, LAM)
    wave = torch.exp(1j * torch.linspace(0, 1, 20, dtype=torch.float64)).expand(24, 20).clone()
    inputs = (slices, propagator, wave, mask)
    copies = [each.clone() for each in inputs]
    with torch.enable_grad():
        expected = multislice(slices, SIGMA, propagator, wave, contrast, mask)
    with torch.no_grad():
        for _ in range(2):
            got = multislice(slices, SIGMA, propagator, wave, contrast, mask)
            torch.testing.assert_close(got, expected, rtol=1e-13, atol=1e-14)
    assert all(torch.equal(a, b) for a, b in zip(inputs, copies, strict=True))


def test_projection_of_one_slice_is_its_transmission_and_weak_phase_its_first_order():
    from difftem.functional.multislice import project

    v = torch.rand(2, 16, 16, dtype=torch.float64)
    sigma = torch.tensor(0.01, dtype=torch.float64)
    everything = torch.ones(16, 16, dtype=torch.float64)
    phase = sigma * v.sum(0)
    thin = project(v.unbind(0), sigma, everything)
    assert (thin - torch.exp(1j * phase)).abs().max() < 1e-14
    weak = project(v.unbind(0), sigma, everything, weak=True)
    assert (weak - (1 + 1j * phase)).abs().max() < 1e-14
    assert (thin - weak).abs().max() < 0.51 * phase.max() ** 2
    contrast = torch.tensor(0.3, dtype=torch.float64)
    absorbed = project(v.unbind(0), sigma, everything, contrast, weak=True)
    expected = 1 + 1j * phase * (0.91**0.5 + 0.3j)
    assert (absorbed - expected).abs().max() < 1e-14
