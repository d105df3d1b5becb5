"""A network that knows the deviation of what a denoiser makes."""

import torch

from difftem.networks.deviation import DeviationNetwork, image_features, local_features
from difftem.workflows.denoise.deviation import network_deviation
from difftem.workflows.denoise.train_deviation import deviation_samples, train_deviation


class Wiener(torch.nn.Module):
    """Pass Wiener's estimate on."""

    def forward(self, inputs):
        return inputs[:, 1:]


def images(generator, n=6, side=96):
    """Estimates whose errors grow with what they show."""
    shown = torch.randn(n, 1, side, side, generator=generator) * torch.linspace(0.05, 1, side)
    level = torch.logspace(-1, 1, n)[:, None, None, None]
    wiener = level * shown
    local = (0.02 + wiener.square().mean(-2, keepdim=True)).sqrt()
    error = 0.4 * local * torch.randn(wiener.shape, generator=generator)
    return {"noisy": wiener, "wiener": wiener, "target": wiener - error}


def test_two_thirds_of_new_pixels_lie_within_the_deviation_where_much_is_seen_and_where_little(
    generator,
):
    samples = deviation_samples(Wiener(), [images(generator), images(generator)], generator)
    network = train_deviation(samples, steps=400)
    fresh = images(generator)
    for wiener, target in zip(fresh["wiener"][:, 0], fresh["target"][:, 0], strict=True):
        within = (wiener - target).abs() < network_deviation(network, wiener, wiener)
        assert abs(within[:, :48].float().mean() - 0.683) < 0.07
        assert abs(within[:, 48:].float().mean() - 0.683) < 0.07


def test_samples_of_the_same_seed_train_the_same_network(generator):
    samples = deviation_samples(Wiener(), [images(generator)], generator)
    one, two = (train_deviation(samples, steps=5, seed=3) for _ in range(2))
    for a, b in zip(one.state_dict().values(), two.state_dict().values(), strict=True):
        assert torch.equal(a, b)


def test_tiles_give_what_the_whole_image_gives(generator):
    network = DeviationNetwork()
    torch.nn.init.normal_(network.last.weight, std=0.2)
    estimate = torch.randn(700, 540, generator=generator)
    wiener = 0.5 * estimate
    found = network_deviation(network, estimate, wiener)
    maps = local_features(estimate, wiener)
    whole = image_features(estimate, wiener)[:, None, None].expand(-1, 700, 540)
    with torch.no_grad():
        wanted = network(torch.cat([maps, whole]).permute(1, 2, 0)).exp()
    assert found.shape == (700, 540)
    inside = (found / wanted - 1)[140:-140, 140:-140]  # blurs are circular
    assert inside.abs().max() < 0.02


def test_an_untrained_network_says_what_is_seen_nearby(generator):
    estimate = 0.3 * torch.randn(128, 128, generator=generator)
    found = network_deviation(DeviationNetwork(), estimate, estimate)
    assert abs(found.mean() / 0.3 - 1) < 0.05
