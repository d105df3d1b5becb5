"""The denoiser of the DiffTEM paper, and what it converges to: the average of its inputs."""

import math
from collections.abc import Callable

import torch
from torch import Tensor

from difftem.baselines.summed import summed
from difftem.functional.wave_fit import optimal_rate
from difftem.losses.surrogate import (
    LEAST_RATE,
    SurrogateEstimator,
    exposure_target,
    surrogate_loss,
)

LEARNING_RATE, BETAS = 1.0, (0.8, 0.992)  # Adam, e/pixel
_AT_ONCE = 8_000_000  # pixels of noisy copies in memory


def paper_exact(
    exposures: Tensor,  # (n, y, x)
    electrons: float,
    generator: torch.Generator | None = None,
) -> Tensor:  # (y, x)
    r"""Give the optimum of the DiffTEM paper's denoiser: the average of the exposures.

    The paper looks for the noise-free image I whose noisy copies C ~ Poisson(I) are nearest to the
    exposures behind the camera's blur h. From

    .. math:: E\|y - h * C\|^2 = \|y - h * I\|^2 + \|h\|^2 \sum_i I_i

    (`difftem.functional.wave_fit.expected_squared_error`) the best is
    :math:`h * I = \bar y - \|h\|^2 / 2 H(0)`: the average, less a constant.

    *Whitened values know no h.* A camera that blurs the electrons it counted, y = g h * C, is
    whitened by dividing by H: the values are the electrons of each pixel again, h is a dot, the
    optimum is the mean count less 1/2, cut at 0 electrons, and each pixel is by itself, so that
    the cut is exact. H comes back when the result gets its grey values. A camera that puts every
    electron into one pixel has white noise to begin with; its MTF acts before electrons are
    counted, and belongs to I. Either way the optimum is the average.

    Parameters
    ----------
    exposures : Tensor
        Whitened: noise of variance 1 in each, shape ``(n, y, x)``.
    electrons : float
        Effective electrons per pixel in each.
    generator : torch.Generator, optional
        Not used.

    Returns
    -------
    Tensor
        Estimate of an exposure without noise, shape ``(y, x)``.

    References
    ----------
    Nguyen et al., DiffTEM, arXiv:2205.04464 (2022).
    """
    summed(exposures, electrons)  # checks
    root = math.sqrt(electrons)
    return (optimal_rate(electrons + root * exposures).clamp(min=0.0) - electrons) / root


def paper(
    exposures: Tensor,  # (n, y, x)
    electrons: float,
    generator: torch.Generator | None = None,
    *,
    steps: int = 100,
    samples: int = 10,
    normalise: bool = True,
) -> Tensor:  # (y, x)
    """Denoise as the DiffTEM paper does: learn an image by Adam, through Poisson noise.

    Kept to reproduce that work. The result is the average of the exposures, with noise of the
    optimiser, and with brightness and contrast that drift, without end where there is one exposure
    (`difftem.losses.surrogate.surrogate_loss` has the reason). In whitened values there is no blur,
    see `paper_exact`; `difftem fit` with `difftem.tasks.wave_fit.WaveFit` takes a camera's.

    Parameters
    ----------
    exposures : Tensor
        Whitened: noise of variance 1 in each, shape ``(n, y, x)``.
    electrons : float
        Effective electrons per pixel in each.
    generator : torch.Generator, optional
        Source of randomness.
    steps : int
        Of Adam.
    samples : int
        Noisy copies in a step.
    normalise : bool
        Stretch images to 0 ... 1 before they are compared, as the paper does.

    Returns
    -------
    Tensor
        Estimate of an exposure without noise, shape ``(y, x)``.

    References
    ----------
    Nguyen et al., DiffTEM, arXiv:2205.04464 (2022), equations 6 and 7.
    """
    summed(exposures, electrons)  # checks
    root = math.sqrt(electrons)
    rate = fit_rate(
        (electrons + root * exposures).cpu(),  # where the generator is
        steps=steps,
        samples=samples,
        normalise=normalise,
        generator=generator,
    )
    return ((rate - electrons) / root).to(exposures)


def fit_rate(
    exposures: Tensor,  # (n, y, x) e/pixel
    transfer: Tensor | None = None,  # (y, x // 2 + 1)
    *,
    steps: int,
    samples: int,
    normalise: bool = True,
    estimator: SurrogateEstimator = "own_pixel",
    learning_rate: float = LEARNING_RATE,
    betas: tuple[float, float] = BETAS,
    generator: torch.Generator | None = None,
    told: Callable[[int, Tensor], None] | None = None,
) -> Tensor:  # (y, x) e/pixel
    """Learn the image whose noisy copies are nearest to exposures, beginning with a flat one.

    Parameters
    ----------
    exposures : Tensor
        Grey values over gain, shape ``(n, y, x)``.
    transfer : Tensor, optional
        Of the camera, on the half grid of a real FFT. Default: no blur.
    steps, samples, normalise, generator
        As of `paper`.
    estimator : str
        One of `difftem.losses.surrogate.SURROGATE_ESTIMATORS`.
    learning_rate, betas
        Of Adam; the rate in electrons per pixel.
    told : callable, optional
        Is given the number of steps made and the image.

    Returns
    -------
    Tensor
        Before the blur, shape ``(y, x)``.
    """
    target = exposure_target(exposures, normalise)
    level = float(exposures.mean())
    rate = exposures.new_full(exposures.shape[-2:], max(level, LEAST_RATE)).requires_grad_()
    adam = torch.optim.Adam([rate], lr=learning_rate, betas=betas)
    separate = estimator == "own_pixel"  # its samples can be drawn one after another
    at_once = max(1, min(samples, _AT_ONCE // rate.numel())) if separate else samples
    for step in range(1, steps + 1):
        adam.zero_grad(set_to_none=True)
        for first in range(0, samples, at_once):
            n = min(at_once, samples - first)
            loss = surrogate_loss(
                rate, target, transfer, estimator=estimator, samples=n, generator=generator
            )
            (n / samples * loss).backward()
        adam.step()
        with torch.no_grad():
            rate.clamp_(min=LEAST_RATE)
        if told is not None:
            told(step, rate.detach())
    return rate.detach()
