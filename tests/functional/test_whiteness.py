import math

import pytest
import torch
from scipy.stats import chi2, kstest

from difftem.functional.grid import frequency_grid, radius
from difftem.functional.mtf import apply_transfer
from difftem.functional.whiteness import ring_power, whiteness_test

SEEDS, N_RINGS = 600, 6


def all_tests(images, variance=1.0):
    return [whiteness_test(sums, variance) for sums in ring_power(images, N_RINGS)]


def gaussian_noise(generator):
    return torch.randn(SEEDS, 48, 47, generator=generator, dtype=torch.float64)


def counts(generator, electrons=4.0):
    rate = torch.full((SEEDS, 48, 47), electrons, dtype=torch.float64)
    return (torch.poisson(rate, generator=generator) - electrons) / math.sqrt(electrons)


@pytest.mark.parametrize("variance", [1.0, None])
@pytest.mark.parametrize("draw", [gaussian_noise, counts])
def test_one_in_twenty_white_images_is_rejected_at_5_percent(draw, variance, generator):
    p = torch.tensor([each.p_value for each in all_tests(draw(generator), variance)])
    for level in (0.05, 0.5):
        error = math.sqrt(level * (1 - level) / SEEDS)
        assert (p < level).double().mean().item() == pytest.approx(level, abs=3.5 * error)
    assert kstest(p.numpy(), "uniform").pvalue > 1e-3


def test_the_statistic_of_noise_has_the_mean_of_its_degrees_of_freedom(generator):
    for variance, freedom in ((1.0, N_RINGS + 1), (None, N_RINGS)):
        found = all_tests(gaussian_noise(generator), variance)
        assert {each.freedom for each in found} == {freedom}
        mean = sum(each.chi2 for each in found) / SEEDS
        assert mean == pytest.approx(freedom, abs=4 * math.sqrt(2 * freedom / SEEDS))
        one = found[0]
        assert one.p_value == pytest.approx(chi2.sf(one.chi2, one.freedom), rel=1e-9)


def test_a_spectrum_of_known_shape_is_rejected_and_its_deviation_found(generator):
    shape = (256, 256)
    noise = torch.randn(shape, generator=generator, dtype=torch.float64)
    half = radius(frequency_grid(shape, 1.0, half=True)) < 0.25
    found = whiteness_test(ring_power(apply_transfer(noise, torch.where(half, 0.8, 1.0)), 16))
    part = math.pi * 0.25**2  # of all frequencies has a power of 0.64
    expected = 0.36 * math.sqrt(part)
    # Twice 0.36 times the scatter of the mean power of those frequencies, over twice the root.
    error = 0.36 * 0.64 * math.sqrt(2 * part) / 256 / expected
    assert found.deviation == pytest.approx(expected, abs=4 * error)
    assert found.p_value < 1e-12


def test_the_level_counts_only_where_it_is_known(generator):
    noise = 1.05 * torch.randn(256, 256, generator=generator, dtype=torch.float64)
    sums = ring_power(noise, 16)
    assert whiteness_test(sums).p_value < 1e-6
    assert whiteness_test(sums).deviation == pytest.approx(0.1025, abs=0.02)
    assert whiteness_test(sums, None).p_value > 0.01
    assert whiteness_test(sums, 1.1025).p_value > 0.01


def test_rings_hold_all_of_the_power_but_the_mean(generator):
    image = 3 + torch.randn(2, 30, 41, generator=generator, dtype=torch.float64)
    sums = ring_power(image, 5)
    assert sums[:, 1].sum(-1).tolist() == [30 * 41 - 1] * 2
    power = image.var((-2, -1), correction=0) * 30 * 41
    torch.testing.assert_close(sums[:, 0].sum(-1), power)


def test_nothing_left_is_no_noise():
    found = whiteness_test(ring_power(torch.zeros(32, 32), 4))
    assert math.isinf(found.chi2)
    assert found.p_value == 0
    with pytest.raises(ValueError, match="variance must be positive, got 0"):
        whiteness_test(ring_power(torch.zeros(32, 32), 4), 0.0)
