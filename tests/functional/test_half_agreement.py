import math

import pytest
import torch

from difftem.functional.fourier_ring import ring_frequencies
from difftem.functional.grid import frequency_grid, radius
from difftem.functional.half_agreement import half_agreement, half_products
from difftem.functional.image_error import correlation
from difftem.functional.mtf import apply_transfer
from difftem.functional.whiteness import ring_power

SHAPE, RINGS = (512, 480), 24
Q = radius(frequency_grid(SHAPE, 1.0, half=True))


def known_ssnr(q):
    """Ratio of signal power to noise power in the halves below."""
    return 4 * torch.exp(-((q / 0.15) ** 2))


def signal_and_halves(generator):
    white = torch.randn(SHAPE, generator=generator, dtype=torch.float64)
    signal = apply_transfer(white, known_ssnr(Q).sqrt())
    return signal, signal + torch.randn(2, *SHAPE, generator=generator, dtype=torch.float64)


def test_a_filter_leaves_the_correlations_that_the_ssnr_gives(generator):
    signal, halves = signal_and_halves(generator)
    gain = known_ssnr(Q) / (1 + known_ssnr(Q))  # Wiener's
    denoised = [apply_transfer(half, gain) for half in halves]
    found = half_agreement(half_products(*denoised, *halves, RINGS))
    ssnr = known_ssnr(ring_frequencies(RINGS))
    for curve in (found.denoised, found.with_raw, found.raw):
        assert (curve - ssnr / (1 + ssnr))[2:].abs().max() < 0.04
    # With g = S / (1 + S) the squared correlation is sum(g S) / sum(S).
    known = math.sqrt(float((gain * known_ssnr(Q)).sum() / known_ssnr(Q).sum()))
    assert found.correlation == pytest.approx(known, abs=0.015)
    assert found.correlation == pytest.approx(correlation(denoised[0], signal).item(), abs=0.015)


def test_the_truth_in_place_of_the_denoised_halves_correlates_by_the_root(generator):
    signal, halves = signal_and_halves(generator)
    found = half_agreement(half_products(signal, signal, *halves, RINGS))
    ssnr = known_ssnr(ring_frequencies(RINGS))
    assert found.denoised.tolist() == pytest.approx([1] * RINGS)
    assert (found.with_raw - torch.sqrt(ssnr / (1 + ssnr)))[2:].abs().max() < 0.04
    assert found.correlation == pytest.approx(1, abs=0.01)


def test_what_is_drawn_whatever_the_data_agrees_with_itself_only(generator):
    _, halves = signal_and_halves(generator)
    drawn = torch.randn(SHAPE, generator=generator, dtype=torch.float64)
    found = half_agreement(half_products(drawn, drawn, *halves, RINGS))
    assert found.denoised.min().item() > 0.999
    ordinates = ring_power(drawn, RINGS)[1, :-1]
    assert (found.with_raw * ordinates.sqrt()).abs().max().item() < 4  # chance
    assert abs(found.correlation) < 0.01


def test_rounding_errors_of_a_low_pass_are_no_agreement(generator):
    _, halves = signal_and_halves(generator)
    low = [apply_transfer(half.float(), (Q < 0.2).float()) for half in halves]
    found = half_agreement(half_products(*low, *halves, RINGS))
    beyond = ring_frequencies(RINGS) > 0.23
    assert found.denoised[beyond].tolist() == found.with_raw[beyond].tolist()
    assert found.denoised[beyond].abs().max().item() == 0


def test_halves_without_a_common_signal_have_no_correlation_with_it():
    a = torch.randn(32, 32)
    assert math.isnan(half_agreement(half_products(a, a, a, -a, 4)).correlation)
