import pytest
import torch

from difftem.metrics.mtf_error import BandCoverage, MTFError


def test_errors_are_averaged_over_fits():
    truth = torch.tensor([1.0, 0.8, 0.5])
    metric = MTFError()
    metric.update(torch.tensor([1.0, 0.7, 0.5]), truth)
    metric.update(torch.tensor([[1.0, 0.8, 0.8], [1.0, 0.8, 0.5]]), truth)
    found = metric.compute()
    assert found["max"].item() == pytest.approx(0.4 / 3, abs=1e-6)
    assert found["mean"].item() == pytest.approx(0.4 / 9, abs=1e-6)
    assert found["worst"].item() == pytest.approx(0.3, abs=1e-6)


def test_coverage_of_gaussian_errors_is_95_percent(generator):
    truth, metric = torch.linspace(1, 0.2, 11), BandCoverage()
    noise = 0.1 * torch.randn(2000, 11, generator=generator)
    noise[:, 0] = 0
    width = torch.full((11,), 0.196)
    width[0] = 0  # H(0) = 1 is no merit
    metric.update(truth + noise - width, truth + noise + width, truth)
    assert metric.compute().item() == pytest.approx(0.95, abs=0.01)
