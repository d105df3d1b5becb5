"""The network for atoms."""

import pytest
import torch
from torch.nn import functional as F

from difftem.functional.window_wiener import window_wiener
from difftem.io.weights import write_weights
from difftem.networks import LatticeUNet, check_alive
from difftem.workflows.denoise.load_network import load_network

SMALL = {"channels": [6, 8], "blocks": [1, 1], "unshuffle": 4, "sides": [8, 16]}


def test_an_untrained_network_is_the_filter_of_its_last_windows(generator):
    counts = torch.randn(1, 1, 64, 96, generator=generator) + 2.0
    found = LatticeUNet(**SMALL)(counts)
    coarse = window_wiener(F.avg_pool2d(counts, 4)[:, 0] * 4, 16, 0.24) / 4
    wanted = F.interpolate(coarse[:, None], scale_factor=4.0, mode="bilinear")
    torch.testing.assert_close(found, wanted)


def test_weights_make_the_same_network_again(tmp_path, generator):
    network = LatticeUNet(**SMALL)
    torch.nn.init.normal_(network.tail.weight, std=0.1, generator=generator)
    account = {"network": {"class": "LatticeUNet", "config": network.config}}
    write_weights(tmp_path / "a.safetensors", network.state_dict(), account)
    again = load_network(tmp_path / "a.safetensors")
    counts = torch.randn(1, 1, 50, 70, generator=generator)
    with torch.no_grad():
        one, other = network(counts), again(counts)
    torch.testing.assert_close(one, other)
    assert one.shape == counts.shape
    assert min(check_alive(network, counts).values()) == 1.0


def test_training_reaches_every_weight_in_mixed_precision(generator):
    network = LatticeUNet(**SMALL)
    torch.nn.init.normal_(network.tail.weight, std=0.1, generator=generator)
    with torch.autocast("cpu", torch.bfloat16):
        found = network(torch.randn(1, 1, 64, 64, generator=generator))
    found.float().square().mean().backward()
    assert all(float(each.grad.abs().sum()) > 0 for each in network.parameters())


def test_nothing_beyond_what_it_sees_changes_a_pixel(generator):
    network = LatticeUNet(**SMALL)
    torch.nn.init.normal_(network.tail.weight, std=0.1, generator=generator)
    counts = torch.randn(1, 1, 32, 640, generator=generator)
    pixel = 320
    first, last = network.sees((pixel, pixel))
    assert 320 - first < 200
    other = counts.clone()
    other[..., :first] += 3.0
    other[..., last + 1 :] -= 3.0
    with torch.no_grad():
        one, two = network(counts)[0, 0, :, pixel], network(other)[0, 0, :, pixel]
    torch.testing.assert_close(one, two, rtol=0, atol=1e-5)


@pytest.mark.parametrize("sides", [[], [7], [9, 16], [4]])
def test_windows_are_even_and_not_too_small(sides):
    with pytest.raises(ValueError, match="sides must be even and at least 8"):
        LatticeUNet(**SMALL | {"sides": sides})
