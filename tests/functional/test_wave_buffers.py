import pytest
import torch

from difftem.functional.beam import interaction_constant, wavelength
from difftem.functional.multislice import fresnel_propagator, multislice, project, transmit
from difftem.functional.wave_buffers import Interaction, WaveBuffers

ENERGY = torch.tensor(200e3, dtype=torch.float64)
LAM, SIGMA = wavelength(ENERGY), interaction_constant(ENERGY)


@pytest.fixture
def slices(generator):
    real = 200 * torch.rand(5, 20, 24, generator=generator, dtype=torch.float64)
    return torch.complex(real, 0.2 * real.flip(-1))


def test_imaginary_potential_absorbs_exponentially(slices):
    v = slices[0]
    wave = transmit(torch.ones_like(v), v, SIGMA)
    torch.testing.assert_close(wave, torch.exp(1j * SIGMA * v), rtol=1e-13, atol=0)
    torch.testing.assert_close(wave.abs() ** 2, torch.exp(-2 * SIGMA * v.imag))


def test_potential_without_imaginary_part_is_a_real_one(slices):
    propagator = fresnel_propagator((20, 24), 0.5, 3.0, LAM)
    real = slices.real.contiguous()
    for enabled in (True, False):
        with torch.set_grad_enabled(enabled):
            plain = multislice(real, SIGMA, propagator)
            as_complex = multislice(real.to(torch.complex128), SIGMA, propagator)
        torch.testing.assert_close(as_complex, plain, rtol=1e-14, atol=1e-14)


@pytest.mark.parametrize("kind", [torch.complex64, torch.complex128])
def test_buffers_give_what_autograd_gives_and_leave_the_inputs_alone(slices, kind):
    propagator = fresnel_propagator((20, 24), 0.5, 3.0, LAM, dtype=kind.to_real())
    slices, sigma = slices.to(kind), SIGMA.to(kind.to_real())
    incident = torch.full((20, 24), 0.5 + 0.5j, dtype=kind)
    copies = slices.clone(), incident.clone()
    expected = multislice(slices, sigma, propagator, incident)
    with torch.no_grad():
        got = multislice(slices, sigma, propagator, incident)
    assert got.dtype == kind
    torch.testing.assert_close(got, expected, rtol=1e-5, atol=1e-6)
    assert torch.equal(slices, copies[0])
    assert torch.equal(incident, copies[1])


def test_amplitude_contrast_of_a_complex_potential_turns_its_phase(slices):
    contrast = torch.tensor(0.3, dtype=torch.float64)
    wave = transmit(torch.ones_like(slices[0]), slices[0], SIGMA, contrast)
    expected = torch.exp(1j * SIGMA * slices[0] * (0.91**0.5 + 0.3j))
    torch.testing.assert_close(wave, expected, rtol=1e-13, atol=0)


def test_projection_of_complex_slices_is_that_of_their_sum(slices):
    everything = torch.ones(20, 24, dtype=torch.float64)
    total = slices.sum(0)
    thin = project(slices.unbind(0), SIGMA, everything)
    assert (thin - torch.exp(1j * SIGMA * total)).abs().max() < 1e-13
    weak = project(slices.unbind(0), SIGMA, everything, weak=True)
    assert (weak - (1 + 1j * SIGMA * total)).abs().max() < 1e-13


def test_gradient_reaches_both_parts_of_the_potential(slices):
    propagator = fresnel_propagator((4, 5), 0.5, 3.0, LAM)
    small = slices[:2, :4, :5].clone().requires_grad_()

    def intensity(v):
        return multislice(v, SIGMA, propagator).abs() ** 2

    torch.autograd.gradcheck(intensity, (small,))


def test_wave_is_allocated_whole(poisoned_empty, slices):
    with torch.no_grad():
        buffers = WaveBuffers(torch.ones_like(slices[0]))
        wave = buffers.transmit(slices[0], Interaction(SIGMA))
        assert wave is buffers.wave
        assert wave.isfinite().all()
        assert buffers.propagate(fresnel_propagator((20, 24), 0.5, 3.0, LAM)).isfinite().all()


def test_free_space_without_band_limit_is_exact_in_two_steps():
    # A circular mask would remove the corners; without it P(a) P(b) = P(a + b) everywhere.
    first, second, both = (
        fresnel_propagator((9, 8), 0.5, d, LAM, band_limit=None) for d in (30.0, 12.0, 42.0)
    )
    assert (first * second - both).abs().max() < 1e-13
    torch.testing.assert_close(both.abs(), torch.ones(9, 8, dtype=torch.float64))
