import math

import pytest
import torch

from difftem.functional.image_error import peak_signal_to_noise
from difftem.functional.published_error import clipped_peak_signal_to_noise
from difftem.metrics.truth_table import TRUTH_COLUMNS, truth_table

ELECTRONS = 25.0


def pair(generator, size=128):
    truth = 2 * torch.randn(size, size, generator=generator)
    return truth + torch.randn(size, size, generator=generator), truth


def test_noise_of_known_variance_gives_known_numbers(generator):
    found = truth_table(*pair(generator, 256), ELECTRONS)
    assert tuple(found) == TRUTH_COLUMNS
    assert all(math.isfinite(value) for value in found.values())
    assert found["rmse_e_per_pixel"] == pytest.approx(5.0, rel=0.02)
    assert found["psnr_peak_mean_db"] == pytest.approx(20 * math.log10(25 / 5), abs=0.1)
    assert found["nmse"] == pytest.approx(0.25, rel=0.02)
    assert found["correlation"] == pytest.approx(math.sqrt(0.8), rel=0.01)
    # White signal and white noise: the same correlation of 0.89 in every ring.
    assert found["frc_0.5_cycles_per_pixel"] == found["frc_0.143_cycles_per_pixel"] == 0.5


def test_units_are_those_of_the_names(generator):
    estimate, truth = pair(generator)
    found = truth_table(estimate, truth, ELECTRONS)
    e, t = (ELECTRONS + 5 * each.double() for each in (estimate, truth))  # electrons per pixel
    mse = (e - t).square().mean()
    assert found["rmse_e_per_pixel"] == pytest.approx(mse.sqrt().item())
    assert found["psnr_peak_mean_db"] == pytest.approx(10 * math.log10(ELECTRONS**2 / mse))
    assert found["psnr_truth_range_db"] == pytest.approx(peak_signal_to_noise(e, t).item())
    sbd = clipped_peak_signal_to_noise(e * 0.45 / ELECTRONS, t * 0.45 / ELECTRONS).item()
    assert found["sbd_psnr_peak_1_clipped_db"] == pytest.approx(sbd)


def test_the_mean_image_scores_what_a_constant_does(generator):
    _, truth = pair(generator)
    found = truth_table(torch.zeros_like(truth) + truth.mean(), truth, ELECTRONS)
    assert found["nmse"] == pytest.approx(1, abs=1e-6)
    assert found["correlation"] == pytest.approx(0, abs=1e-6)
    assert found["frc_0.5_cycles_per_pixel"] == 0
    assert found["paper_mm_mse"] > 0.1


def test_the_frequency_of_half_is_where_a_low_pass_ends(generator):
    truth = torch.randn(192, 192, generator=generator)
    spectrum = torch.fft.rfft2(truth)
    q = torch.hypot(torch.fft.fftfreq(192)[:, None], torch.fft.rfftfreq(192)[None])
    low = torch.fft.irfft2(spectrum * (q < 0.25), s=(192, 192))
    found = truth_table(low, truth, ELECTRONS)["frc_0.5_cycles_per_pixel"]
    assert found == pytest.approx(0.25, abs=0.02)


def test_columns_that_are_asked_for_come_in_their_order(generator):
    found = truth_table(*pair(generator), ELECTRONS, ["nmse", "correlation"])
    assert list(found) == ["nmse", "correlation"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((torch.zeros(16, 16), torch.zeros(16, 15), 1.0), "must have one shape"),
        ((torch.zeros(16, 16), torch.zeros(16, 16), 0.0), "electrons must be positive, got 0.0"),
        (
            (torch.zeros(16, 16), torch.zeros(16, 16), 1.0, ["psnr"]),
            "columns must be of .*; got psnr",
        ),
    ],
)
def test_what_cannot_be_compared_is_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        truth_table(*arguments)
