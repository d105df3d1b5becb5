import math

import pytest
import torch

from difftem.metrics.unsupervised_error import UnsupervisedError

N = 256


def images(generator, noise=1.0, error=0.3):
    truth = 2 * torch.randn(N, N, generator=generator, dtype=torch.float64)
    wrong = error * torch.randn(N, N, generator=generator, dtype=torch.float64)
    copies = truth + noise * torch.randn(3, N, N, generator=generator, dtype=torch.float64)
    return truth + wrong, copies


def test_numbers_of_known_error_signal_and_noise(generator):
    metric = UnsupervisedError(block=32)
    for _ in range(2):
        metric.update(*images(generator), peak=10.0)
    found = {name: value.item() for name, value in metric.compute().items()}
    # Noise of variance 1/3 in the mean of copies: 4 d² s² + 3 s⁴ a pixel, and the scatter of d².
    n = 2 * N * N
    error = math.sqrt((4 * 0.09 / 3 + 3 / 9 + 2 * 0.09**2) / n)
    assert found["umse"] == pytest.approx(0.09, abs=4 * error)
    assert found["umse_error"] == pytest.approx(error, rel=0.3)
    assert found["unmse"] == pytest.approx(0.09 / 4, abs=4 * error / 4)
    assert found["unmse_error"] == pytest.approx(error / 4, rel=0.3)
    assert found["upsnr"] == pytest.approx(10 * math.log10(100 / found["umse"]))
    assert found["upsnr_error"] == pytest.approx(10 / math.log(10) * error / 0.09, rel=0.3)


def test_the_error_bar_is_the_scatter_over_seeds():
    values, errors = [], []
    for seed in range(40):
        metric = UnsupervisedError(block=32)
        metric.update(
            *(each[..., :128, :128] for each in images(torch.Generator().manual_seed(seed)))
        )
        found = metric.compute()
        values.append(float(found["umse"]) - 0.09)
        errors.append(float(found["umse_error"]))
    pulls = torch.tensor(values) / torch.tensor(errors)
    # Student's t of 15 degrees of freedom has a standard deviation of 1.07.
    assert pulls.std().item() == pytest.approx(1.07, abs=0.35)
    assert abs(pulls.mean().item()) < 3 * 1.07 / math.sqrt(40)


def test_an_error_that_the_noise_hides_has_no_upsnr(generator):
    metric = UnsupervisedError(block=64)
    _, copies = images(generator)
    metric.update(copies.mean(0), copies)  # an estimate that has seen the copies: -1/3 of noise
    found = metric.compute()
    assert found["umse"].item() == pytest.approx(-1 / 3, abs=0.01)
    assert math.isnan(found["upsnr"]) and math.isnan(found["upsnr_error"])


def test_a_single_block_has_no_error_bar(generator):
    metric = UnsupervisedError(block=N)
    metric.update(*images(generator))
    assert math.isinf(metric.compute()["umse_error"])
