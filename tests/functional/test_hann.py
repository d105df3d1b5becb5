import pytest
import torch

from difftem.functional.hann import fade_to_edges, hann_window
from difftem.functional.whiteness import ring_power


def test_noise_keeps_its_mean_power_and_there_is_no_mean(generator):
    image = 50 + torch.randn(20, 128, 120, generator=generator)
    faded = fade_to_edges(image)
    assert faded.square().mean().item() == pytest.approx(1, rel=0.02)
    assert faded.sum((-2, -1)).abs().max().item() < 1e-8
    sums = ring_power(faded, 8).sum(0)
    assert (sums[0] / sums[1])[1:].tolist() == pytest.approx([1] * 8, rel=0.05)


def test_a_wave_that_does_not_close_leaks_to_its_neighbours_only():
    x = torch.arange(256, dtype=torch.float64)
    image = torch.sin(2 * torch.pi * 8.4 * x / 256 + 0.3).expand(256, 256)
    sums, leaking = (ring_power(each, 32)[0] for each in (fade_to_edges(image), image))
    assert (sums[16:] / sums.sum()).max().item() < 1e-9
    assert (leaking[16:] / leaking.sum()).max().item() > 1e-5


def test_the_window_of_a_volume_is_that_of_its_axes():
    window = hann_window((6, 8, 10))
    one = [hann_window((n,)) for n in (6, 8, 10)]
    assert torch.allclose(window, torch.einsum("z,y,x->zyx", *one))
    assert window.square().mean().item() == pytest.approx(1)
