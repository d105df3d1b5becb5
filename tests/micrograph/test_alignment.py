import pytest
import torch

from difftem.micrograph.alignment import whole_pixel_shift


def exposures(generator, shift, dose=10.0, rms=0.05, cutoff=0.05, pattern=0.0):
    """Two exposures of a field with ice of given contrast, and a fixed pattern of columns."""
    y, x = (torch.fft.fftfreq(512)[:, None], torch.fft.rfftfreq(512))
    spectrum = torch.fft.rfft2(torch.randn(512, 512, generator=generator))
    spectrum = spectrum * torch.exp(-(y**2 + x**2) / cutoff**2)
    moved = spectrum * torch.exp(-2j * torch.pi * (y * shift[0] + x * shift[1]))
    columns = 1 + pattern * torch.randn(512, generator=generator)
    images = []
    for one in (spectrum, moved):
        ice = torch.fft.irfft2(one, s=(512, 512))
        rate = dose * (1 + rms * ice / ice.std()).clamp(min=0)
        images.append(torch.poisson(rate, generator=generator) * columns)
    return images


@pytest.mark.parametrize("shift", [(0, 0), (3, -7), (-60, 41)])
def test_whole_shift_is_found(generator, shift):
    found = whole_pixel_shift(*exposures(generator, shift), max_shift=128)
    assert (found.y, found.x) == shift
    assert found.is_significant
    assert max(map(abs, found.residual)) < 0.35


def test_what_is_left_below_a_pixel_is_reported(generator):
    found = whole_pixel_shift(*exposures(generator, (2.3, -5.6), rms=0.2), max_shift=128)
    assert (found.y, found.x) == (2, -6)
    assert found.residual == pytest.approx((0.3, 0.4), abs=0.15)


def test_noise_alone_is_not_significant(generator):
    for _ in range(5):
        found = whole_pixel_shift(*exposures(generator, (0, 0), rms=0), max_shift=128)
        assert not found.is_significant


def test_lines_of_the_gain_reference_do_not_hold_the_field(generator):
    found = whole_pixel_shift(*exposures(generator, (5, 9), pattern=0.05), max_shift=128)
    assert (found.y, found.x) == (5, 9)
    alone = whole_pixel_shift(*exposures(generator, (0, 0), rms=0, pattern=0.05), max_shift=128)
    assert not alone.is_significant
