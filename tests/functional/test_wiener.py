import pytest
import torch

from difftem.functional.cosine import cosine_transform
from difftem.functional.wiener import wiener_estimate, wiener_gain
from tests.helpers.random_field import mean_over_frequencies, random_field


def signal_power(q):
    """Like a micrograph's: strong in the middle, dark between two Thon rings."""
    return 8 / (1 + (q / 0.04) ** 2) ** 1.5 * torch.sin(200 * q**2 + 0.4) ** 2


@pytest.mark.parametrize("shape", [(512, 512), (401, 640)])
def test_the_error_is_that_of_theory(shape, generator):
    truth = random_field(signal_power, shape, generator)
    noisy = truth + torch.randn(shape, generator=generator)
    error = (wiener_estimate(noisy) - truth).square().mean().item()
    least = mean_over_frequencies(lambda q: signal_power(q) / (1 + signal_power(q)))
    assert error == pytest.approx(least, rel=0.03)


def test_the_gain_is_that_of_theory_in_every_band(generator):
    truth = random_field(signal_power, (1024, 1024), generator)
    gain = wiener_gain(cosine_transform(truth + torch.randn(1024, 1024, generator=generator)))
    diagonal = torch.arange(20, 300)  # ky = kx
    power = signal_power(diagonal * 2**0.5 / 2048)
    got, expected = gain[diagonal, diagonal], power / (1 + power)
    assert (got - expected).abs().max() < 0.08  # 4 % of the frequency are smoothed together
    assert (got - expected).abs().mean() < 0.015


def test_noise_alone_leaves_nearly_nothing(generator):
    noise = torch.randn(4, 512, 512, generator=generator)
    energy = (wiener_estimate(noise) - noise.mean((-2, -1), keepdim=True)).square().mean((-2, -1))
    assert energy.mean() < 1.5e-4  # 39 of 262 144 ordinates' worth
    assert wiener_gain(cosine_transform(noise))[..., 30:, 30:].mean() < 2e-3


def test_a_ring_at_one_standard_error_keeps_half_of_its_gain():
    # A quarter of a circle has pi r / 2 ordinates per ring; a Gaussian of 0.04 r averages
    # 2 sqrt(pi) times its width.
    r = 60 * 2**0.5
    n = torch.pi / 2 * r * 2 * torch.pi**0.5 * 0.04 * r
    error = (2 / n) ** 0.5
    for signal, part in [(error, 0.5), (3 * error, 0.9)]:
        gain = wiener_gain(torch.full((256, 256), (1 + signal) ** 0.5))[60, 60].item()
        assert gain == pytest.approx(part * signal / (1 + signal), rel=0.02)


def test_images_of_a_batch_do_not_see_one_another(generator):
    images = torch.randn(2, 3, 33, 40, generator=generator) + torch.linspace(-1, 1, 40)
    alone = torch.stack([torch.stack([wiener_estimate(each) for each in row]) for row in images])
    torch.testing.assert_close(wiener_estimate(images), alone, atol=1e-5, rtol=0)


@pytest.mark.parametrize("shape", [(1, 1), (1, 7), (2, 2), (5, 3), (37, 64)])
def test_any_size_has_an_estimate_that_keeps_the_mean(shape, generator):
    image = torch.randn(shape, generator=generator) + 0.3
    estimate = wiener_estimate(image)
    assert estimate.shape == image.shape and estimate.dtype == torch.float32
    assert estimate.mean().item() == pytest.approx(image.mean().item(), abs=1e-5)
    assert estimate.square().sum() <= image.square().sum()


def test_the_edges_of_a_ramp_do_not_ring(generator):
    ramp = torch.linspace(-3, 3, 256).expand(256, 256)
    noisy = ramp + torch.randn(256, 256, generator=generator)
    error = (wiener_estimate(noisy) - ramp).square()
    assert error[:, :4].mean() < 0.06  # 9 at the edges of a filter that takes it for periodic


def test_the_gain_has_a_gradient(generator):
    spectrum = torch.randn(4, 3, generator=generator, dtype=torch.float64) * 3
    assert torch.autograd.gradcheck(wiener_gain, spectrum.requires_grad_())
