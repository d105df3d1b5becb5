import math
from itertools import permutations

import pytest
import torch

from difftem.functional.unsupervised_error import (
    block_means,
    three_copy_error_map,
    unsupervised_error_map,
)


def test_the_average_over_all_roles_of_three_copies_is_the_short_form(generator):
    estimate, *copies = torch.randn(4, 6, 7, generator=generator, dtype=torch.float64)
    stack = torch.stack(copies)
    roles = [three_copy_error_map(estimate, stack[list(order)]) for order in permutations(range(3))]
    torch.testing.assert_close(
        unsupervised_error_map(estimate, stack), torch.stack(roles).mean(0), rtol=1e-12, atol=1e-12
    )


def test_two_copies_give_the_product_of_their_errors(generator):
    estimate, a, b = torch.randn(3, 6, 7, generator=generator, dtype=torch.float64)
    found = unsupervised_error_map(estimate, torch.stack([a, b]))
    torch.testing.assert_close(found, (a - estimate) * (b - estimate))


@pytest.mark.parametrize(
    ("function", "n", "variance"),
    [
        (unsupervised_error_map, 3, 3.0),
        (unsupervised_error_map, 2, 4.0),
        (unsupervised_error_map, 9, 2.25),
        (three_copy_error_map, 3, 36.0),
    ],
)
def test_the_mean_is_the_true_error_and_the_scatter_what_is_said(function, n, variance, generator):
    truth, estimate = torch.randn(2, 400, 400, generator=generator, dtype=torch.float64)
    estimate = truth + 0.05 * estimate
    noise = torch.randn(n, 400, 400, generator=generator, dtype=torch.float64)
    found = function(estimate, truth + math.sqrt(n) * noise)  # variance 1 in the mean of copies
    error = math.sqrt(variance) / 400
    assert found.mean().item() == pytest.approx(0.05**2, abs=4 * error)
    assert found.var().item() == pytest.approx(variance, rel=0.1)


def test_the_power_of_the_signal_from_all_data_shortens_the_error_bar(generator):
    size, p = 400, 0.8
    truth = 0.1 * torch.randn(size, size, generator=generator, dtype=torch.float64)
    noise = torch.randn(4, size, size, generator=generator, dtype=torch.float64)
    kept, *thirds = (truth + noise[i] / math.sqrt(w) for i, w in enumerate((p, *[(1 - p) / 3] * 3)))
    held_out = torch.stack(thirds)
    whole = torch.stack([kept, held_out.mean(0)])
    estimate = 0.02 * kept  # it has seen the first of `whole`
    true = (estimate - truth).square().mean().item()
    for signal, variance in ((None, 3 / (1 - p) ** 2), (whole, 1 / p / (1 - p))):
        found = unsupervised_error_map(estimate, held_out, signal)
        assert found.var().item() == pytest.approx(variance, rel=0.1)
        assert found.mean().item() == pytest.approx(true, abs=4 * math.sqrt(variance) / size)


def test_blocks_are_squares_row_by_row():
    values = torch.arange(30.0).reshape(5, 6)
    assert block_means(values, 2).tolist() == [3.5, 5.5, 7.5, 15.5, 17.5, 19.5]
    with pytest.raises(ValueError, match="block must be between 1 and the image's 5 pixels, got 6"):
        block_means(values, 6)


def test_copies_that_do_not_serve_are_refused():
    with pytest.raises(
        ValueError, match=r"copies must be 2 images .* or more, got shape \(1, 4, 4\)"
    ):
        unsupervised_error_map(torch.zeros(4, 4), torch.zeros(1, 4, 4))
    with pytest.raises(ValueError, match="must have one shape"):
        three_copy_error_map(torch.zeros(4, 5), torch.zeros(3, 4, 4))
