import math

import pytest
import torch

from difftem.functional.image_error import peak_signal_to_noise
from difftem.functional.published_error import (
    SBD_VACUUM,
    clipped_peak_signal_to_noise,
    min_max,
    min_max_focal_frequency,
    min_max_peak_signal_to_noise,
    min_max_squared_error,
)
from difftem.io.tiff import read_tiff


def test_two_by_two_pixels_give_what_a_calculation_by_hand_says():
    estimate, truth = torch.tensor([[[10.0, 12], [14, 20]], [[0.0, 4], [1, 0]]]).unbind()
    assert min_max(estimate).flatten().tolist() == pytest.approx([0, 0.2, 0.4, 1])
    expected = (0**2 + 0.8**2 + 0.15**2 + 1) / 4
    assert min_max_squared_error(estimate, truth).item() == pytest.approx(expected)
    psnr = min_max_peak_signal_to_noise(estimate, truth).item()
    assert psnr == pytest.approx(-10 * math.log10(expected))
    # A transform of 2 x 2 pixels is four sums and differences.
    difference = torch.tensor([[0.0, -0.8], [0.15, 1.0]])
    a, b, c, d = difference.flatten().tolist()
    size = [abs(x) / 2 for x in (a + b + c + d, a - b + c - d, a + b - c - d, a - b - c + d)]
    expected = sum(x / max(size) * x**2 for x in size) / 4
    assert min_max_focal_frequency(estimate, truth).item() == pytest.approx(expected)


def test_scale_and_offset_do_not_count_and_a_constant_image_is_0(generator):
    truth = torch.randn(2, 12, 9, generator=generator)
    for function in (min_max_squared_error, min_max_focal_frequency):
        assert function(3 * truth - 8, truth).abs().max().item() < 1e-12
        constant = function(torch.full_like(truth, 7.0), truth)
        assert bool(torch.isfinite(constant).all())
    mean_square = min_max(truth).square().mean((-2, -1))
    torch.testing.assert_close(
        min_max_squared_error(torch.full_like(truth, 7.0), truth), mean_square
    )
    assert min_max_squared_error(truth * 0, truth * 0 + 1).tolist() == [0, 0]


def test_one_outlier_ruins_the_stretched_error_and_not_the_error_itself(generator):
    truth = torch.rand(64, 64, generator=generator)
    estimate = truth.clone()
    estimate[3, 5] = 20.0
    assert min_max_peak_signal_to_noise(estimate, truth).item() < 6
    assert peak_signal_to_noise(estimate, truth).item() > 9


def test_clipping_cuts_both_images_off_at_0_and_1():
    truth = torch.tensor([[0.5, 0.5], [1.5, 0.5]])
    estimate = torch.tensor([[0.6, -3.0], [9.0, 0.5]])
    expected = -10 * math.log10((0.1**2 + 0.5**2) / 4)
    assert clipped_peak_signal_to_noise(estimate, truth).item() == pytest.approx(expected)


def test_a_constant_scores_26_3_on_the_clean_image_of_sbd(shared_data):
    truth = torch.from_numpy(read_tiff(shared_data / "nanoparticles" / "ptceo2_clean.tif").data)
    truth = truth.double().squeeze()
    span = float(truth.max() - truth.min())
    vacuum = torch.full_like(truth, float(truth.mean()))
    found = clipped_peak_signal_to_noise(vacuum, truth).item()
    assert found == pytest.approx(26.3, abs=0.1)
    by_range = peak_signal_to_noise(vacuum, truth).item()
    assert found - by_range == pytest.approx(-20 * math.log10(span), abs=1e-6)
    assert found - by_range == pytest.approx(10.6, abs=0.2)
    assert truth.median().item() == pytest.approx(SBD_VACUUM, abs=0.02)
