import pytest
import torch
from torch import nn
from torch.nn import functional as F

from difftem.networks import BiasFreeUNet
from difftem.workflows.denoise.tiles import cut_tiles, run_in_tiles


class Pyramid(nn.Module):
    """Three levels on unshuffled images, seen as far as a halo of 96 pixels; random weights."""

    lattice = 16

    def __init__(self):
        super().__init__()
        torch.manual_seed(0)
        self.head = nn.Conv2d(32, 8, 3, padding=1, bias=False)
        self.down = nn.Conv2d(8, 8, 2, 2, bias=False)
        self.deep = nn.Conv2d(8, 8, 3, padding=1, bias=False)
        self.tail = nn.Conv2d(8, 16, 3, padding=1, bias=False)

    def forward(self, inputs):
        ny, nx = inputs.shape[-2:]
        whole = F.pad(inputs, (0, -nx % 16, 0, -ny % 16), mode="reflect")
        x = F.leaky_relu(self.head(F.pixel_unshuffle(whole, 4)))
        deep = F.leaky_relu(self.deep(self.down(self.down(x))))
        x = x + F.interpolate(deep, scale_factor=4.0)
        return F.pixel_shuffle(self.tail(x), 4)[..., :ny, :nx] + inputs[:, 1:]


@pytest.mark.parametrize("shape", [(64, 64), (200, 333), (17, 130), (257, 31)])
@pytest.mark.parametrize("halo", [0, 40])
def test_what_is_kept_of_the_tiles_covers_an_image_once(shape, halo):
    count = torch.zeros(shape)
    for tile in cut_tiles(shape, 96, halo, 16):
        count[tile.kept[0], tile.kept[1]] += 1
        for window, kept, inside in zip(*tile, strict=True):
            assert window.start % 16 == 0
            assert window.start + inside.start == kept.start
            assert kept.stop - kept.start == inside.stop - inside.start <= 96
    assert bool((count == 1).all())


@pytest.mark.parametrize("shape", [(256, 256), (203, 310)])
def test_tiles_are_the_whole_image_where_the_halo_holds_all_that_is_seen(shape, generator):
    network = Pyramid()
    noisy, wiener = torch.randn(2, *shape, generator=generator)
    with torch.no_grad():
        whole = network(torch.stack([noisy, wiener])[None])[0, 0]
    tiled = run_in_tiles(network, noisy, wiener, side=64, halo=96)
    assert float((tiled - whole).std()) < 1e-5 * float(whole.std())
    cut = run_in_tiles(network, noisy, wiener, side=64, halo=0)
    assert float((cut - whole).std()) > 0.01 * float(whole.std())  # or the test would see nothing


def test_the_shipped_kind_of_network_has_no_seams(generator):
    torch.manual_seed(0)
    network = BiasFreeUNet()
    nn.init.normal_(network.tail.weight, std=0.02)
    noisy, wiener = torch.randn(2, 608, 832, generator=generator)
    with torch.no_grad():
        whole = network(torch.stack([noisy, wiener])[None])[0, 0]
    tiled = run_in_tiles(network, noisy, wiener, side=256)
    assert float((tiled - whole).std()) < 0.003 * float((whole - wiener).std())
    change = (tiled - tiled.roll(1, 0)).abs().mean(1)
    border = change[[256, 512]].mean() / change[[128, 200, 300, 400, 450, 550]].mean()
    assert 0.9 < float(border) < 1.1


def test_rotations_make_the_estimate_turn_with_the_image(generator):
    network = Pyramid()
    noisy, wiener = torch.randn(2, 128, 128, generator=generator)
    one = run_in_tiles(network, noisy, wiener, side=64, halo=96, rotations=True)
    turned = run_in_tiles(network, noisy.rot90(), wiener.rot90(), side=64, halo=96, rotations=True)
    assert torch.allclose(turned, one.rot90(), atol=1e-5)
    plain = run_in_tiles(network, noisy, wiener, side=64, halo=96)
    assert not torch.allclose(plain, one, atol=1e-2)
