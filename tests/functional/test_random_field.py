import pytest
import torch

from difftem.functional.grid import frequency_grid, radius
from difftem.functional.random_field import random_field, white_noise


def test_variance_is_the_integral_of_the_power(generator):
    pixel_size = 0.8
    q = radius(frequency_grid((256, 256), pixel_size, half=True))
    power = 3.0 * torch.exp(-0.5 * (q / 0.05) ** 2)
    noise = white_noise((16, 256, 256), generator, torch.float64)
    field = random_field(noise, power, pixel_size)
    # The integral of a Gauss function over the plane is 2π w².
    assert float(field.var()) == pytest.approx(3.0 * 2 * torch.pi * 0.05**2, rel=0.02)


def test_white_power_only_scales_the_noise(generator):
    noise = white_noise((5, 7), generator, torch.float64)
    field = random_field(noise, torch.full((5, 4), 36.0).double(), 2.0)
    torch.testing.assert_close(field, 3.0 * noise)


def test_the_same_seed_gives_the_same_field():
    first, again, other = (white_noise((4, 4), torch.Generator().manual_seed(s)) for s in (1, 1, 2))
    torch.testing.assert_close(first, again, rtol=0, atol=0)
    assert not torch.equal(first, other)


def test_bad_pixels_are_refused():
    with pytest.raises(ValueError, match="pixel_size must be positive, got 0"):
        random_field(torch.zeros(4, 4), torch.ones(4, 3), 0.0)
