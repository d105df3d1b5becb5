import pytest
import torch

from difftem.functional.grid import frequency_grid, radius
from difftem.functional.mtf import apply_transfer, lorentzians
from difftem.functional.poisson import (
    ESTIMATORS,
    PATHWISE,
    poisson_expectation,
    sample_poisson,
)

SHAPE = (6, 7)
UNBIASED = [name for name in ESTIMATORS if name != "straight_through"]


@pytest.fixture
def problem():
    """Quadratic loss through a blur, its rate, the analytic gradient and |h|²."""
    parameters = (torch.tensor(v, dtype=torch.float64) for v in (0.7, 0.2, 0.1, 10.0, 40.0))
    transfer = lorentzians(radius(frequency_grid(SHAPE, 1.0, half=True)), *parameters)
    y, x = (torch.arange(n, dtype=torch.float64) for n in SHAPE)
    rate = 5 + 2 * torch.cos(y)[:, None] + torch.sin(x)
    target = 5 + torch.cos(x + y[:, None])

    def loss(counts):
        return (apply_transfer(counts, transfer) - target).pow(2).flatten(-2).sum(-1)

    point = torch.zeros(SHAPE, dtype=torch.float64)
    point[0, 0] = 1
    h2 = apply_transfer(point, transfer).pow(2).sum().item()
    residual = apply_transfer(rate, transfer) - target
    # E |h * C - t|² = |h * λ - t|² + |h|² Σ λ
    biased = 2 * apply_transfer(residual, transfer)
    return loss, rate, biased + h2, h2


@pytest.mark.parametrize("rate", [0.05, 1.0, 30.0])
def test_counts_have_the_mean_and_the_variance_of_the_rate(rate, generator):
    n = 200_000
    counts = sample_poisson(torch.full((n,), rate), "gaussian", generator).double()
    assert (counts == counts.round()).all()
    # 5 standard errors; the variance of the sample variance is (m4 - m2²)/n = (λ + 2 λ²)/n.
    assert counts.mean().item() == pytest.approx(rate, abs=5 * (rate / n) ** 0.5)
    variance_error = ((rate + 2 * rate**2) / n) ** 0.5
    assert counts.var().item() == pytest.approx(rate, abs=5 * variance_error)


def test_same_generator_state_draws_the_same_counts():
    rate = torch.full((50,), 4.0)
    draws = [sample_poisson(rate, "gaussian", torch.Generator().manual_seed(s)) for s in (1, 1, 2)]
    assert torch.equal(draws[0], draws[1])
    assert not torch.equal(draws[0], draws[2])


@pytest.mark.parametrize("estimator", PATHWISE)
def test_pathwise_derivative_is_the_stated_one(estimator, generator):
    rate = torch.tensor([0.0, 0.5, 3.0, 40.0], dtype=torch.float64, requires_grad=True)
    counts = sample_poisson(rate, estimator, generator)
    counts.sum().backward()
    expected = torch.ones(4, dtype=torch.float64)
    if estimator == "gaussian":
        expected[1:] += (counts[1:] - rate[1:]).detach() / (2 * rate[1:].detach())
    torch.testing.assert_close(rate.grad, expected)


def gradients(problem, estimator, n_batches, n_samples, seed=0):
    loss, rate, _, _ = problem
    generator = torch.Generator().manual_seed(seed)
    result = []
    for _ in range(n_batches):
        leaf = rate.clone().requires_grad_()
        poisson_expectation(loss, leaf, estimator, n_samples, generator).backward()
        result.append(leaf.grad)
    return torch.stack(result)


@pytest.mark.parametrize("estimator", UNBIASED)
def test_mean_gradient_is_the_analytic_one(estimator, problem):
    batches = gradients(problem, estimator, 100, 60)
    error = batches.mean(0) - problem[2]
    standard_error = batches.std(0) / 100**0.5
    assert (error.abs() < 5 * standard_error).all()
    # All pixels together: chi-square of 42 has mean 42 and deviation 9.2.
    chi2 = (error / standard_error).pow(2).sum().item()
    assert chi2 < 42 + 5 * 9.2
    # The sum over the pixels is known more precisely.
    total = batches.sum((-2, -1))
    difference = total.mean() - problem[2].sum()
    assert difference.abs() < 5 * total.std() / 100**0.5


def test_straight_through_misses_exactly_the_variance_term(problem):
    batches = gradients(problem, "straight_through", 100, 60)
    missing = problem[2].sum() - batches.sum((-2, -1)).mean()
    standard_error = (batches.sum((-2, -1)).std() / 100**0.5).item()
    expected = problem[3] * 42
    assert missing.item() == pytest.approx(expected, abs=5 * standard_error)
    assert expected > 20 * standard_error  # it is seen


def test_leave_one_out_lowers_the_variance_of_the_score_function(problem):
    plain = gradients(problem, "score_function", 60, 10).var(0).mean()
    baseline = gradients(problem, "score_function_loo", 60, 10).var(0).mean()
    pathwise = gradients(problem, "gaussian", 60, 10).var(0).mean()
    assert baseline < plain / 5
    assert pathwise < baseline / 5


def test_value_is_the_mean_loss_for_every_estimator(problem):
    loss, rate, _, _ = problem
    values = []
    for estimator in ESTIMATORS:
        generator = torch.Generator().manual_seed(3)
        values.append(poisson_expectation(loss, rate, estimator, 4, generator).item())
    # The same counts are drawn first by all.
    assert values == pytest.approx([values[0]] * len(values), rel=1e-12)


def test_gradient_reaches_what_else_the_loss_depends_on(generator):
    rate = torch.full((3, 3), 2.0)
    for estimator in ESTIMATORS:
        scale = torch.tensor(2.0, requires_grad=True)

        def loss(counts, scale=scale):
            return (scale * counts).flatten(1).sum(1)

        poisson_expectation(loss, rate, estimator, 5, generator).backward()
        assert scale.grad > 0


def test_impossible_requests_are_refused():
    rate = torch.ones(2, 2)

    def loss(counts):
        return counts.flatten(1).sum(1)

    with pytest.raises(ValueError, match=r"must be one of gaussian.*'reinforce'"):
        poisson_expectation(loss, rate, "reinforce")
    with pytest.raises(ValueError, match="needs at least 2 samples, got 1"):
        poisson_expectation(loss, rate, "score_function_loo", 1)
    with pytest.raises(ValueError, match="use poisson_expectation"):
        sample_poisson(rate, "score_function")


def anscombe(counts):
    """Squared distance of stabilised counts, which a negative count has none of."""
    return (2 * torch.sqrt(counts + 3 / 8) - 5.0).square().flatten(1).sum(1)


def exact_derivative(loss, rate):
    """Sum over the counts of one pixel: E f(C + 1) - E f(C)."""
    counts = torch.arange(0, 120, dtype=torch.float64)
    weight = torch.exp(torch.xlogy(counts, torch.tensor(rate)) - rate - torch.lgamma(counts + 1))
    values = loss(torch.arange(0, 121, dtype=torch.float64)[:, None])
    return float((weight * values.diff()).sum())


@pytest.mark.parametrize(
    ("rate", "error"),  # of a loss whose slope falls from -12 at 0 to 0 at 6
    [(0.0, 0.1), (0.05, 0.1), (1.0, 0.25), (6.0, 0.04)],
)
def test_finite_differences_step_up_from_zero(rate, error, generator):
    leaf = torch.full((400, 50), rate, dtype=torch.float64, requires_grad=True)
    poisson_expectation(anscombe, leaf, "measure_valued", 20, generator).backward()
    assert leaf.grad.isfinite().all()
    exact = exact_derivative(anscombe, rate)
    assert leaf.grad.mean().item() == pytest.approx(exact, abs=error)


@pytest.mark.parametrize("estimator", ["gaussian", "score_function", "score_function_loo"])
def test_a_rate_of_zero_has_a_finite_and_right_gradient(estimator, generator):
    leaf = torch.zeros(30, 20, dtype=torch.float64, requires_grad=True)
    poisson_expectation(anscombe, leaf, estimator, 200, generator).backward()
    exact = exact_derivative(anscombe, 0.0)
    assert leaf.grad.isfinite().all()
    assert leaf.grad.mean().item() == pytest.approx(exact, rel=0.02)


@pytest.mark.parametrize("estimator", ["gaussian", "measure_valued", "score_function_loo"])
def test_rates_of_zero_among_others_keep_the_gradient_unbiased_through_a_blur(estimator, problem):
    loss, rate, _, h2 = problem
    rate = rate.clone()
    rate[::2, 1::2] = 0.0
    (residual_slope,) = torch.autograd.grad(
        loss(leaf := rate.clone()[None].requires_grad_()).sum(), leaf
    )
    exact = residual_slope[0] + h2
    batches = gradients((loss, rate, None, None), estimator, 60, 40)
    error = (batches.mean(0) - exact) / (batches.std(0) / 60**0.5)
    assert batches.isfinite().all()
    assert error.abs().max() < 5
    assert error.pow(2).sum().item() < 42 + 5 * 9.2


@pytest.mark.parametrize("estimator", PATHWISE)
def test_a_layer_of_empty_pixels_has_the_losss_own_slope(estimator, generator):
    rate = torch.zeros(5, 5, requires_grad=True)
    anscombe(sample_poisson(rate, estimator, generator)[None]).sum().backward()
    slope = 2 * (2 * (3 / 8) ** 0.5 - 5) / (3 / 8) ** 0.5
    torch.testing.assert_close(rate.grad, torch.full((5, 5), slope))
