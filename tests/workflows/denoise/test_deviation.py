"""Errors that are known without the truth."""

import math

import torch
from torch.nn.functional import interpolate

from difftem.functional.error_features import N_FEATURES, error_features
from difftem.functional.grid import frequency_grid, radius
from difftem.functional.mtf import apply_transfer
from difftem.workflows.denoise.deviation import (
    error_model_by_sure,
    fit_error_model,
    standard_deviation,
)


def blurred(exposures, electrons, generator):
    q = radius(frequency_grid(tuple(exposures.shape[-2:]), 1.0, half=True)).float()
    return apply_transfer(exposures.mean(0), torch.exp(-2 * (1.5 * math.pi * q) ** 2))


def scene(n, generator):
    """Rough patches on an empty ground."""
    where = interpolate(torch.randn(1, 1, 6, 6, generator=generator), n, mode="bicubic") > 0.4
    rough = interpolate(torch.randn(1, 1, n // 3, n // 3, generator=generator), n, mode="bilinear")
    return where[0, 0].float() * rough[0, 0], where[0, 0]


def test_features_are_not_negative_and_scale_as_a_square(generator):
    estimate = torch.randn(65, 80, generator=generator)
    features = error_features(estimate)
    assert features.shape == (N_FEATURES, 65, 80)
    assert (features >= 0).all()
    assert torch.allclose(error_features(3 * estimate)[1:], 9 * features[1:], rtol=1e-4, atol=1e-4)


def test_a_variance_made_of_features_is_found(generator):
    estimate = torch.randn(512, 512, generator=generator)
    wanted = [0.5, 0.0, 0.3, 0.0, 0.2, 0.0]
    variance = torch.einsum("k,kyx->yx", torch.tensor(wanted), error_features(estimate))
    error = variance.sqrt() * torch.randn(512, 512, generator=generator)
    weights = fit_error_model([estimate], [error.square()])
    found = standard_deviation(estimate, weights)
    assert ((found / variance.sqrt() - 1).abs() < 0.05).all()
    assert min(weights) >= 0


def test_stein_finds_the_error_without_the_truth_for_one_exposure_and_several(generator):
    truth, _ = scene(512, generator)
    truth = truth - truth.mean()
    for n, electrons in ((1, 20.0), (4, 2.0)):
        rate = (electrons + math.sqrt(electrons) * truth * 0.4).clamp(min=0).expand(n, -1, -1)
        exposures = (torch.poisson(rate, generator=generator) - electrons) / math.sqrt(electrons)
        estimate = blurred(exposures, electrons, None)
        weights = error_model_by_sure(blurred, exposures, electrons, estimate, generator)
        deviation = standard_deviation(estimate, weights)
        error = (estimate - 0.4 * truth).square().mean()
        scatter = math.sqrt(2 / estimate.numel()) / n  # of the mean squared noise
        assert abs(deviation.square().mean() - error) < 3 * scatter


def test_two_thirds_of_the_pixels_lie_within_one_deviation_inside_and_outside(generator):
    truth, rough = scene(512, generator)
    exposures = (truth + torch.randn(512, 512, generator=generator))[None]
    estimate = blurred(exposures, 1e4, None)
    weights = error_model_by_sure(blurred, exposures, 1e4, estimate, generator)
    within = (estimate - truth).abs() < standard_deviation(estimate, weights)
    assert abs(within.float().mean() - 0.683) < 0.05
    assert abs(within[rough].float().mean() - 0.683) < 0.1
    assert abs(within[~rough].float().mean() - 0.683) < 0.1
