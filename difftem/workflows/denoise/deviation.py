"""How far an estimate is from the truth, pixel by pixel, without the truth."""

import math
from collections.abc import Sequence

import numpy as np
import torch
from scipy.optimize import nnls
from torch import Tensor

from difftem.functional.error_features import each_error_feature, error_features
from difftem.networks.deviation import (
    REACH,
    DeviationNetwork,
    image_features,
    local_features,
)
from difftem.workflows.denoise.false_positives import Method
from difftem.workflows.denoise.tiles import cut_tiles

_SIDE = 512  # pixels of a tile
_PIECE = 1_000_000  # pixels that are summed at once
_STEP = 0.01  # of the noise: its power must not change the spectra that methods measure


def standard_deviation(
    estimate: Tensor,  # (y, x)
    weights: Sequence[float],
) -> Tensor:  # (y, x)
    """Compute the standard deviation of an estimate's error, by a model that was fitted.

    Parameters
    ----------
    estimate : Tensor
        In whitened units.
    weights : sequence of float
        Of `error_features`, from `fit_error_model` or `error_model_by_sure`.

    Returns
    -------
    Tensor
        In whitened units.
    """
    variance = torch.zeros_like(estimate)
    for weight, feature in zip(weights, each_error_feature(estimate), strict=True):
        variance += weight * feature
    return variance.clamp(min=1e-12).sqrt()


def fit_error_model(
    estimates: Sequence[Tensor],  # (y, x) each
    squared_errors: Sequence[Tensor],  # (y, x) each
) -> list[float]:
    """Fit the variance of the error as a sum of features that are not negative.

    Parameters
    ----------
    estimates : sequence of Tensor
        In whitened units.
    squared_errors : sequence of Tensor
        Unbiased values of their squared errors, however noisy.

    Returns
    -------
    list of float
        Weights of the features.
    """
    gram, right = np.zeros((0, 0)), np.zeros(0)
    for estimate, error in zip(estimates, squared_errors, strict=True):
        whole = error_features(estimate)
        step = max(1, _PIECE // estimate.shape[1])
        for top in range(0, estimate.shape[0], step):
            rows = slice(top, top + step)
            features, wanted = whole[:, rows].double(), error[rows].double()
            features = features.flatten(1)
            one = (features @ features.T).cpu().numpy()
            other = (features @ wanted.flatten()).cpu().numpy()
            gram, right = (one, other) if gram.size == 0 else (gram + one, right + other)
    # Least squares by its normal equations, each feature of length one.
    length = np.sqrt(np.diag(gram)) + 1e-30
    root = np.linalg.cholesky(gram / np.outer(length, length) + 1e-9 * np.eye(len(gram)))
    found, _ = nnls(root.T, np.linalg.solve(root, right / length))
    return [float(value) for value in found / length]


@torch.no_grad()
def network_deviation(
    network: DeviationNetwork,
    estimate: Tensor,  # (y, x)
    wiener: Tensor,  # (y, x)
) -> Tensor:  # (y, x)
    """Ask a network that was trained with the denoiser for the deviation of every pixel.

    Parameters
    ----------
    network : DeviationNetwork
        On the device of the images.
    estimate, wiener : Tensor
        Whitened, for noise of variance 1.

    Returns
    -------
    Tensor
        In whitened units: two thirds of the pixels are nearer to the truth.
    """
    whole = image_features(estimate, wiener)
    deviation = torch.empty_like(estimate)
    for tile in cut_tiles((estimate.shape[0], estimate.shape[1]), _SIDE, REACH):
        y, x = tile.window
        maps = local_features(estimate[y, x], wiener[y, x])[:, tile.inside[0], tile.inside[1]]
        everywhere = whole[:, None, None].expand(-1, *maps.shape[1:])
        features = torch.cat([maps, everywhere]).permute(1, 2, 0)
        deviation[tile.kept[0], tile.kept[1]] = network(features).exp()
    return deviation


def error_model_by_sure(
    method: Method,
    exposures: Tensor,  # (n, y, x)
    electrons: float,
    estimate: Tensor,  # (y, x)
    generator: torch.Generator | None = None,
) -> list[float]:
    r"""Fit the error model by Stein's unbiased estimate of the squared error.

    With b of random signs, y the mean of the exposures and v its variance,

    .. math:: e^2 = (f(y) - y)^2 - v + 2 v\, b\, \frac{f(y + \epsilon b) - f(y)}{\epsilon}

    has the squared error as its expectation. What exposures share and is no specimen (ice) counts
    as truth here.

    Parameters
    ----------
    method : callable
        Of whitened exposures, electrons per pixel and a generator; run once more.
    exposures : Tensor
        Whitened, shape ``(n, y, x)``.
    electrons : float
        Mean electrons per pixel in each exposure.
    estimate : Tensor
        What the method gave.
    generator : torch.Generator, optional
        Source of the random signs; the method gets it in the state it has after that.

    Returns
    -------
    list of float
        Weights of the features.

    References
    ----------
    Stein, Ann. Statist. 9 (1981) 1135; Ramani, Blu & Unser, IEEE Trans. Image Process. 17 (2008)
    1540, equation 17.
    """
    n = len(exposures)
    mean = exposures.mean(0)
    # Counting noise follows the local brightness.
    variance = (1 + estimate / math.sqrt(electrons)).clamp(min=0.05) / n
    signs = torch.randint(0, 2, tuple(mean.shape), generator=generator).to(mean) * 2 - 1
    step = _STEP / math.sqrt(n)
    moved = method(exposures + step * signs, electrons, generator)
    slope = signs * (moved - estimate) / step
    del moved, signs
    square = (estimate - mean).square() - variance + 2 * variance * slope
    del mean, variance, slope  # large images leave no room for what is done with
    return fit_error_model([estimate], [square])
