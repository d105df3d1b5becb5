import pytest
import torch

from difftem.functional.detector import add_read_noise, detected_rate


def test_thinning_lowers_the_signal_to_noise_ratio_squared_by_the_dqe(generator):
    rate, dqe, n = 25.0, 0.4, 200_000
    detected = detected_rate(torch.full((n,), rate), torch.tensor(dqe))
    counts = torch.poisson(detected, generator=generator).double()
    snr2 = counts.mean() ** 2 / counts.var()
    # Relative error of the variance: sqrt(2/n + ...) = 0.3 %.
    assert snr2.item() / rate == pytest.approx(dqe, rel=5 * (2.2 / n) ** 0.5)


def test_read_noise_has_its_standard_deviation_and_no_mean(generator):
    n = 100_000
    image = torch.full((n,), 7.0, dtype=torch.float64)
    noisy = add_read_noise(image, torch.tensor(2.5).double(), generator)
    assert noisy.mean().item() == pytest.approx(7, abs=5 * 2.5 / n**0.5)
    assert noisy.std().item() == pytest.approx(2.5, rel=5 / (2 * n) ** 0.5)
    again = add_read_noise(image, torch.tensor(2.5).double(), torch.Generator().manual_seed(0))
    assert torch.equal(noisy, again)
