"""The most probable image: exact likelihood of counted electrons, and total variation."""

import math

import torch
from torch import Tensor

from difftem.analysis.held_out import held_out_log_likelihood
from difftem.baselines.summed import summed
from difftem.functional.count_split import Parts, split_exposure, split_whitened
from difftem.functional.total_variation import (
    Proximal,
    gaussian_proximal,
    poisson_proximal,
    smoothed_by_total_variation,
)
from difftem.functional.wiener import wiener_estimate

_WINDOW = 384  # pixels: side of the middle that the weight is chosen on
_FIRST, _FACTOR = 1.0, 1.25  # weights that are tried
_LIMITS = (0.03, 4.0)  # noise alone is flat from 2 on
_NEGATIVE = 0.05  # of sqrt(electrons): a gain that is a little off makes this of 0 electrons


def maximum_a_posteriori(
    exposures: Tensor,  # (n, y, x)
    electrons: float,
    generator: torch.Generator | None = None,
    *,
    weight: float | None = None,
) -> Tensor:  # (y, x)
    r"""Find the image that is most probable if electrons are counted and edges are few.

    .. math:: \min_\lambda \sum_i \left(\lambda_i - C_i \ln \lambda_i\right)
              + w \operatorname{TV}\left(\frac{\lambda - m}{\sqrt m}\right)

    with the counts C of all exposures and their mean m. It is what the denoiser of the DiffTEM
    paper (`difftem.baselines.paper.paper`) lacks: the exact likelihood instead of a distance of
    noisy images, and a prior.

    *Which likelihood.* Whitened values are counts, :math:`C = m + \sqrt m\, x`, where the camera
    puts each electron into one pixel, and where it blurred counts and whitening took the blur off.
    Then none is negative, and the likelihood is Poisson's, for values between whole numbers too:
    what it needs is that variances are means. Where values are below 0 electrons, other noise was
    whitened (readout, or a curve that is not the blur's), and the noise is taken for Gaussian with
    variance 1.

    *The weight* is the one whose estimate from one half of the electrons predicts the other half
    best. In these units it depends on the image, and hardly on the dose, so that it is used for
    the whole as it is found on halves.

    Parameters
    ----------
    exposures : Tensor
        Whitened: noise of variance 1 in each, shape ``(n, y, x)``.
    electrons : float
        Effective electrons per pixel in each.
    generator : torch.Generator, optional
        Of the halves.
    weight : float, optional
        w. Default: by halves of the middle of the image.

    Returns
    -------
    Tensor
        Estimate of an exposure without noise, shape ``(y, x)``.

    Raises
    ------
    ValueError
        For a negative weight, or what is no stack of exposures.

    References
    ----------
    Le, Chartrand and Asaki, J. Math. Imaging Vis. 27 (2007) 257, for the functional.
    """
    image, total, scale = summed(exposures, electrons)
    counted = _are_counts(image, total)
    if weight is None:
        weight = _best_weight(_middle(image).cpu(), total, counted, generator)
    proximal = _proximal(image, total, counted)
    return smoothed_by_total_variation(proximal, weight, wiener_estimate(image)) / scale


def _best_weight(
    image: Tensor, electrons: float, counted: bool, generator: torch.Generator | None
) -> float:
    """Climb to the weight whose estimates from halves of the electrons predict the others best."""
    split = split_exposure(image, electrons, 0.5, generator) if counted else None
    parts = split or split_whitened(image, 0.5, generator)
    pairs = [parts, Parts(parts.held_out, parts.kept, 0.5)]
    starts = [wiener_estimate(pair.kept) for pair in pairs]

    def score(weight: float) -> float:
        found = 0.0
        for k, pair in enumerate(pairs):
            proximal = _proximal(pair.kept, electrons / 2, counted)
            starts[k] = smoothed_by_total_variation(proximal, weight, starts[k])
            found += _worth(starts[k], pair.held_out, electrons / 2, counted)
        return found

    best, most = _FIRST, score(_FIRST)
    for factor in (_FACTOR, 1 / _FACTOR):
        while _LIMITS[0] < best * factor < _LIMITS[1] and (found := score(best * factor)) > most:
            best, most = best * factor, found
        if best > _FIRST:  # one hill
            break
    return best


def _worth(estimate: Tensor, held_out: Tensor, electrons: float, counted: bool) -> float:
    """Log likelihood of the other half."""
    if counted:
        block = min(held_out.shape)
        return held_out_log_likelihood(estimate, held_out, electrons, block).value()
    return float((estimate * (2 * held_out - estimate)).double().mean())


def _proximal(image: Tensor, electrons: float, counted: bool) -> Proximal:
    return poisson_proximal(image, electrons) if counted else gaussian_proximal(image)


def _are_counts(image: Tensor, electrons: float) -> bool:
    """Tell whether no value is below 0 electrons."""
    root = math.sqrt(electrons)
    return float(image.min()) * root + electrons > -_NEGATIVE * root


def _middle(image: Tensor) -> Tensor:
    """Cut out the middle."""
    corner = [max(0, (n - _WINDOW) // 2) for n in image.shape]
    return image[corner[0] : corner[0] + _WINDOW, corner[1] : corner[1] + _WINDOW]
