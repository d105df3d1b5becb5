import math

import pytest
import torch

from difftem.functional.soft_mask import masked, soft_ball


def test_a_ball_holds_its_volume_and_falls_to_half_in_the_middle_of_its_edge():
    ball = soft_ball((40, 44, 48), 21.0, 6.0)
    # Integral of 4 pi r² (1 + cos(pi (r - a) / e)) / 2 over the edge, and the ball of radius a.
    a, e = 10.5, 6.0
    edge = 2 * math.pi * (((a + e) ** 3 - a**3) / 3 - 2 * e**2 / math.pi**2 * (2 * a + e))
    assert ball.sum().item() == pytest.approx(4 / 3 * math.pi * a**3 + edge, rel=5e-3)
    assert ball[20, 22, 24 + 10] == 1
    assert ball[20, 22 - 17, 24] == 0
    halfway = soft_ball((41, 41), 20.0, 6.0)
    assert halfway[20, 20 + 13].item() == pytest.approx(0.5)


def test_what_is_masked_has_no_mean_and_no_step_at_the_edge(generator):
    volume = 1000 + torch.randn(20, 22, 24, generator=generator)
    weight = soft_ball((20, 22, 24), 10.0, 4.0)
    left = masked(volume, weight)
    assert abs(left.sum()) < 0.1
    assert left[weight == 0].abs().max() == 0
    assert masked(torch.full((20, 22, 24), 7.0), weight).abs().max() < 1e-5


@pytest.mark.parametrize(("diameter", "edge"), [(0.0, 1.0), (-3.0, 1.0), (5.0, 0.0)])
def test_a_ball_without_size_is_refused(diameter, edge):
    with pytest.raises(ValueError, match="diameter and edge must be positive"):
        soft_ball((8, 8), diameter, edge)
