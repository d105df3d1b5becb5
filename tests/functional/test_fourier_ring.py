import math

import pytest
import torch

from difftem.functional.fourier_ring import (
    agreed_frequency,
    ring_correlation,
    ring_frequencies,
    ring_products,
)
from difftem.functional.grid import frequency_grid, radius
from difftem.functional.mtf import apply_transfer


def known_ssnr(q):
    """Ratio of signal power to noise power of the images below."""
    return 8 * torch.exp(-((q / 0.15) ** 2))


def signal_and_halves(generator, shape=(1024, 960)):
    """Signal with a known spectrum, and two images of it with independent white noise."""
    q = radius(frequency_grid(shape, 1.0, half=True)).float()
    signal = apply_transfer(torch.randn(shape, generator=generator), known_ssnr(q).sqrt())
    return signal, signal + torch.randn(2, *shape, generator=generator)


def frc(a, b, n_rings=40):
    return ring_correlation(ring_products(a, b, n_rings))


def test_halves_correlate_by_their_ssnr_and_an_image_with_its_truth_by_the_root(generator):
    signal, halves = signal_and_halves(generator)
    ssnr = known_ssnr(ring_frequencies(40))
    expected = ssnr / (1 + ssnr)
    assert (frc(halves[0], halves[1]) - expected)[2:].abs().max() < 0.03
    assert (frc(halves[0], signal) - expected.sqrt())[2:].abs().max() < 0.03


def test_the_frequency_is_where_the_known_ssnr_says(generator):
    signal, halves = signal_and_halves(generator)
    half = agreed_frequency(frc(halves[0], halves[1]), 0.5)
    assert half == pytest.approx(0.15 * math.sqrt(math.log(8)), abs=0.004)
    seventh = agreed_frequency(frc(halves[0], halves[1]), 0.143)
    ssnr = 0.143 / (1 - 0.143)
    assert seventh == pytest.approx(0.15 * math.sqrt(math.log(8 / ssnr)), abs=0.006)
    # Against the truth, sqrt(SSNR / (1 + SSNR)) = 0.5 at SSNR = 1/3.
    truth = agreed_frequency(frc(halves[0], signal), 0.5)
    assert truth == pytest.approx(0.15 * math.sqrt(math.log(8 * 3)), abs=0.006)


def test_rings_hold_the_power_below_nyquist_without_the_mean(generator):
    shape = (48, 63)
    q = radius(frequency_grid(shape, 1.0, half=True)).float()
    image = apply_transfer(torch.randn(shape, generator=generator), (q < 0.5).float())
    _, power, other = ring_products(image, image + 7, 13)
    assert power.sum().item() == pytest.approx(image.double().var(correction=0).item(), rel=1e-5)
    assert other.tolist() == pytest.approx(power.tolist(), rel=1e-4)


def test_an_image_agrees_with_itself_everywhere_and_with_its_negative_nowhere(generator):
    image = torch.randn(2, 40, 50, generator=generator)
    assert frc(image, 3 * image, 8).flatten().tolist() == pytest.approx([1] * 16)
    assert agreed_frequency(frc(image[0], image[0], 8)) == 0.5
    assert frc(image, -image, 8).flatten().tolist() == pytest.approx([-1] * 16)
    assert agreed_frequency(frc(image[0], -image[0], 8)) == 0
    assert frc(image, torch.zeros_like(image), 8).flatten().tolist() == [0] * 16


def test_a_zero_of_the_transfer_function_does_not_end_the_search():
    curve = torch.tensor([0.9, 0.1, 0.7, 0.3, 0.1])
    assert agreed_frequency(curve, 0.5) == pytest.approx(0.3)
