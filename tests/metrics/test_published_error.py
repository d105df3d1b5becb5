import pytest
import torch
from skimage.metrics import structural_similarity

from difftem.functional.published_error import (
    clipped_peak_signal_to_noise,
    min_max,
    min_max_focal_frequency,
    min_max_peak_signal_to_noise,
    min_max_squared_error,
)
from difftem.metrics.published_error import (
    ClippedPSNR,
    MinMaxError,
    MinMaxFocalFrequency,
    MinMaxPSNR,
    MinMaxSSIM,
)
from difftem.metrics.structural_similarity import min_max_similarity, truth_range_similarity


def pair(generator, size=40):
    truth = torch.rand(2, size, size, generator=generator, dtype=torch.float64)
    noise = torch.randn(2, size, size, generator=generator, dtype=torch.float64)
    return truth + 0.2 * noise, truth


@pytest.mark.parametrize(
    ("metric", "function"),
    [
        (MinMaxSSIM, min_max_similarity),
        (MinMaxPSNR, min_max_peak_signal_to_noise),
        (MinMaxError, min_max_squared_error),
        (MinMaxFocalFrequency, min_max_focal_frequency),
        (ClippedPSNR, clipped_peak_signal_to_noise),
    ],
)
def test_each_metric_is_the_mean_of_its_function_over_images_of_any_size(
    metric, function, generator
):
    batches = [pair(generator, 40), pair(generator, 32)]
    found = metric()
    for batch in batches:
        found.update(*batch)
    expected = torch.cat([function(*batch) for batch in batches]).mean()
    assert found.compute().item() == pytest.approx(expected.item())


def test_structural_similarity_is_that_of_scikit_image(generator):
    estimate, truth = pair(generator)

    def reference(a, b, span):
        return structural_similarity(
            a.numpy(),
            b.numpy(),
            data_range=span,
            gaussian_weights=True,
            sigma=1.5,
            use_sample_covariance=False,
        )

    low, span = truth[0].min(), float(truth[0].max() - truth[0].min())
    expected = reference(estimate[0] - low, truth[0] - low, span)
    assert truth_range_similarity(estimate, truth)[0].item() == pytest.approx(expected, abs=1e-9)
    expected = reference(min_max(estimate[0]), min_max(truth[0]), 1.0)
    assert min_max_similarity(estimate, truth)[0].item() == pytest.approx(expected, abs=1e-9)
    with pytest.raises(ValueError, match="SSIM needs images of 11 pixels a side, got 8 x 20"):
        min_max_similarity(torch.rand(8, 20), torch.rand(8, 20))


def test_the_same_image_on_another_scale_is_perfect_only_when_stretched(generator):
    _, truth = pair(generator)
    assert min_max_similarity(5 * truth + 3, truth).tolist() == pytest.approx([1, 1])
    assert truth_range_similarity(5 * truth + 3, truth).max().item() < 0.5
    assert truth_range_similarity(truth, truth).tolist() == pytest.approx([1, 1])
    constant = torch.full_like(truth, 0.5)
    assert 0 <= truth_range_similarity(constant, truth).max().item() < 0.1
