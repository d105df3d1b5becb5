"""Wiener's filter in windows."""

import math

import pytest
import torch

from difftem.functional.wiener import wiener_estimate
from difftem.functional.window_wiener import window_wiener


def lattice(shape, spacing, amplitude):
    y, x = torch.meshgrid(*(torch.arange(n, dtype=torch.float64) for n in shape), indexing="ij")
    wave = torch.cos(2 * math.pi * (x + 0.3 * y) / spacing)
    return amplitude * wave * torch.cos(2 * math.pi * y / spacing)


@pytest.mark.parametrize("shape", [(96, 96), (50, 71), (9, 200), (4, 4)])
def test_a_constant_stays_in_images_of_any_size(shape):
    found = window_wiener(torch.full((2, *shape), 1.7, dtype=torch.float64), 32)
    torch.testing.assert_close(found, torch.full_like(found, 1.7), rtol=0, atol=1e-12)


def test_of_noise_next_to_nothing_is_left(generator):
    noise = torch.randn(4, 256, 256, generator=generator)
    found = window_wiener(noise, 64, 0.25)
    assert float(found.var()) < 0.006  # the windows' means alone have 0.002


def test_a_strong_lattice_stays_as_it_is():
    image = lattice((160, 200), 11.3, 40.0)[None]
    found = window_wiener(image, 64)
    inside = (..., slice(48, -48), slice(48, -48))
    assert float((found - image)[inside].square().mean() / image[inside].square().mean()) < 1e-3


def test_a_weak_lattice_is_found_better_than_by_a_radial_gain(generator):
    image = lattice((256, 256), 12.0, 0.5)[None]
    image[..., :100, :] = 0.0
    noisy = image + torch.randn(1, 256, 256, generator=generator, dtype=torch.float64)
    errors = [
        float((found - image).square().mean())
        for found in (window_wiener(noisy, 64), wiener_estimate(noisy), torch.zeros_like(noisy))
    ]
    assert errors[0] < 0.8 * errors[1] < 0.4 * errors[2]


def test_nothing_is_left_beyond_the_cutoff():
    fine, coarse = (lattice((128, 128), spacing, 30.0)[None] for spacing in (4.0, 20.0))
    assert float(window_wiener(fine, 64, 0.1).std()) < 0.02 * float(fine.std())
    kept = window_wiener(coarse, 64, 0.1)[..., 32:-32, 32:-32]
    assert float((kept - coarse[..., 32:-32, 32:-32]).std()) < 0.05 * float(coarse.std())
