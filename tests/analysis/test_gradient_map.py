import math

import pytest
import torch
from torch import nn

from difftem.analysis.gradient_map import gradient_maps, network_function, wiener_function
from difftem.networks import BiasFreeUNet, DnCNN, LatticeUNet, UNet
from tests.helpers.synthetic_columns import columns_image

PLACES = [(x, y) for y in range(16, 80, 16) for x in range(16, 80, 16)]


@pytest.fixture(scope="module")
def values():
    generator = torch.Generator().manual_seed(0)
    counts = torch.poisson(columns_image(PLACES, 96), generator=generator).float()
    return (counts - counts.mean()) / counts.mean().sqrt()


def small_unet(in_channels):
    torch.manual_seed(0)
    network = BiasFreeUNet((8, 8), (1, 1), 2, in_channels)
    nn.init.normal_(network.tail.weight, std=0.1)
    return network.eval()


@pytest.mark.parametrize("in_channels", [1, 2])
def test_networks_without_biases_are_their_jacobian_times_the_counts(values, in_channels):
    function = network_function(small_unet(in_channels), values)
    scale = float(function(values).detach().std())
    for found in gradient_maps(function, values, [(48, 48), (3, 90)]):
        assert abs(found.net_bias) < 1e-5 * max(scale, abs(found.value))
        assert found.value == pytest.approx(float(function(values).detach()[found.pixel]))


def test_a_network_with_windows_is_its_jacobian_with_their_gains_held(values):
    torch.manual_seed(0)
    network = LatticeUNet((8, 8), (1, 1), 2, (16, 24)).eval()
    nn.init.normal_(network.tail.weight, std=0.1)
    function = network_function(network, values)
    for found in gradient_maps(function, values, [(48, 48), (3, 90)]):
        assert abs(found.net_bias) < 1e-5 * max(1, abs(found.value))
        assert int(found.row.count_nonzero()) > 24**2  # windows reach further than convolutions


def test_a_bias_shows():
    network = UNet((4, 4), bias=True, residual=False).eval()
    nn.init.constant_(network.tail.bias, 0.7)
    values = torch.randn(32, 32)
    (found,) = gradient_maps(network_function(network, values), values, [(16, 16)])
    assert found.net_bias == pytest.approx(0.7, abs=1e-4)


def test_the_row_is_that_of_finite_differences_through_both_inputs(values):
    network, at = small_unet(2).double(), values.double()
    function = network_function(network, at)
    (found,) = gradient_maps(function, at, [(40, 44)])
    for y, x in ((40, 44), (41, 40), (20, 70)):
        step = torch.zeros_like(at)
        step[y, x] = 1e-6
        slope = (function(at + step)[40, 44] - function(at - step)[40, 44]) / 2e-6
        assert float(found.row[y, x]) == pytest.approx(float(slope.detach()), abs=1e-8)
    # Wiener's estimate reaches further than the convolutions of the network.
    alone = gradient_maps(network_function(small_unet(1).double(), at), at, [(40, 44)])[0]
    assert float(alone.row[:8].abs().max()) == 0 < float(found.row[:8].abs().max())


def test_wieners_filter_is_its_own_map(values):
    function = wiener_function(values)
    (found,) = gradient_maps(function, values, [(30, 50)])
    impulse = torch.zeros_like(values)
    impulse[30, 50] = 1.0
    assert torch.allclose(found.row, function(impulse), atol=1e-6)  # the filter is symmetric


def test_energy_and_averaged_pixels_of_a_box(values):
    side = 7

    def box(x):
        return nn.functional.avg_pool2d(x[None, None], side, 1, side // 2)[0, 0]

    (found,) = gradient_maps(box, values, [(50, 60)])
    assert found.averaged_pixels == pytest.approx(side**2)
    assert found.energy_beyond(math.hypot(3, 3)) == 0
    assert found.energy_beyond(0.5) == pytest.approx(48 / 49)
    within = found.energy_within(torch.tensor([0.5, 1.0, 10.0]))
    assert within.tolist() == pytest.approx([1 / 49, 5 / 49, 1])


def test_lobes_tell_weights_on_columns_from_even_ones(values):
    positions = torch.tensor(PLACES, dtype=torch.float64)
    (even,) = gradient_maps(lambda x: x.mean().expand(96, 96), values, [(48, 48)])
    assert even.lobes(positions, 3.0, 40.0) == pytest.approx(1)
    image = columns_image(PLACES, 96, level=1.0).float() - 1

    def of_columns(x):
        return (x * image).sum().expand(96, 96)

    (found,) = gradient_maps(of_columns, values, [(48, 48)])
    assert found.lobes(positions, 3.0, 40.0) > 5
    assert math.isnan(found.lobes(positions[:0], 3.0, 40.0))


def test_a_pixel_outside_is_refused(values):
    with pytest.raises(ValueError, match=r"pixel x 96, y 0 must lie in the image of 96 x 96"):
        gradient_maps(lambda x: x, values, [(0, 96)])


def test_a_network_that_starts_as_the_identity_has_a_row_of_one_pixel(values):
    (found,) = gradient_maps(network_function(DnCNN(3, 4, 1).eval(), values), values, [(5, 6)])
    assert found.averaged_pixels == pytest.approx(1)
    assert found.row[5, 6] == 1
