"""The camera's own noise: level, colour, electrons, from images of which all is known."""

import pytest
import torch

from difftem.functional.mtf import apply_transfer
from difftem.micrograph.camera_noise import find_camera_noise
from difftem.modules.mtf import IdealMTF, LorentzianMTF


def camera(mtf, electrons, gain, seed, side=512, n=1):
    rate = torch.full((n, side, side), float(electrons), dtype=torch.float64)
    counts = torch.poisson(rate, torch.Generator().manual_seed(seed))
    with torch.no_grad():
        transfer = mtf.transfer((side, side), counts)
    return gain * apply_transfer(counts, transfer)


def test_noise_of_counts_in_single_pixels_is_white_with_the_camera_s_gain():
    noise = find_camera_noise(camera(IdealMTF(), 12.0, 57.0, 0))
    assert noise.white
    assert noise.gain == pytest.approx(57.0, rel=0.02)
    assert noise.electrons == pytest.approx(12.0, rel=0.02)
    assert "white noise" in noise.sentence()


def test_whitened_images_of_a_camera_that_blurs_are_its_counts():
    image = camera(LorentzianMTF(), 20.0, 3.0, 1, side=1024)
    noise = find_camera_noise(image)
    whitened = noise.whiten(image, 1.5)
    assert not noise.white
    assert noise.electrons == pytest.approx(20.0, rel=0.05)
    assert float(whitened.values.var()) == pytest.approx(1.0, abs=0.02)
    assert float((whitened.grey_values(whitened.values) - image).abs().max()) < 1e-6 * noise.mean


def test_a_gain_wrong_by_two_is_said_with_both_numbers():
    image = camera(IdealMTF(), 12.0, 57.0, 0)
    (said,) = find_camera_noise(image, gain=114.0).warnings
    assert "114" in said and "57" in said
    assert not find_camera_noise(image, gain=57.0, dose_e_per_pixel=12.0).warnings
