import pytest
import torch
from torch import nn

from difftem.networks import Noise2NoiseUNet, check_alive

# Lehtinen et al., table 2: channels into and out of every convolution, in its order, n = m = 1.
TABLE = [
    (1, 48), (48, 48), (48, 48), (48, 48), (48, 48), (48, 48), (48, 48),
    (96, 96), (96, 96), (144, 96), (96, 96), (144, 96), (96, 96), (144, 96), (96, 96),
    (97, 64), (64, 32), (32, 1),
]  # fmt: skip


def test_convolutions_are_those_of_the_paper_in_the_order_of_the_paper():
    network = Noise2NoiseUNet()
    seen = []

    def note(module, inputs, output):
        seen.append((inputs[0].shape[1], output.shape[1], inputs[0].shape[-1]))

    for each in network.modules():
        if isinstance(each, nn.Conv2d):
            assert each.kernel_size == (3, 3) and each.bias is not None
            each.register_forward_hook(note)
    with torch.no_grad():
        assert network(torch.zeros(1, 1, 64, 64)).shape == (1, 1, 64, 64)
    assert [(a, b) for a, b, _ in seen] == TABLE
    sides = [64, 64, 32, 16, 8, 4, 2, 4, 4, 8, 8, 16, 16, 32, 32, 64, 64, 64]
    assert [side for *_, side in seen] == sides
    slopes = {e.negative_slope for e in network.modules() if isinstance(e, nn.LeakyReLU)}
    assert slopes == {0.1}


def test_all_of_it_is_alive_at_the_start_and_any_size_keeps_its_shape(generator):
    network = Noise2NoiseUNet(channels=6, levels=2, last=(6, 4))
    live = check_alive(network, torch.randn(2, 1, 64, 64, generator=generator))
    assert list(live) == ["encoder.0", "encoder.1", "encoder.2", "decoder.1", "decoder.0"]
    for shape in ((1, 1), (7, 50), (33, 64)):
        assert network(torch.randn(1, 1, *shape, generator=generator)).shape == (1, 1, *shape)


def test_it_learns_a_clean_image_from_pairs_of_noisy_ones(generator):
    torch.manual_seed(0)
    network = Noise2NoiseUNet(channels=8, levels=2, last=(8, 8))
    clean = 3 * torch.sin(torch.arange(32.0) / 3).expand(8, 1, 32, 32)
    adam = torch.optim.Adam(network.parameters(), 3e-3)

    def noisy():
        return clean + torch.randn(clean.shape, generator=generator)

    for _ in range(80):
        loss = (network(noisy()) - noisy()).square().mean()
        adam.zero_grad()
        loss.backward()
        adam.step()
    with torch.no_grad():
        error = (network(noisy()) - clean).square().mean()
    assert error < 0.25


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"channels": 0}, "channels must be at least 1, got 0"),
        ({"levels": 0}, "levels must be at least 1, got 0"),
        ({"last": ()}, "last must be at least 1, got 0"),
    ],
)
def test_numbers_out_of_range_are_refused(settings, message):
    with pytest.raises(ValueError, match=message):
        Noise2NoiseUNet(**settings)


def test_another_number_of_channels_is_refused():
    with pytest.raises(ValueError, match=r"inputs must be \(b, 1, y, x\), got \(1, 2, 8, 8\)"):
        Noise2NoiseUNet(channels=2, levels=1, last=(2,))(torch.zeros(1, 2, 8, 8))
