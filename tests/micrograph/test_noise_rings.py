"""The spectrum of noise by rings of blocks."""

import pytest
import torch

from difftem.micrograph.noise_rings import noise_rings


def test_white_noise_has_its_variance_in_every_ring_within_the_stated_error(generator):
    z = []
    for _ in range(4):
        rings = noise_rings(100 + 3 * torch.randn(1, 384, 384, generator=generator))
        z.append((rings.power / 9 - 1) / rings.relative_error)
    # A single ring scatters by 0.7 of the error that a fit over rings should take.
    assert 0.55 < float(torch.stack(z).square().mean().sqrt()) < 0.85
    assert float(torch.stack(z).mean()) == pytest.approx(0.0, abs=0.1)


def test_a_bead_and_a_line_of_a_gain_reference_do_not_count(generator):
    image = 100 + torch.randn(1, 512, 512, generator=generator)
    image[0, 100:130, 100:130] += 60 * torch.rand(30, 30, generator=generator)
    image[0, :, ::2] += 2
    rings = noise_rings(image)
    assert float(rings.power.mean()) == pytest.approx(1.0, abs=0.03)


def test_the_noise_of_a_dark_half_is_brought_to_the_mean(generator):
    rate = torch.full((1, 512, 512), 30.0)
    rate[..., :256] = 10.0
    counts = torch.poisson(rate, generator)
    assert float(noise_rings(counts).power.mean()) == pytest.approx(20.0, rel=0.02)


def test_differences_of_exposures_have_the_noise_of_one(generator):
    structure = torch.randn(512, 512, generator=generator) * 5
    noise = torch.randn(5, 512, 512, generator=generator)
    rings = noise_rings(50 + structure + noise)
    assert rings.differences
    assert float(rings.power.mean()) == pytest.approx(1.0, rel=0.02)
