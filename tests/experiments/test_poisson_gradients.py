import pytest
import torch
import yaml

from difftem.functional.poisson import poisson_expectation
from experiments.poisson_gradients.estimators import exact
from experiments.poisson_gradients.nonquadratic import LOSSES, mean_gradients
from experiments.poisson_gradients.run import HERE, measure, setting

CONFIG = yaml.safe_load((HERE / "config.yaml").read_text("utf-8"))
SMALL = CONFIG | {"size": 24, "batches": 8, "samples": 20}


def test_exact_gradient_is_that_of_the_expected_loss(generator):
    rate, target, transfer = setting(SMALL | {"size": 8}, generator)
    draws = torch.poisson(rate.expand(20000, 8, 8), generator=generator)

    def loss(counts):
        return (
            (torch.fft.irfft2(torch.fft.rfft2(counts) * transfer) - target).square().sum((-2, -1))
        )

    # d/dλ E f(C) = E[f(C + 1) - f(C)], for one pixel.
    moved = draws.clone()
    moved[:, 3, 5] += 1
    differences = loss(moved) - loss(draws)
    error = float(differences.std() / len(draws) ** 0.5)
    assert abs(float(differences.mean() - exact(rate, target, transfer)[3, 5])) < 4 * error


def test_estimators_are_biased_or_not_as_the_table_says():
    found = measure(SMALL, 0)
    own = next(value for name, value in found.items() if "paper" in name)
    assert own["bias"] > 0.3
    assert 0.03 < found["straight_through"]["bias"] < 0.15
    for name in ("gaussian", "measure_valued"):
        assert found[name]["bias"] < 3 * found[name]["bias_limit"]
        assert found[name]["error"] < found["score_function_loo"]["error"] / 10


def test_sums_over_counts_know_the_quadratic_case_and_the_estimators(generator):
    square = mean_gradients(lambda c, t: (c - t).square(), 0.7)
    # E (C - t)² = λ + (λ - t)², t = 2 λ + 5: the derivative is 1 + 2 (λ - t).
    exact = 1 + 2 * (0.7 - 6.4)
    assert [square[k] for k in ("exact", "gaussian", "measure_valued")] == pytest.approx(
        [exact] * 3
    )
    assert square["straight_through"] == pytest.approx(exact - 1)
    loss = next(iter(LOSSES.values()))
    means = mean_gradients(loss, 0.3)
    for estimator in ("gaussian", "measure_valued", "straight_through"):
        rate = torch.full((300, 100), 0.3, dtype=torch.float64, requires_grad=True)
        poisson_expectation(
            lambda c: loss(c, 5.6).flatten(1).sum(1), rate, estimator, 20, generator
        ).backward()
        error = float(rate.grad.std() / rate.numel() ** 0.5)
        assert float(rate.grad.mean()) == pytest.approx(means[estimator], abs=5 * error)
