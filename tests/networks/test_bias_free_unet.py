"""The denoiser's network."""

import pytest
import torch

from difftem.networks import BiasFreeUNet, DnCNN, UNet, check_alive, live_channels, receptive_field
from difftem.networks.live_channels import DeadNetworkError

SMALL = {"channels": (6, 8, 8), "blocks": (1, 1, 1), "unshuffle": 2}


def awake(network, seed=0):
    """Fill the last layer, which starts at zero."""
    generator = torch.Generator().manual_seed(seed)
    torch.nn.init.normal_(network.tail.weight, std=0.1, generator=generator)
    return network


NETWORKS = {
    "bias_free_unet": lambda: BiasFreeUNet(**SMALL),
    "dncnn": lambda: DnCNN(depth=4, channels=6),
    "unet": lambda: UNet(channels=(4, 6, 6), in_channels=2, bias=False),
}


@pytest.mark.parametrize("make", NETWORKS.values(), ids=NETWORKS.keys())
def test_an_untrained_network_is_wieners_filter(make, generator):
    inputs = torch.randn(2, 2, 32, 24, generator=generator)
    torch.testing.assert_close(make()(inputs), inputs[:, 1:], atol=0, rtol=0)


@pytest.mark.parametrize("make", NETWORKS.values(), ids=NETWORKS.keys())
@pytest.mark.parametrize("factor", [1e-3, 0.3, 40.0])
def test_the_result_scales_with_the_input(make, factor, generator):
    network, inputs = awake(make()), torch.randn(1, 2, 40, 56, generator=generator)
    with torch.no_grad():
        one, other = network(inputs), network(factor * inputs) / factor
    assert float((one - other).abs().max() / one.std()) < 1e-5
    assert float((one - inputs[:, 1:]).std()) > 0.01


@pytest.mark.parametrize("make", NETWORKS.values(), ids=NETWORKS.keys())
def test_the_result_is_the_jacobian_times_the_input(make, generator):
    network = awake(make()).double()
    inputs = torch.randn(1, 2, 32, 40, generator=generator, dtype=torch.float64)
    value, product = torch.autograd.functional.jvp(network, inputs, inputs)
    torch.testing.assert_close(product, value, atol=1e-12, rtol=1e-10)


@pytest.mark.parametrize("shape", [(1, 1), (7, 50), (33, 64), (129, 17)])
def test_any_size_keeps_its_shape(shape, generator):
    network, inputs = awake(BiasFreeUNet(**SMALL)), torch.randn(1, 2, *shape, generator=generator)
    assert network(inputs).shape == (1, 1, *shape)
    assert UNet(channels=(4, 4), in_channels=1)(inputs[:, :1]).shape == (1, 1, *shape)


def test_padding_to_the_lattice_changes_only_what_is_near_the_edge(generator):
    network = awake(BiasFreeUNet(channels=(6, 8), blocks=(1, 1), unshuffle=2)).double()
    inputs = torch.randn(1, 2, 130, 130, generator=generator, dtype=torch.float64)
    reach = receptive_field(network, size=129).everything // 2 + 1
    part = network(inputs)[..., : 128 - reach, : 128 - reach]
    whole = network(inputs[..., :128, :128])[..., : 128 - reach, : 128 - reach]
    assert reach < 60
    torch.testing.assert_close(part, whole, atol=1e-12, rtol=1e-12)


def test_the_shipped_size_is_under_three_megabytes_and_without_biases():
    network = BiasFreeUNet()
    assert not [name for name, _ in network.named_parameters() if name.endswith("bias")]
    assert 4 * sum(each.numel() for each in network.parameters()) < 3e6


def test_the_configuration_makes_the_same_network():
    network = BiasFreeUNet(**SMALL)
    again = BiasFreeUNet(**network.config)
    again.load_state_dict(network.state_dict())


def test_the_receptive_field_of_a_stack_is_known():
    network = awake(DnCNN(depth=5, channels=4))
    field = receptive_field(network, size=65)
    assert field.everything == 2 * 5 + 1
    assert 1 < field.most <= 11
    untrained = receptive_field(DnCNN(depth=5, channels=4), size=65)
    assert untrained == (1, 1)


def test_all_levels_of_a_fresh_network_live(generator):
    inputs = torch.randn(1, 2, 64, 64, generator=generator)
    live = check_alive(BiasFreeUNet(**SMALL), inputs)
    assert list(live)[:3] == ["encoder.0", "encoder.1", "encoder.2"]
    assert {"decoder.0", "decoder.1"} < live.keys()
    assert min(live.values()) == 1.0


def test_a_dead_level_is_an_error_that_names_it(generator):
    network = BiasFreeUNet(**SMALL)
    inputs = torch.randn(1, 2, 64, 64, generator=generator)
    with torch.no_grad():
        network.down[1].weight.zero_()
    with pytest.raises(DeadNetworkError, match=r"no channel of encoder\.2 varies") as caught:
        check_alive(network, inputs)
    assert "decoder" not in str(caught.value)
    with torch.no_grad():
        network.encoder[0][0].first.weight[0].zero_()
    assert live_channels(network, inputs)["encoder.0"] == pytest.approx(5 / 6)


def test_a_relu_that_a_bias_holds_shut_is_dead(generator):
    network = torch.nn.Sequential(torch.nn.Conv2d(2, 3, 3), torch.nn.ReLU())
    with torch.no_grad():
        network[0].bias.fill_(-100.0)
    inputs = torch.randn(1, 2, 16, 16, generator=generator)
    with pytest.raises(DeadNetworkError, match="no channel of 1 varies"):
        check_alive(network, inputs)


def test_what_cannot_be_watched_is_refused(generator):
    with pytest.raises(ValueError, match="inputs must vary"):
        live_channels(BiasFreeUNet(**SMALL), torch.ones(1, 2, 32, 32))
    with pytest.raises(ValueError, match="has no activations"):
        live_channels(torch.nn.Conv2d(2, 1, 3), torch.randn(1, 2, 8, 8, generator=generator))


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: BiasFreeUNet(channels=()), "channels must be at least 1"),
        (lambda: BiasFreeUNet(channels=(8, 8), blocks=(1,)), "on each of 2 levels"),
        (lambda: BiasFreeUNet(unshuffle=0), "unshuffle must be at least 1"),
        (lambda: BiasFreeUNet(in_channels=3), "in_channels must be 1 or 2"),
        (lambda: DnCNN(depth=1), "depth must be at least 2"),
        (lambda: UNet(channels=(0,)), "channels must be at least 1"),
        (lambda: BiasFreeUNet(**SMALL)(torch.zeros(1, 1, 8, 8)), r"inputs must be \(b, 2, y, x\)"),
    ],
)
def test_what_is_no_network_is_refused(make, message):
    with pytest.raises(ValueError, match=message):
        make()
