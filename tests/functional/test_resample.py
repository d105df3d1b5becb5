import math

import pytest
import torch

from difftem.functional.resample import cosine_resample, fourier_crop


def wave(shape, period, order, phase=0.3):
    """Cosine of (ky, kx) periods per field, sampled."""
    y, x = (torch.arange(n, dtype=torch.float64) / n for n in shape)
    return period + torch.cos(2 * math.pi * (order[0] * y[:, None] + order[1] * x) + phase)


@pytest.mark.parametrize("order", [(0, 0), (3, -2), (-4, 5), (0, 8), (6, 8)])
def test_waves_below_nyquist_are_sampled_at_the_coarser_pixels(order):
    made = fourier_crop(wave((40, 30), 1.5, order), (24, 18))
    torch.testing.assert_close(made, wave((24, 18), 1.5, order), rtol=0, atol=1e-12)


@pytest.mark.parametrize("order", [(13, 0), (0, 9), (-12, 3), (19, 14)])
def test_waves_beyond_nyquist_leave_the_mean(order):
    made = fourier_crop(wave((40, 30), 1.5, order), (24, 18))
    torch.testing.assert_close(made, torch.full_like(made, 1.5), rtol=0, atol=1e-12)


def test_the_centre_stays_at_its_pixel_and_batches_stay_apart():
    y, x = (torch.arange(n, dtype=torch.float64) - n // 2 for n in (40, 60))
    blob = torch.exp(-((y[:, None] - 0.0) ** 2 + x**2) / 2 / 4**2)
    made = fourier_crop(torch.stack([blob, 2 * blob]), (24, 36))
    assert made[0].argmax() == 12 * 36 + 18
    assert float(made[0].max()) == pytest.approx(1, rel=1e-4)
    torch.testing.assert_close(made[1], 2 * made[0])


def test_gradients_are_those_of_finite_differences(generator):
    image = torch.rand(2, 10, 8, generator=generator, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(lambda each: fourier_crop(each, (6, 4)), image)


def test_an_image_of_the_same_shape_is_itself_and_other_sides_are_refused():
    image = torch.rand(10, 8)
    assert fourier_crop(image, (10, 8)) is image
    for shape in ((5, 8), (10, 10), (12, 8)):
        with pytest.raises(ValueError, match="even and become smaller"):
            fourier_crop(image, shape)


def test_an_image_keeps_its_edges_and_its_contrast_over_the_noise_at_other_pixels():
    def scene(shape):
        y, x = ((torch.arange(n, dtype=torch.float64) + 0.5) / n for n in shape)
        return torch.cos(3 * math.pi * y)[:, None] + torch.cos(5 * math.pi * x) + y[:, None].cos()

    coarse, fine = scene((40, 51)), scene((73, 90))
    factor = math.sqrt(40 * 51 / (73 * 90))  # of the square root of a pixel's electrons
    torch.testing.assert_close(cosine_resample(coarse, (73, 90)), factor * fine, rtol=0, atol=2e-3)
    torch.testing.assert_close(cosine_resample(fine, (40, 51)), coarse / factor, rtol=0, atol=5e-3)
    back = cosine_resample(cosine_resample(coarse, (73, 90)), (40, 51))
    torch.testing.assert_close(back, coarse, rtol=0, atol=1e-12)


@pytest.mark.parametrize("shape", [(64, 70), (190, 210), (64, 210)])
def test_white_noise_stays_white_at_other_pixels(shape, generator):
    noise = torch.randn(12, 128, 140, generator=generator, dtype=torch.float64)
    found = cosine_resample(noise, shape, generator)
    number = found.numel()
    assert float(found.var()) == pytest.approx(1, abs=5 * math.sqrt(2 / number))
    for axis in (-2, -1):
        beside = (found * found.roll(1, axis)).mean()
        assert abs(float(beside)) < 5 / math.sqrt(number)
