"""What networks see: computed from their structure, and where their gradients are not zero."""

import pytest
import torch

from difftem.networks import BiasFreeUNet, DnCNN, UNet, computed_field, receptive_field

# Of one or two channels: the field does not depend on them.
NETWORKS = {
    "dncnn": (lambda: DnCNN(depth=20, channels=2, in_channels=1), (41, 41, 41)),
    "unshuffled stack": (
        lambda: DnCNN(depth=5, channels=2, in_channels=1, unshuffle=4, residual=False),
        (44, 44, 47),
    ),
    "small unet": (lambda: UNet([2, 2, 2]), (44, 44, 47)),
    "unet": (lambda: UNet([1] * 4, convolutions=5), (222, 230, 235)),
    "uneven unet": (lambda: UNet([2, 2, 2], convolutions=[1, 3, 2]), (46, 50, 51)),
    "bias-free unet": (
        lambda: BiasFreeUNet([2] * 4, [1] * 4, unshuffle=4, in_channels=1),
        (376, 408, 431),
    ),
    "deeper levels": (lambda: BiasFreeUNet([2, 2], [2, 1], 2, in_channels=1), (60, 60, 63)),
}


def positive(network):
    """Make every weight positive, so that no path to a pixel cancels another."""
    with torch.no_grad():
        for each in network.parameters():
            each.fill_(0.1 if each.ndim > 1 else 0.0)
    return network


@pytest.mark.parametrize(("make", "field"), NETWORKS.values(), ids=NETWORKS.keys())
def test_the_computed_field_is_the_measured_one(make, field):
    network = positive(make())
    assert computed_field(network) == field
    size = max(64, -(-2 * field[2] // network.lattice) * network.lattice)
    found = receptive_field(network, channels=1, size=size, pixels=1)
    # One place on the lattice of many: no less than the least seen, no more than everything.
    assert field[0] <= found.everything <= field[2]


@pytest.mark.parametrize(("make", "field"), NETWORKS.values(), ids=NETWORKS.keys())
def test_gradients_begin_and_end_where_the_network_says(make, field):
    network = positive(make()).double()
    lattice = network.lattice
    size = -(-(field[2] + 2 * lattice) // lattice) * lattice
    middle = size // 2 // lattice * lattice
    inputs = torch.ones(1, 1, size, size, dtype=torch.float64, requires_grad=True)
    output = network(inputs)
    for place in sorted({0, lattice // 2, lattice - 1}):
        pixel = middle + place
        (gradient,) = torch.autograd.grad(output[0, 0, pixel, pixel], inputs, retain_graph=True)
        for axis in (0, 1):
            seen = gradient[0, 0].abs().sum(axis).nonzero().flatten()
            assert (int(seen[0]), int(seen[-1])) == network.sees((pixel, pixel))
        assert bool((gradient[0, 0].abs().sum(0)[seen] > 0).all())


def test_a_network_of_seven_levels_sees_beyond_a_frame():
    network = UNet([1] * 6, convolutions=[5, 5, 5, 5, 5, 4])
    assert computed_field(network) == (886, 918, 939)


@pytest.mark.parametrize("convolutions", [0, [2, 2], [2, 0, 2]])
def test_convolutions_are_at_least_one_on_each_level(convolutions):
    with pytest.raises(ValueError, match="convolutions must be at least 1 on each of 3 levels"):
        UNet([2, 2, 2], convolutions=convolutions)


def test_a_stack_behind_an_unshuffle_keeps_sizes_and_amplitudes(generator):
    network = DnCNN(depth=3, channels=4, in_channels=1, unshuffle=4, residual=False)
    inputs = torch.randn(1, 1, 30, 41, generator=generator)
    with torch.no_grad():
        one = network(inputs)
        torch.testing.assert_close(network(3 * inputs), 3 * one)
    assert one.shape == inputs.shape
    assert float(one.std()) > 0.01
