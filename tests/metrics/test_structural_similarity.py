import pytest
import torch
from skimage.metrics import structural_similarity

from difftem.metrics.structural_similarity import volume_similarity


def test_ssim_of_volumes_is_that_of_scikit_image(generator):
    shape = (30, 14, 17)  # more sections than are worked on at once
    truth = torch.randn(shape, generator=generator, dtype=torch.float64).cumsum(0).cumsum(1)
    estimate = truth + 2 * torch.randn(shape, generator=generator, dtype=torch.float64)
    low, span = truth.min(), float(truth.max() - truth.min())
    expected = structural_similarity(
        (estimate - low).numpy(), (truth - low).numpy(), data_range=span,
        gaussian_weights=True, sigma=1.5, use_sample_covariance=False,
    )  # fmt: skip
    assert volume_similarity(estimate, truth).item() == pytest.approx(expected, abs=1e-9)


def test_a_volume_is_like_itself_and_a_thin_one_is_refused(generator):
    truth = torch.randn(12, 13, 14, generator=generator)
    assert volume_similarity(truth, truth).item() == pytest.approx(1)
    with pytest.raises(ValueError, match="11 voxels a side, got 10 x 13 x 14"):
        volume_similarity(truth[:10], truth[:10])
