import math

import pytest
import scipy.ndimage
import scipy.optimize
import torch

from difftem.baselines.gaussian import best_width, gaussian
from difftem.functional.cosine import cosine_transform
from tests.helpers.random_field import mean_over_frequencies, random_field


def signal_power(q):
    return 30 / (1 + (q / 0.03) ** 2) ** 2


def theory(width):
    """Mean square error of a Gaussian filter: noise that passes and signal that does not."""

    def error(q):
        gain = torch.exp(-2 * (math.pi * width * q) ** 2)
        return gain**2 + (1 - gain) ** 2 * signal_power(q)

    return mean_over_frequencies(error, 256)


def test_width_and_error_are_the_best_of_theory(generator):
    best = scipy.optimize.minimize_scalar(theory, bounds=(0.3, 20), method="bounded")
    truth = random_field(signal_power, (500, 403), generator)
    noisy = truth + torch.randn(truth.shape, generator=generator)
    assert best_width(cosine_transform(noisy)) == pytest.approx(best.x, rel=0.05)
    error = (gaussian(noisy[None], 20.0) - truth).square().mean().item()
    assert error == pytest.approx(best.fun, rel=0.04)


def test_the_filter_is_scipys_with_mirrored_edges(generator):
    image = random_field(signal_power, (61, 48), generator) * 3
    width = best_width(cosine_transform(image))
    expected = scipy.ndimage.gaussian_filter(image.numpy(), width, mode="reflect", truncate=8)
    got = gaussian(image[None], 20.0)
    torch.testing.assert_close(got, torch.from_numpy(expected), atol=2e-3, rtol=0)
    assert 0.3 < width < 10


def test_the_width_predicts_held_out_counts_best(generator):
    truth = random_field(signal_power, (256, 256), generator)
    counts = torch.poisson(200 + truth.clamp(-10, 10) * 200**0.5, generator)
    width = best_width(cosine_transform((counts - 200) / 200**0.5))
    kept = torch.binomial(counts, torch.full_like(counts, 0.97), generator=generator)

    def worth(sigma):
        seen = (kept - 194) / 0.97 / 200**0.5
        prediction = scipy.ndimage.gaussian_filter(seen.numpy(), sigma, mode="reflect")
        rate = (200 + torch.from_numpy(prediction) * 200**0.5) * 0.03
        return ((counts - kept) * rate.log() - rate).sum().item()

    tried = {sigma: worth(sigma) for sigma in (0.4 * width, width, 2.5 * width)}
    assert max(tried, key=tried.get) == width
    assert tried[width] - worth(1e-3) > 100


def test_noise_alone_is_smoothed_away(generator):
    noise = torch.randn(1, 256, 256, generator=generator)
    assert gaussian(noise, 5.0).square().mean() < 1e-3
