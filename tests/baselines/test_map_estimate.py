import math

import pytest
import torch

from difftem.baselines.average import average
from difftem.baselines.map_estimate import _are_counts, _best_weight, maximum_a_posteriori
from difftem.functional.image_error import normalised_error
from difftem.functional.wiener import wiener_estimate

ELECTRONS = 10.0


def discs(size=72):
    y, x = torch.meshgrid(*[torch.arange(float(size))] * 2, indexing="ij")
    rate = torch.full((size, size), ELECTRONS)
    for row, column, radius in ((20, 24, 12), (50, 44, 16)):
        rate[(y - row) ** 2 + (x - column) ** 2 < radius**2] = 0.75 * ELECTRONS
    return rate


def exposures(rate, n, generator):
    counts = torch.poisson(rate.expand(n, *rate.shape), generator=generator)
    return (counts - ELECTRONS) / math.sqrt(ELECTRONS)


@pytest.mark.parametrize("n", [1, 3])
def test_edges_are_found_better_than_by_any_wiener_filter(generator, n):
    x = exposures(discs(), n, generator)
    truth = (discs() - ELECTRONS) / math.sqrt(ELECTRONS)
    error = normalised_error(maximum_a_posteriori(x, ELECTRONS, generator), truth)
    wiener = normalised_error(wiener_estimate(x.mean(0) * math.sqrt(n)) / math.sqrt(n), truth)
    assert float(error) < 0.7 * float(wiener)


def test_the_weight_that_halves_choose_is_nearly_the_best(generator):
    x = exposures(discs(), 1, generator)
    truth = (discs() - ELECTRONS) / math.sqrt(ELECTRONS)

    def error(weight=None):
        estimate = maximum_a_posteriori(x, ELECTRONS, generator, weight=weight)
        return float(normalised_error(estimate, truth))

    best = min(error(weight) for weight in (0.5, 0.7, 0.85, 1.0, 1.2, 1.5, 2.0))
    assert error() < 1.1 * best
    assert error(0.2) > 2 * best


def test_noise_alone_becomes_flat(generator):
    x = exposures(torch.full((48, 48), ELECTRONS), 1, generator)
    assert maximum_a_posteriori(x, ELECTRONS, generator).std() < 0.03


def test_limits_of_the_weight_are_the_average_and_the_mean(generator):
    x = exposures(discs(40), 2, generator)
    nothing = maximum_a_posteriori(x, ELECTRONS, weight=0.0)
    torch.testing.assert_close(nothing, average(x, ELECTRONS), atol=1e-3, rtol=0)
    flat = maximum_a_posteriori(x, ELECTRONS, weight=30.0)
    assert flat.std() < 0.01
    assert float(flat.mean()) == pytest.approx(float(x.mean()), abs=0.01)


def test_counts_and_other_noise_are_told_apart_and_both_are_denoised(generator):
    counts = exposures(discs(), 1, generator)[0]
    assert _are_counts(counts, ELECTRONS)
    assert _are_counts(1.003 * counts, ELECTRONS)  # a level that is a little off
    truth = (discs() - ELECTRONS) / math.sqrt(ELECTRONS)
    read_out = truth + torch.randn(truth.shape, generator=generator)
    assert not _are_counts(read_out, 4.0)
    assert 0.5 < _best_weight(read_out, 4.0, False, generator) < 2
    error = normalised_error(maximum_a_posteriori(read_out[None], 4.0, generator), truth)
    assert float(error) < 0.7 * float(normalised_error(wiener_estimate(read_out), truth))
