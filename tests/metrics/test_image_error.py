import pytest
import torch
from skimage.metrics import structural_similarity

from difftem.functional.faded_rings import faded_correlation, faded_products
from difftem.functional.fourier_ring import agreed_frequency
from difftem.functional.image_error import correlation, normalised_error, peak_signal_to_noise
from difftem.metrics.image_error import image_metrics
from difftem.metrics.ring_correlation import AgreedFrequency, RingCorrelation


def pairs(generator, n, size=48):
    truth = torch.randn(n, 1, size, size, generator=generator)
    return truth + 0.5 * torch.randn(n, 1, size, size, generator=generator), truth


def test_metrics_are_means_over_images_of_batches_of_any_size(generator):
    batches = [pairs(generator, 3), pairs(generator, 1), pairs(generator, 2)]
    metrics = image_metrics(n_rings=8)
    for estimate, truth in batches:
        metrics.update(estimate, truth)
    found = {name: value.item() for name, value in metrics.compute().items()}
    estimates, truths = (torch.cat(each) for each in zip(*batches, strict=True))
    assert found["nmse"] == pytest.approx(normalised_error(estimates, truths).mean().item())
    assert found["psnr"] == pytest.approx(peak_signal_to_noise(estimates, truths).mean().item())
    assert found["correlation"] == pytest.approx(correlation(estimates, truths).mean().item())
    curve = faded_correlation(faded_products(estimates, truths, 8).sum((0, 1)))
    assert found["frc_half"] == agreed_frequency(curve)
    assert found["frc_0143"] == agreed_frequency(curve, 0.143)


def test_images_of_several_sizes_are_averaged(generator):
    metrics = image_metrics(n_rings=8)
    for size in (32, 48):
        metrics.update(*pairs(generator, 2, size))
    assert metrics.compute()["nmse"].item() == pytest.approx(0.25, rel=0.1)


def test_structural_similarity_is_in_units_of_the_range_of_each_truth(generator):
    estimate, truth = pairs(generator, 1)
    span = float(truth.max() - truth.min())
    metric = image_metrics()["ssim"]
    metric.update(100 * estimate, 100 * truth)
    low = truth.min() / span  # the constants of SSIM see the offset
    shifted = structural_similarity(
        *((each / span - low).double().squeeze().numpy() for each in (estimate, truth)),
        data_range=1.0,
        gaussian_weights=True,
        sigma=1.5,
        use_sample_covariance=False,
    )
    assert metric.compute().item() == pytest.approx(float(shifted), abs=1e-6)


def test_ring_correlation_adds_spectra_and_not_curves(generator):
    loud = torch.randn(1, 1, 32, 32, generator=generator) * 10
    quiet = torch.randn(1, 1, 32, 32, generator=generator)
    metric, frequency = RingCorrelation(6), AgreedFrequency(0.5, 6)
    for each in (metric, frequency):
        each.update(loud, loud)
        each.update(quiet, -quiet)
    assert metric.compute().min().item() > 0.9
    assert frequency.compute().item() == 0.5
