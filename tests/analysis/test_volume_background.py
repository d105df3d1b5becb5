"""Level and noise of a volume's background are found beside matter, clipped or not."""

import pytest
import torch

from difftem.analysis.volume_background import SAMPLE, pooled, volume_background


@pytest.fixture
def noisy(generator):
    """Noise of deviation 2 about 5."""
    return 5 + 2 * torch.randn(400_000, generator=generator)


@pytest.mark.parametrize("share", [0.0, 0.05, 0.2])
def test_level_and_noise_are_found_beside_bright_matter(noisy, share):
    noisy[: int(share * len(noisy))] += 20
    level, noise = volume_background(noisy)
    assert level == pytest.approx(5, abs=0.1)
    assert noise == pytest.approx(2, rel=0.04)


def test_noise_that_is_clipped_at_the_background_is_found_from_what_is_above(noisy):
    level, noise = volume_background((noisy - 5).clamp_min(0))
    assert level == 0
    assert noise == pytest.approx(2, rel=0.01)


def test_it_follows_a_scale_and_an_offset(noisy):
    level, noise = volume_background(noisy)
    scaled = volume_background(-3 + 0.01 * noisy)
    assert scaled == pytest.approx((-3 + 0.01 * level, 0.01 * noise), rel=1e-4)


def test_volumes_are_pooled_in_equal_numbers_whatever_their_sizes():
    values = pooled([torch.zeros(3, 4, 5), torch.ones(70, 80, 90)])
    assert len(values) == 120
    assert float(values.mean()) == 0.5
    assert len(pooled([torch.zeros(SAMPLE), torch.ones(2 * SAMPLE)])) == SAMPLE
