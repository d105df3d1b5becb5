import math

import pytest
import torch

from difftem.functional.faded_rings import faded_correlation, faded_products
from difftem.functional.fourier_ring import (
    agreed_frequency,
    ring_correlation,
    ring_frequencies,
    ring_products,
)
from difftem.functional.grid import frequency_grid, radius
from difftem.functional.mtf import apply_transfer


def field(generator, n, power):
    q = radius(frequency_grid((n, n), 1.0, half=True))
    return apply_transfer(
        torch.randn(n, n, generator=generator, dtype=torch.float64), power(q).sqrt()
    )


def ssnr(q):
    return 6 * torch.exp(-((q / 0.15) ** 2))


def test_a_crop_has_the_correlation_of_its_ssnr(generator):
    signal = field(generator, 1024, ssnr)[:600, 200:900]
    halves = signal + torch.randn(2, 600, 700, generator=generator, dtype=torch.float64)
    found = faded_correlation(faded_products(halves[0], halves[1], 32))
    known = ssnr(ring_frequencies(32))
    assert (found - known / (1 + known))[2:].abs().max() < 0.05
    against = faded_correlation(faded_products(halves[0], signal, 32))
    there = known > 1e-3
    assert (against - torch.sqrt(known / (1 + known)))[2:][there[2:]].abs().max() < 0.05


def test_a_smooth_estimate_of_a_smooth_crop_agrees_as_far_as_its_noise_says(generator):
    def steep(q):
        return 1e4 * torch.exp(-((q / 0.02) ** 2))

    n = 256
    truth = field(generator, 512, steep)[:n, :n]
    noisy = truth + torch.randn(n, n, generator=generator, dtype=torch.float64)
    q = radius(frequency_grid((n, n), 1.0, half=True))
    estimate = apply_transfer(noisy, torch.exp(-0.5 * (q / 0.05) ** 2))
    found = agreed_frequency(faded_correlation(faded_products(estimate, truth, 32)))
    # sqrt(SSNR / (1 + SSNR)) = 0.5 at an SSNR of 1/3.
    assert found == pytest.approx(0.02 * math.sqrt(math.log(3e4)), abs=0.008)
    periodic = agreed_frequency(ring_correlation(ring_products(estimate, truth, 32)))
    assert periodic > 0.09  # edges: an agreement that is none


def test_batches_and_sums_are_as_those_of_single_images(generator):
    a, b = torch.randn(2, 3, 2, 40, 44, generator=generator)
    found = faded_products(a, b, 5)
    assert found.shape == (3, 2, 4, 5)
    torch.testing.assert_close(found[1, 0], faded_products(a[1, 0], b[1, 0], 5))
    assert faded_correlation(found).shape == (3, 2, 5)


def test_rings_with_nothing_have_no_correlation(generator):
    a = torch.randn(64, 64, generator=generator, dtype=torch.float64)
    assert faded_correlation(faded_products(1e-4 * a, a, 8)).tolist() == [0] * 8
    assert faded_correlation(faded_products(1e-2 * a, a, 8)).tolist() == pytest.approx([1] * 8)
