"""How far an estimate is from the truth, pixel by pixel, without the truth."""

import math
from collections.abc import Sequence

import numpy as np
import torch
from scipy.optimize import nnls
from torch import Tensor

from difftem.functional.error_features import each_error_feature, error_features
from difftem.workflows.denoise.false_positives import Method

_SHARE = math.erf(math.sqrt(0.5))  # of the pixels, within one standard deviation
_EVERY = 7  # pixels: enough to count
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
    variances: Sequence[Tensor] | None = None,  # (y, x) each
) -> list[float]:
    """Fit the variance of the error as a sum of features that are not negative.

    Parameters
    ----------
    estimates : sequence of Tensor
        In whitened units.
    squared_errors : sequence of Tensor
        Unbiased values of their squared errors, however noisy.
    variances : sequence of Tensor, optional
        About what will be found: residuals are divided by them. Default: all pixels alike.

    Returns
    -------
    list of float
        Weights of the features.
    """
    gram, right = np.zeros((0, 0)), np.zeros(0)
    for number, (estimate, error) in enumerate(zip(estimates, squared_errors, strict=True)):
        whole = error_features(estimate)
        step = max(1, _PIECE // estimate.shape[1])
        for top in range(0, estimate.shape[0], step):
            rows = slice(top, top + step)
            features, wanted = whole[:, rows].double(), error[rows].double()
            if variances is not None:
                expected = variances[number][rows]
                features, wanted = features / expected, wanted / expected
            features = features.flatten(1)
            one = (features @ features.T).cpu().numpy()
            other = (features @ wanted.flatten()).cpu().numpy()
            gram, right = (one, other) if gram.size == 0 else (gram + one, right + other)
    # Least squares by its normal equations, each feature of length one.
    length = np.sqrt(np.diag(gram)) + 1e-30
    root = np.linalg.cholesky(gram / np.outer(length, length) + 1e-9 * np.eye(len(gram)))
    found, _ = nnls(root.T, np.linalg.solve(root, right / length))
    return [float(value) for value in found / length]


def calibrated_error_model(
    estimates: Sequence[Tensor],  # (y, x) each
    truths: Sequence[Tensor],  # (y, x) each
) -> list[float]:
    """Fit the error model where the truth is known, so that it holds 68 % of the pixels.

    Twice: first with all pixels alike, then with the weights of their variances, or the few that
    are far off would decide; in the end the deviation is scaled to its share of the pixels, which
    the tails of errors (heavier than a Gaussian's) would make too large.

    Parameters
    ----------
    estimates, truths : sequence of Tensor
        In whitened units.

    Returns
    -------
    list of float
        Weights of the features.
    """
    errors = [estimate - truth for estimate, truth in zip(estimates, truths, strict=True)]
    squares = [error.square() for error in errors]
    first = fit_error_model(estimates, squares)
    variances = [standard_deviation(each, first).square() for each in estimates]
    second = fit_error_model(estimates, squares, variances)
    ratios = [
        (error.abs() / standard_deviation(estimate, second)).flatten()[::_EVERY]
        for error, estimate in zip(errors, estimates, strict=True)
    ]
    scale = float(torch.cat(ratios).sort().values[int(_SHARE * sum(map(len, ratios)))]) ** 2
    return [scale * weight for weight in second]


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
