import math

import pytest
import scipy.stats
import torch

from difftem.functional.anscombe import anscombe, inverse_anscombe

MEANS = [0.0, 0.02, 0.3, 1.0, 2.5, 7.0, 20.0, 63.0, 65.0, 200.0, 5000.0]


def expected_value(mean):
    """Sum over the Poisson distribution, by scipy."""
    counts = torch.arange(int(mean + 14 * math.sqrt(mean) + 40), dtype=torch.float64)
    weight = torch.from_numpy(scipy.stats.poisson.pmf(counts.numpy(), mean))
    return (weight * anscombe(counts)).sum()


@pytest.mark.parametrize("mean", MEANS)
def test_the_inverse_gives_the_mean_of_counts(mean):
    assert inverse_anscombe(expected_value(mean)).item() == pytest.approx(mean, abs=2e-6)


@pytest.mark.parametrize("mean", [4.0, 20.0, 300.0])
def test_the_noise_of_stabilised_counts_has_variance_one(mean, generator):
    counts = torch.poisson(torch.full((400_000,), mean), generator)
    assert anscombe(counts).var().item() == pytest.approx(1, abs=0.03 if mean < 5 else 0.01)


def test_values_below_zero_counts_are_zero_counts():
    values = torch.tensor([-3.0, 0.0, 2 * math.sqrt(3 / 8)])
    assert inverse_anscombe(values).abs().max() < 1e-6
    assert anscombe(torch.tensor([-2.0, -0.375])).tolist() == [0.0, 0.0]


def test_the_inverse_keeps_type_and_shape_and_grows():
    values = torch.linspace(1.3, 40, 5000).view(50, 100)
    counts = inverse_anscombe(values)
    assert counts.shape == values.shape and counts.dtype == torch.float32
    assert (counts.flatten().diff() > 0).all()


def test_the_closed_form_in_common_use_errs_by_more_than_the_exact_inverse():
    d = expected_value(20.0)
    r = math.sqrt(3 / 2)
    closed = d**2 / 4 + r / (4 * d) - 11 / (8 * d**2) + 5 * r / (8 * d**3) - 1 / 8
    assert (closed - 20).item() == pytest.approx(0.018, abs=5e-4)
