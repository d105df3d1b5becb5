import math

import pytest
import torch

from difftem.analysis.held_out import (
    ICE,
    LOW,
    TOTAL,
    band_masks,
    banded_log_likelihood,
    held_out_log_likelihood,
)
from difftem.functional.count_split import split_whitened


def wave(n, order, amplitude):
    x = torch.arange(n, dtype=torch.float64) / n
    return (amplitude * torch.cos(2 * math.pi * order * x)).expand(n, n)


def test_bands_are_the_whole_plane_once_and_ice_is_apart():
    masks = band_masks((48, 50), 0.8)
    assert list(masks) == ["below 0.03", "0.03-0.15", "above 0.15", ICE]
    count = torch.stack([mask.long() for mask in masks.values()]).sum(0)
    assert bool((count == 1).all())
    assert list(band_masks((48, 50), None)) == ["below 0.03", "0.03-0.15", "above 0.15"]
    # At 4 Å a pixel the ring lies beyond the corner of the plane.
    assert not bool(band_masks((48, 50), 4.0)[ICE].any())


def test_a_known_wave_scores_what_its_power_says_in_its_own_band(generator):
    # E sum(e (2b - e)) / 2 with e the truth is half of its power: a²/4 per pixel.
    n, amplitude = 256, 0.5
    held_out = wave(n, 24, amplitude) + torch.randn(n, n, generator=generator, dtype=torch.float64)
    score = banded_log_likelihood(wave(n, 24, amplitude), held_out, band_masks((n, n), None), 64)
    expected = 1000 * amplitude**2 / 4
    error = 1000 * math.sqrt(amplitude**2 / 2) / n
    assert score.value("0.03-0.15") == pytest.approx(expected, abs=4 * error)
    assert score.value(LOW) == pytest.approx(score.value("0.03-0.15"), abs=1e-9)
    assert score.value("above 0.15") == pytest.approx(0, abs=1e-9)
    assert 0.5 * error < score.error(LOW) < 2 * error


def test_the_bands_add_up_to_the_total(generator):
    estimate, held_out = torch.randn(2, 96, 96, generator=generator, dtype=torch.float64)
    score = banded_log_likelihood(estimate, held_out, band_masks((96, 96), 0.7), 96)
    direct = 1000 * (held_out**2 - (held_out - estimate) ** 2).mean() / 2
    bands = [score.value(name) for name in ("below 0.03", "0.03-0.15", "above 0.15", ICE)]
    assert score.value(TOTAL) == pytest.approx(float(direct), rel=1e-12)
    assert sum(bands) == pytest.approx(float(direct), rel=1e-9)


def test_the_poisson_likelihood_is_that_of_the_distribution(generator):
    electrons, n = 6.0, 64
    rate = electrons * (1 + 0.3 * torch.rand(n, n, generator=generator, dtype=torch.float64))
    counts = torch.poisson(rate, generator=generator)
    score = held_out_log_likelihood(
        (rate - electrons) / math.sqrt(electrons),
        (counts - electrons) / math.sqrt(electrons),
        electrons,
        32,
    )
    poisson = torch.distributions.Poisson
    mean = poisson(torch.full_like(rate, electrons))
    expected = 1000 * (poisson(rate).log_prob(counts) - mean.log_prob(counts))
    assert score.value() == pytest.approx(float(expected.mean()), rel=1e-9)
    assert len(score.blocks[TOTAL]) == 4


def test_many_electrons_make_the_poisson_likelihood_gaussian(generator):
    truth = wave(128, 5, 0.4)
    held_out = truth + torch.randn(128, 128, generator=generator, dtype=torch.float64)
    gauss = banded_log_likelihood(truth, held_out, {}, 64)
    poisson = held_out_log_likelihood(truth, held_out, 1e8, 64)
    assert poisson.value() == pytest.approx(gauss.value(), rel=1e-3)


def test_the_truth_beats_its_double_and_nothing_scores_zero(generator):
    truth = wave(128, 5, 0.8)
    parts = split_whitened(truth + torch.randn(128, 128, generator=generator), 0.5, generator)
    masks = band_masks((128, 128), None)
    part = truth * math.sqrt(0.5)
    good, double, none = (
        banded_log_likelihood(scale * part, parts.held_out, masks, 32) for scale in (1, 2, 0)
    )
    assert none.value() == 0
    gain = good.above(double)
    # |b - 2s|² - |b - s|² is s² on average.
    assert gain.value() == pytest.approx(1000 * 0.08, abs=4 * gain.error())
    assert gain.value() > 4 * gain.error()


def test_an_estimate_without_light_costs_a_finite_price():
    score = held_out_log_likelihood(torch.full((32, 32), -9.0), torch.zeros(32, 32), 4.0, 32)
    assert score.value() == pytest.approx(1000 * 4 * (math.log(0.01) + 0.99), rel=1e-9)


@pytest.mark.parametrize(
    ("shape", "block", "message"),
    [((32, 31), 8, "must have one shape"), ((32, 32), 33, "between 1 and the image's 32 pixels")],
)
def test_what_cannot_be_compared_is_refused(shape, block, message):
    with pytest.raises(ValueError, match=message):
        banded_log_likelihood(torch.zeros(shape), torch.zeros(32, 32), {}, block)
