import math

import pytest
import torch

from difftem.metrics.background_noise import flat_region, noise_to_signal


@pytest.fixture
def truth():
    """Image of a wave in its left half, and nothing in the right one."""
    x = torch.arange(128.0).expand(96, 128)
    return torch.where(x < 64, torch.sin(x / 3), 0.0)


def test_the_noise_of_an_image_is_found_in_any_units(truth, generator):
    noise = torch.randn(truth.shape, generator=generator)
    expected = 0.3 / truth.std().item()
    for scale, offset in ((1.0, 0.0), (250.0, 4000.0)):
        image = offset + scale * (truth + 0.3 * noise)
        found = noise_to_signal(image, truth, flat_region(truth))
        assert found.item() == pytest.approx(expected, rel=0.05)
    assert noise_to_signal(2 * truth, truth, flat_region(truth)).item() < 1e-6


def test_noise_on_the_specimen_and_outliers_do_not_count(truth, generator):
    image = truth + 0.3 * torch.randn(truth.shape, generator=generator)
    region = flat_region(truth)
    before = noise_to_signal(image, truth, region).item()
    image[:, :60] += torch.randn(96, 60, generator=generator)
    image[50, 100] += 40
    assert noise_to_signal(image, truth, region).item() == pytest.approx(before, rel=0.1)


def test_the_flat_region_is_where_nothing_is(truth):
    region = flat_region(truth)
    assert region[:, 68:].all()
    assert not region[:, :60].any()
    volume = truth[None].expand(9, -1, -1)
    assert torch.equal(flat_region(volume)[4], region)
    for thin in (1, 2, 4):
        assert flat_region(volume[:thin]).shape == (thin, 96, 128)


def test_without_correlation_or_region_there_is_no_number(truth):
    assert math.isnan(noise_to_signal(-truth, truth, flat_region(truth)))
    assert math.isnan(noise_to_signal(truth, truth, torch.zeros_like(truth, dtype=torch.bool)))
