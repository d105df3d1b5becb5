"""What grey values tell before any spectrum."""

import pytest
import torch

from difftem.micrograph.grey_values import is_byte_picture, saturated, value_step


@pytest.mark.parametrize("step", [1.0, 0.25, 3.7, 1 / 40])
def test_the_step_of_counts_is_found(step, generator):
    counts = torch.poisson(torch.full((200, 200), 30.0), generator)
    assert value_step(step * counts) == pytest.approx(step, rel=1e-5)


def test_finer_values_have_no_step(generator):
    assert value_step(torch.randn(200, 200, generator=generator)) is None
    assert value_step((1e4 * torch.randn(200, 200, generator=generator)).round()) is None


@pytest.mark.parametrize("electrons", [0.02, 0.45, 2.0, 30.0])
@pytest.mark.parametrize("gain", [1.0, 0.37])
def test_counts_are_not_clipped(electrons, gain, generator):
    counts = torch.poisson(torch.full((1000, 1000), electrons), generator)
    assert saturated(gain * counts, electrons) is None


@pytest.mark.parametrize("sigmas", [0.0, 1.0, 2.0, 3.0])
def test_clipped_ends_are_named(sigmas, generator):
    image = 500 + 20 * torch.randn(1000, 1000, generator=generator)
    assert saturated(image, 100.0) is None
    assert "highest" in saturated(image.clamp(max=500 + 20 * sigmas), 100.0)
    assert "lowest" in saturated(image.clamp(min=500 - 20 * sigmas), 100.0)
    assert "highest" in saturated(image.clamp(max=500 + 20 * sigmas).round(), 100.0)


def test_whole_numbers_of_eight_bits_are_known():
    assert is_byte_picture(torch.tensor([[0.0, 255.0]]))
    assert is_byte_picture(torch.tensor([[-128.0, 127.0]]))
    assert not is_byte_picture(torch.tensor([[0.0, 256.0]]))
    assert not is_byte_picture(torch.tensor([[0.0, 2.5]]))
