import math

import numpy as np
import pytest
import torch
from skimage.metrics import peak_signal_noise_ratio

from difftem.functional.image_error import correlation, normalised_error, peak_signal_to_noise


def test_a_constant_image_at_the_mean_has_an_error_of_1_and_the_truth_one_of_0(generator):
    truth = 3 + torch.randn(2, 16, 20, generator=generator)
    mean = truth.mean((-2, -1), keepdim=True).expand_as(truth)
    assert normalised_error(mean, truth).tolist() == pytest.approx([1, 1], abs=1e-6)
    assert normalised_error(truth, truth).tolist() == [0, 0]
    # An offset counts as error.
    assert normalised_error(truth + 2, truth)[0].item() == pytest.approx(
        4 / truth[0].double().var(correction=0).item()
    )


def test_noise_of_known_variance_has_that_error(generator):
    truth = 2 * torch.randn(512, 512, generator=generator)
    noisy = truth + torch.randn(512, 512, generator=generator)
    assert normalised_error(noisy, truth).item() == pytest.approx(0.25, rel=0.01)
    assert correlation(noisy, truth).item() == pytest.approx(math.sqrt(4 / 5), rel=0.01)


def test_psnr_is_that_of_scikit_image_and_the_same_in_electrons_and_whitened(generator):
    electrons = 40.0
    truth = torch.rand(64, 48, generator=generator) * 30 + 25
    noisy = torch.poisson(truth, generator=generator)
    span = float(truth.max() - truth.min())
    expected = peak_signal_noise_ratio(truth.numpy(), noisy.numpy(), data_range=span)
    found = peak_signal_to_noise(noisy, truth).item()
    assert found == pytest.approx(expected, abs=1e-4)
    white = [(each - electrons) / electrons**0.5 for each in (noisy, truth)]
    assert peak_signal_to_noise(*white).item() == pytest.approx(found, abs=1e-4)


def test_correlation_is_that_of_numpy_and_0_for_a_constant(generator):
    a, b = torch.randn(2, 3, 20, 30, generator=generator)
    expected = [np.corrcoef(x.flatten(), y.flatten())[0, 1] for x, y in zip(a, b, strict=True)]
    assert correlation(a, b).tolist() == pytest.approx(expected, abs=1e-6)
    assert correlation(5 - 2 * a, a).tolist() == pytest.approx([-1, -1, -1], abs=1e-9)
    assert correlation(torch.ones(4, 4), b[0, :4, :4]).item() == 0
