import math

import pytest
import scipy.optimize
import torch

from difftem.functional.total_variation import (
    differences,
    differences_transposed,
    gaussian_proximal,
    poisson_proximal,
    smoothed_by_total_variation,
    total_variation,
)

ELECTRONS = 6.0
ROOT = math.sqrt(ELECTRONS)


def whitened(rate, generator):
    counts = torch.poisson(rate, generator=generator).double()
    return (counts - ELECTRONS) / ROOT


def smooth(values, weight, *, gaussian=False, iterations=800):
    proximal = gaussian_proximal(values) if gaussian else poisson_proximal(values, ELECTRONS)
    return smoothed_by_total_variation(
        proximal, weight, torch.zeros_like(values), iterations, tolerance=1e-7
    )


def poisson_cost(image, values):
    rate, counts = ELECTRONS + ROOT * image, ELECTRONS + ROOT * values
    return (rate - torch.xlogy(counts, rate)).sum()


def test_differences_and_their_transpose_are_adjoint(generator):
    image, slopes = torch.rand(5, 7, generator=generator), torch.rand(2, 5, 7, generator=generator)
    left = (differences(image) * slopes).sum()
    assert float(left) == pytest.approx(float((image * differences_transposed(slopes)).sum()))
    step = torch.zeros(4, 6)
    step[:, 3:] = 2.0
    assert float(total_variation(step)) == 8.0


def test_the_proximal_map_minimises_likelihood_and_distance(generator):
    values = whitened(torch.tensor([[0.3, 2.0, 6.0, 20.0]]), generator)
    start = torch.tensor([[-3.0, 0.5, 4.0, 1.0]], dtype=torch.float64)
    for step in (0.3, 1.0, 5.0):
        found = poisson_proximal(values, ELECTRONS)(start, step)
        for x, v, e in zip(values[0].tolist(), start[0].tolist(), found[0].tolist(), strict=True):

            def cost(e, x=x, v=v, step=step):
                image, value = torch.tensor([e]), torch.tensor([x])
                return float(poisson_cost(image.double(), value.double())) + (e - v) ** 2 / 2 / step

            best = scipy.optimize.minimize_scalar(cost, bounds=(-ROOT, 20), method="bounded")
            assert e == pytest.approx(best.x, abs=2e-4)


@pytest.mark.parametrize("gaussian", [True, False])
def test_two_plateaus_move_towards_each_other_as_calculus_says(gaussian):
    rate = torch.full((1, 12), 4.0, dtype=torch.float64)
    rate[:, 8:] = 9.0
    weight = 1.5
    found = smooth((rate - ELECTRONS) / ROOT, weight, gaussian=gaussian)
    # d/dλ of 8 (λ - 4 ln λ) and 4 (λ - 9 ln λ) is ± w / sqrt(m), whatever the level.
    if gaussian:
        low, high = (4 - ELECTRONS) / ROOT + weight / 8, (9 - ELECTRONS) / ROOT - weight / 4
    else:
        rates = 4 / (1 - weight / ROOT / 8), 9 / (1 + weight / ROOT / 4)
        low, high = ((each - ELECTRONS) / ROOT for each in rates)
    expected = torch.tensor([[low] * 8 + [high] * 4], dtype=torch.float64)
    torch.testing.assert_close(found, expected, atol=1e-4, rtol=0)


@pytest.mark.parametrize("gaussian", [True, False])
def test_the_minimum_is_that_of_a_quasi_newton_search_over_rounded_edges(generator, gaussian):
    rate = torch.full((10, 9), 2.0)
    rate[3:7, 2:6] = 12.0
    values, weight = whitened(rate, generator), 0.9
    assert (ELECTRONS + ROOT * values).min() < 1e-9  # counts of 0

    def cost(image, rounded=0.0):
        length = (differences(image).square().sum(0) + rounded**2).sqrt()
        data = (image - values).square().sum() / 2 if gaussian else poisson_cost(image, values)
        return data + weight * length.sum()

    def with_slope(flat, rounded):
        image = torch.tensor(flat).reshape(10, 9).requires_grad_()
        found = cost(image, rounded)
        (slope,) = torch.autograd.grad(found, image)
        return float(found.detach()), slope.numpy().ravel()

    start, rounded = torch.zeros(90, dtype=torch.float64).numpy(), 1e-4
    bounds = None if gaussian else [(-ROOT + 1e-6, None)] * 90
    for each in (0.1, 1e-2, 1e-3, rounded):
        options = {"maxiter": 2000, "maxfun": 4000, "ftol": 1e-15, "gtol": 1e-9, "maxcor": 40}
        search = scipy.optimize.minimize(
            with_slope, start, each, "L-BFGS-B", jac=True, bounds=bounds, options=options
        )
        start = search.x
    found = float(cost(smooth(values, weight, gaussian=gaussian)))
    # Rounding adds at most its radius to the length of each gradient.
    slack = 1e-4
    assert float(search.fun) - weight * 90 * rounded - slack < found < float(search.fun) + slack
    assert float(cost(values)) > found + 5


def test_a_constant_image_stays_and_weight_0_leaves_the_counts(generator):
    flat = torch.full((9, 8), 0.7, dtype=torch.float64)
    torch.testing.assert_close(smooth(flat, 2.0), flat, atol=1e-6, rtol=0)
    values = whitened(torch.full((9, 8), ELECTRONS), generator)
    torch.testing.assert_close(smooth(values, 0.0), values, atol=1e-4, rtol=0)
    torch.testing.assert_close(smooth(values, 0.0, gaussian=True), values, atol=1e-4, rtol=0)


def test_a_large_weight_leaves_the_mean(generator):
    values = whitened(torch.full((16, 13), ELECTRONS), generator)
    found = smooth(values, 20.0)
    expected = values.mean().expand_as(values)  # the counts' mean is their most probable rate
    torch.testing.assert_close(found, expected, atol=1e-4, rtol=0)


def test_the_iterations_that_users_get_are_near_the_end(generator):
    rate = torch.full((32, 30), ELECTRONS)
    rate[8:20, 10:22] = 10.0
    values = whitened(rate, generator).float()
    for weight in (0.4, 1.0, 2.0):
        proximal = poisson_proximal(values, ELECTRONS)
        quick = smoothed_by_total_variation(proximal, weight, values * 0)
        assert (quick - smooth(values, weight)).square().mean().sqrt() < 0.02


def test_a_negative_weight_is_refused():
    with pytest.raises(ValueError, match="weight must not be negative, got -1"):
        smooth(torch.zeros(4, 4), -1.0)
