import math

import pytest
import torch

from difftem.analysis.held_out import ICE, LOW, TOTAL, band_masks, banded_log_likelihood
from difftem.metrics.held_out_likelihood import BANDS, BandedLogLikelihood


def test_the_truth_gains_half_of_the_power_of_the_signal(generator):
    metric = BandedLogLikelihood(block=32)
    for _ in range(3):
        signal = 0.5 * torch.randn(128, 128, generator=generator, dtype=torch.float64)
        metric.update(signal, signal + torch.randn(128, 128, generator=generator))
    found = {name: value.item() for name, value in metric.compute().items()}
    assert found[TOTAL] == pytest.approx(1000 * 0.25 / 2, abs=4 * found[f"{TOTAL} error"])
    assert found[f"{TOTAL} error"] == pytest.approx(1000 * 0.5 / 128 / 3**0.5, rel=0.3)
    low = math.pi * 0.15**2 * 1000 * 0.25 / 2  # the part of the plane below 0.15
    assert found[LOW] == pytest.approx(low, abs=4 * found[f"{LOW} error"])
    assert math.isnan(found[ICE])


def test_blocks_of_all_images_are_averaged_by_band(generator):
    images = torch.randn(2, 2, 64, 64, generator=generator, dtype=torch.float64)
    metric = BandedLogLikelihood(pixel_size=1.0, block=32)
    for estimate, held_out in images:
        metric.update(estimate, held_out)
    found = metric.compute()
    masks = band_masks((64, 64), 1.0)
    one = [banded_log_likelihood(a, b, masks, 32) for a, b in images]
    for band in BANDS:
        expected = sum(each.value(band) for each in one) / 2
        assert found[band].item() == pytest.approx(expected)
