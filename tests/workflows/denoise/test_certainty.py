"""Errors in grey values."""

import pytest
import torch

from difftem.functional.grid import frequency_grid, radius
from difftem.functional.mtf import apply_transfer
from difftem.functional.wiener import wiener_estimate
from difftem.micrograph.camera_noise import find_camera_noise
from difftem.workflows.denoise.certainty import error_amplitude

SHAPE = (512, 512)


def images(blur, generator):
    """A random texture without and with the noise of 50 electrons, both blurred by a camera."""
    q = radius(frequency_grid(SHAPE, 1.0, half=True)).float()
    texture = apply_transfer(torch.randn(SHAPE, generator=generator), 1 / (1 + (q / 0.02) ** 2))
    clean = 50 * (1 + 0.2 * texture)
    noisy = torch.poisson(clean.clamp(min=0), generator=generator)
    camera = torch.exp(-blur * (2 * q) ** 1.5)
    return tuple(20 * apply_transfer(image, camera) for image in (clean, noisy))


@pytest.mark.parametrize("blur", [0.0, 1.2])
def test_an_error_in_grey_values_is_that_of_the_whitened_image_times_one_number(blur, generator):
    clean, noisy = images(blur, generator)
    noise = find_camera_noise(noisy[None])
    assert noise.white == (blur == 0)
    whitened = noise.whiten(noisy[None], None)
    estimate = wiener_estimate(whitened.values[0])
    error = whitened.grey_values(estimate) - clean
    truth = noise.whiten(clean[None], None).values[0]
    expected = error_amplitude(noise, whitened) * (estimate - truth).std()
    assert error.std() == pytest.approx(float(expected), rel=0.03)
