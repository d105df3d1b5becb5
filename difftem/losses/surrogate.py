"""Surrogate loss of the DiffTEM paper's denoiser: noisy copies of an image against exposures."""

from dataclasses import dataclass
from typing import Literal, get_args

import torch
from torch import Tensor

from difftem.functional.mtf import apply_transfer
from difftem.functional.poisson import poisson_expectation

SurrogateEstimator = Literal[
    "own_pixel",
    "gaussian",
    "straight_through",
    "measure_valued",
    "score_function",
    "score_function_loo",
]
SURROGATE_ESTIMATORS: tuple[str, ...] = get_args(SurrogateEstimator)
LEAST_RATE = 0.01  # e/pixel: a pixel of rate 0 would never have an electron to learn from


@dataclass(frozen=True, eq=False)
class ExposureTarget:
    """What a squared error needs to know of exposures: their average, and a constant.

    Attributes
    ----------
    average : Tensor
        Of the exposures, e/pixel, or of the exposures between 0 and 1; shape ``(y, x)``.
    variance : Tensor
        Their mean squared distance from it in each pixel, shape ``(y, x)``.
    normalised : bool
        Images are stretched to 0 ... 1 before they are compared.

    Examples
    --------
    >>> import torch
    >>> from difftem.losses.surrogate import ExposureTarget
    >>> average, variance = torch.full((8, 8), 10.0), torch.full((8, 8), 9.0)  # e/pixel
    >>> target = ExposureTarget(average, variance, normalised=False)
    >>> target.average.mean().item(), target.variance.mean().item()
    (10.0, 9.0)
    """

    average: Tensor
    variance: Tensor
    normalised: bool


def exposure_target(
    exposures: Tensor,  # (n, y, x) e/pixel
    normalise: bool,
) -> ExposureTarget:
    """Average exposures, each between 0 and 1 if that is wanted.

    Parameters
    ----------
    exposures : Tensor
        Grey values over gain, shape ``(n, y, x)``.
    normalise : bool
        Stretch each between its least and its largest pixel, as the paper does.

    Returns
    -------
    ExposureTarget
        Average and variance over the exposures.

    Examples
    --------
    >>> import torch
    >>> from difftem.losses.surrogate import exposure_target
    >>> target = exposure_target(torch.tensor([[[9.0, 12.0]], [[11.0, 8.0]]]), normalise=False)
    >>> target.average.tolist(), target.variance.tolist()
    ([[10.0, 10.0]], [[1.0, 4.0]])
    """
    images = min_max(exposures) if normalise else exposures
    return ExposureTarget(images.mean(0), images.var(0, correction=0), normalise)


def min_max(
    images: Tensor,  # (..., y, x)
) -> Tensor:  # (..., y, x)
    """Stretch images from 0 at their least pixel to 1 at their largest; both are constants.

    Examples
    --------
    >>> import torch
    >>> from difftem.losses.surrogate import min_max
    >>> min_max(torch.tensor([[2.0, 4.0], [6.0, 10.0]])).tolist()
    [[0.0, 0.25], [0.5, 1.0]]
    """
    fixed = images.detach()
    low, high = fixed.amin((-2, -1), keepdim=True), fixed.amax((-2, -1), keepdim=True)
    return (images - low) / (high - low).clamp(min=torch.finfo(images.dtype).tiny)


def surrogate_loss(
    rate: Tensor,  # (y, x) e/pixel
    target: ExposureTarget,
    transfer: Tensor | None = None,  # (y, x // 2 + 1)
    *,
    estimator: SurrogateEstimator = "own_pixel",
    samples: int = 50,
    generator: torch.Generator | None = None,
) -> Tensor:  # ()
    r"""Squared error of noisy copies of an image, with a gradient through the electrons.

    Of counts C ~ Poisson(I), blurred by the camera, :math:`\ell_i = ((h * C)_i - y_i)^2` is what
    pixel i adds to the loss. A count has no derivative; the paper lets each pixel learn by the
    score of its own loss (``own_pixel``),

    .. math:: L = \sum_i (\ell_i - \bar\ell) \ln p(C_i | I_i), \qquad
              \bar\ell \text{ the mean over the image}

    (ℓ a constant for the gradient), averaged over the samples. What a count adds to its
    neighbours' losses by the blur is missing. On average

    .. math:: \partial_{I_i} L = 2 h_0 \left[(h * I)_i - \bar y_i\right] + h_0^2

    but for terms of one part in the number of pixels, which is 0 at the average of the
    exposures less :math:`h_0 / 2`: of the exact gradient the direction is wrong, the place
    where it vanishes is right but for a constant (`difftem.functional.wave_fit.optimal_rate`).
    The other estimators are those of `difftem.functional.poisson.poisson_expectation`.

    *Between 0 and 1* the scale of the image drifts. Let it be b times as bright as the average of
    n exposures and have s times its contrast. A noisy copy has both, and its own noise, which
    grows with brightness: the variance is :math:`s^2/n + b` of an exposure's. What is compared is
    divided by the range, so that the loss wants s to be the square root of that:
    :math:`s = \sqrt{b\, n/(n-1)}`. For one exposure there is no such s, and contrast grows for
    ever; b is held by the skewness of the extreme pixels alone.

    Parameters
    ----------
    rate : Tensor
        I, positive.
    target : ExposureTarget
        y, from `exposure_target`.
    transfer : Tensor, optional
        Transform of h on the half grid of a real FFT. Default: no blur.
    estimator : str
        One of `SURROGATE_ESTIMATORS`.
    samples : int
        Noisy copies; at least 2 for ``score_function_loo``.
    generator : torch.Generator, optional
        Source of randomness.

    Returns
    -------
    Tensor
        Squared error, summed over pixels, averaged over exposures and samples; its gradient with
        respect to `rate` is the estimator's.

    Raises
    ------
    ValueError
        For an unknown estimator or too few samples.

    References
    ----------
    Nguyen et al., DiffTEM, arXiv:2205.04464 (2022), equations 6 and 7.

    Examples
    --------
    >>> import torch
    >>> from difftem.losses.surrogate import exposure_target, surrogate_loss
    >>> target = exposure_target(torch.full((2, 32, 32), 10.0), normalise=False)
    >>> rate = torch.full((32, 32), 15.0, requires_grad=True)  # too many electrons
    >>> generator = torch.Generator().manual_seed(0)
    >>> surrogate_loss(rate, target, samples=50, generator=generator).backward()
    >>> round(rate.grad.mean().item())  # 2 (15 - 10) + 1
    11
    """

    def pixel_losses(counts: Tensor) -> Tensor:  # (s, y, x)
        image = counts if transfer is None else apply_transfer(counts, transfer)
        image = min_max(image) if target.normalised else image
        return (image - target.average).square() + target.variance

    if estimator != "own_pixel":
        return poisson_expectation(
            lambda counts: pixel_losses(counts).sum((-2, -1)), rate, estimator, samples, generator
        )
    if samples < 1:
        raise ValueError(f"own_pixel needs at least 1 sample, got {samples}")
    counts = torch.poisson(rate.detach().expand(samples, *rate.shape), generator=generator)
    losses = pixel_losses(counts)
    advantage = losses - losses.mean((-2, -1), keepdim=True)
    # The mean over samples of advantage times ln p(C) needs sums over samples only.
    drawn, all_of_them = (advantage * counts).mean(0).detach(), advantage.mean(0).detach()
    surrogate = (torch.xlogy(drawn, rate) - all_of_them * rate).sum()
    return losses.sum((-2, -1)).mean() + surrogate - surrogate.detach()
