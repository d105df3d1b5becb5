import pytest
import torch
from skimage.metrics import structural_similarity

from difftem.metrics.structural_similarity import truth_range_similarity


def test_sections_of_a_volume_share_the_range_of_the_whole(generator):
    truth = torch.randn(5, 14, 17, generator=generator, dtype=torch.float64).cumsum(0).cumsum(1)
    estimate = truth + 2 * torch.randn(truth.shape, generator=generator, dtype=torch.float64)
    low, span = truth.min(), float(truth.max() - truth.min())
    expected = [
        structural_similarity(
            (one - low).numpy(), (true - low).numpy(), data_range=span,
            gaussian_weights=True, sigma=1.5, use_sample_covariance=False,
        )
        for one, true in zip(estimate, truth, strict=True)
    ]  # fmt: skip
    found = truth_range_similarity(estimate, truth, (-3, -2, -1))
    assert found.tolist() == pytest.approx(expected, abs=1e-9)
