import math

import pytest
import torch

from difftem.functional.inverse_gaussian import sample_inverse_gaussian


@pytest.mark.parametrize(("mu", "variance"), [(1.0, 0.1), (22.0, 33.0), (0.3, 2.0)])
def test_mean_variance_and_distribution(generator, mu, variance):
    n = 200_000
    mean = torch.full((n,), mu, dtype=torch.float64)
    x = sample_inverse_gaussian(mean, torch.tensor(variance, dtype=torch.float64), generator)
    assert bool((x > 0).all())
    assert abs(float(x.mean()) - mu) < 4 * math.sqrt(variance / n)
    shape = mu**3 / variance
    kurtosis = 15 * mu / shape  # excess
    assert float(x.var()) == pytest.approx(variance, rel=4 * math.sqrt((2 + kurtosis) / n))
    # Chhikara & Folks: the distribution function in terms of the normal one.
    points = mu * torch.tensor([0.3, 0.7, 1.0, 1.6, 3.0], dtype=torch.float64)
    root = (shape / points).sqrt()
    normal = torch.special.ndtr
    expected = normal(root * (points / mu - 1)) + torch.exp(
        2 * shape / mu + torch.special.log_ndtr(-root * (points / mu + 1))
    )
    got = (x[:, None] <= points).double().mean(0)
    assert float((got - expected).abs().max()) < 4 * 0.5 / math.sqrt(n)


def test_nothing_stays_nothing_and_no_variance_changes_nothing(generator):
    mean = torch.tensor([0.0, 5.0, 7.0])
    got = sample_inverse_gaussian(mean, torch.tensor([1.0, 0.0, 1e-7]), generator)
    assert got.tolist() == mean.tolist()


def test_the_same_seed_draws_the_same():
    mean = torch.full((10,), 3.0)
    draws = [
        sample_inverse_gaussian(mean, torch.tensor(2.0), torch.Generator().manual_seed(5))
        for _ in range(2)
    ]
    assert torch.equal(*draws)
