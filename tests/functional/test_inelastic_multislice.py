import pytest
import torch

from difftem.functional.beam import interaction_constant, wavelength
from difftem.functional.grid import frequency_grid, radius
from difftem.functional.inelastic import (
    CARBON,
    AngularTransfer,
    angular_transfer,
    transferred_fraction,
)
from difftem.functional.inelastic_multislice import inelastic_multislice
from difftem.functional.multislice import fresnel_propagator, propagate

ENERGY = torch.tensor(200e3, dtype=torch.float64)
LAM, SIGMA = wavelength(ENERGY), interaction_constant(ENERGY)
PIXEL = 4.0
ALL = AngularTransfer(1.0, torch.ones(2).double(), torch.ones(()).double())  # all arrive, unblurred
DEFOCUS = torch.tensor(2e4, dtype=torch.float64)


@pytest.fixture
def slices(generator):
    """Three smooth absorbing slices in the middle of the band."""
    noise = torch.rand(2, 3, 24, 30, generator=generator, dtype=torch.float64)
    q = radius(frequency_grid((24, 30), 1.0, half=True))
    smooth = torch.fft.irfft2(torch.fft.rfft2(noise) * torch.exp(-((q / 0.08) ** 2)), s=(24, 30))
    return torch.complex(300 * smooth[0], 60 * smooth[1])


def run(slices, heights, transfer=ALL, defocus=DEFOCUS, **options):
    return inelastic_multislice(slices, heights, SIGMA, LAM, PIXEL, transfer, defocus, **options)


def intensity(wave):
    return wave.abs() ** 2


@pytest.mark.parametrize("enabled", [True, False])
def test_elastic_and_inelastic_electrons_are_all_that_came(slices, enabled):
    with torch.set_grad_enabled(enabled):
        wave, scattered = run(slices, [-300.0, 0.0, 450.0], band_limit=None)
    assert scattered.mean() > 0.05
    assert (intensity(wave) + scattered).mean().item() == pytest.approx(1, abs=1e-12)


def test_thin_object_conserves_electrons_in_every_pixel(slices):
    wave, scattered = run(slices[:1], [0.0])
    torch.testing.assert_close(intensity(wave) + scattered, torch.ones(24, 30).double())
    torch.testing.assert_close(intensity(wave), torch.exp(-2 * SIGMA * slices[0].imag))


def test_what_arrives_is_blurred_by_the_distance_to_the_plane_in_focus(slices):
    transfer = angular_transfer(CARBON, ENERGY, 8.3e-3, 3e4)
    _, scattered = run(slices[:1], [700.0], transfer)
    lost = 1 - torch.exp(-2 * SIGMA * slices[0].imag)
    q = radius(frequency_grid((24, 30), PIXEL))
    factor = transferred_fraction(transfer, 2 * torch.pi * q * (2e4 + 700))
    expected = torch.fft.ifft2(torch.fft.fft2(lost) * factor).real
    torch.testing.assert_close(scattered, expected, rtol=0, atol=1e-12)
    assert scattered.std() < 0.8 * transferred_fraction(transfer, q[0, 0]) * lost.std()


def test_wave_is_that_of_plain_multislice_in_the_plane_of_the_last_slice(slices):
    wave, _ = run(slices, [0.0, 500.0, 900.0])
    by_hand = torch.exp(1j * SIGMA * slices[0])
    for slice_, distance in ((slices[1], 500.0), (slices[2], 400.0)):
        step = fresnel_propagator((24, 30), PIXEL, distance, LAM)
        by_hand = propagate(by_hand, step) * torch.exp(1j * SIGMA * slice_)
    assert (wave - by_hand).abs().max() < 1e-12


def test_empty_planes_may_be_left_out(slices):
    empty = torch.zeros_like(slices[0])
    whole = run([slices[0], empty, slices[1]], [0.0, 400.0, 800.0], band_limit=None)
    short = run([slices[0], slices[1]], [0.0, 800.0], band_limit=None)
    for a, b in zip(whole, short, strict=True):
        torch.testing.assert_close(a, b, rtol=0, atol=1e-12)


def test_without_absorption_nothing_is_scattered_inelastically(slices):
    wave, scattered = run(slices.real, [0.0, 300.0, 600.0])
    assert scattered.abs().max() == 0
    assert intensity(wave).mean().item() == pytest.approx(1, abs=1e-6)


@pytest.mark.parametrize("enabled", [True, False])
def test_batches_of_specimens_and_defoci_broadcast(slices, enabled):
    transfer = angular_transfer(CARBON, ENERGY, 8.3e-3, 3e4)
    heights = [0.0, 300.0, 600.0]
    two = torch.stack([slices, slices.flip(-1)], 1)  # slice, specimen, y, x
    defoci = torch.tensor([[1e4], [2e4], [3e4]]).double()
    with torch.set_grad_enabled(enabled):
        wave, scattered = run(two, heights, transfer, defoci)
        assert wave.shape == (2, 24, 30)
        assert scattered.shape == (3, 2, 24, 30)
        _, one = run(two[:, 1], heights, transfer, defoci[2, 0])
    torch.testing.assert_close(scattered[2, 1], one, rtol=0, atol=1e-13)


def test_single_precision_stays_single(slices):
    wave, scattered = inelastic_multislice(
        slices.to(torch.complex64), [0.0, 1.0, 2.0], SIGMA.float(), LAM, PIXEL, ALL, DEFOCUS
    )
    assert (wave.dtype, scattered.dtype) == (torch.complex64, torch.float32)
    torch.testing.assert_close(scattered.double(), run(slices, [0.0, 1, 2])[1], rtol=0, atol=1e-6)


def test_gradient_reaches_the_potential_and_the_defocus(slices):
    transfer = angular_transfer(CARBON, ENERGY, 8.3e-3, 2e4)
    small = slices[:2, :4, :5].clone().requires_grad_()
    defocus = torch.tensor(1.23e4).double().requires_grad_()

    def image(v, defocus):
        wave, scattered = run(v, [0.0, 300.0], transfer, defocus)
        return intensity(wave) + scattered

    torch.autograd.gradcheck(image, (small, defocus), eps=1e-4, atol=1e-8)


def test_falling_heights_and_no_slices_are_refused(slices):
    with pytest.raises(ValueError, match="heights must rise along the beam, got 0"):
        run(slices[:2], [10.0, 0.0])
    with pytest.raises(ValueError, match="at least one slice"):
        run([], [])
