import math

import pytest
import torch

from difftem.functional.focal_frequency import focal_frequency_distance
from difftem.losses.focal_frequency import focal_frequency_loss


def test_two_known_waves_on_4_by_4_pixels_weigh_what_a_calculation_by_hand_says():
    # 2 + cos(2 pi x / 4) has the coefficients 8 (once) and 2 (twice) in the unitary transform:
    # (1 * 8² + 2 * 2/8 * 2²) / 16 with gamma 1, weights 1 and 1/16 with gamma 2.
    x = torch.arange(4, dtype=torch.float64)
    difference = (2 + torch.cos(2 * math.pi * x / 4)).expand(4, 4)
    target = torch.arange(16, dtype=torch.float64).reshape(4, 4)
    found = [
        focal_frequency_distance(target + difference, target, gamma).item() for gamma in (0, 1, 2)
    ]
    assert found == pytest.approx([72 / 16, 66 / 16, 64.5 / 16])


def test_each_image_has_its_own_weight_and_the_loss_is_their_mean(generator):
    a, b = torch.randn(2, 3, 5, 6, 7, generator=generator, dtype=torch.float64)
    a[0] *= 100
    found = focal_frequency_distance(a, b)
    assert found.shape == (3, 5)
    assert found[2, 1].item() == pytest.approx(focal_frequency_distance(a[2, 1], b[2, 1]).item())
    assert focal_frequency_loss(a, b).item() == pytest.approx(found.mean().item())
    assert focal_frequency_distance(a, a).abs().max().item() == 0
    with pytest.raises(ValueError, match="gamma must not be negative, got"):
        focal_frequency_distance(a, b, -0.5)
