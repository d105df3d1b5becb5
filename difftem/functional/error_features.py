"""Where an estimate is likely to be wrong: what its error's variance may depend on."""

import math
from collections.abc import Iterator

import torch
from torch import Tensor

from difftem.functional.grid import frequency_grid, radius
from difftem.functional.mtf import apply_transfer

N_FEATURES = 6
_NEAR, _FAR = 3.0, 12.0  # pixels


def error_features(
    estimate: Tensor,  # (y, x)
) -> Tensor:  # (6, y, x)
    """Build non-negative maps of which an error's variance may be a sum.

    Parameters
    ----------
    estimate : Tensor
        In whitened units.

    Returns
    -------
    Tensor
        1; the square; its mean within 3 and 12 pixels; the squared gradient within 3 pixels; and
        the square of what a blur by 3 pixels takes away, within 12 pixels.

    Examples
    --------
    >>> import torch
    >>> from difftem.functional.error_features import error_features
    >>> flat = torch.full((16, 16), 3.0)
    >>> error_features(flat).mean((1, 2)).round().int().tolist()  # no gradient, no detail
    [1, 9, 9, 9, 0, 0]
    """
    features = estimate.new_empty(N_FEATURES, *estimate.shape)
    for number, feature in enumerate(each_error_feature(estimate)):
        features[number] = feature
    return features


def each_error_feature(
    estimate: Tensor,  # (y, x)
) -> Iterator[Tensor]:  # (y, x) each
    """Build the maps of `error_features` one after the other: six large images are not small.

    Parameters
    ----------
    estimate : Tensor
        In whitened units.

    Yields
    ------
    Tensor
        A map.

    Examples
    --------
    >>> import torch
    >>> from difftem.functional.error_features import each_error_feature
    >>> weights = (1.0, 0.1, 0.0, 0.0, 0.0, 0.0)
    >>> estimate = torch.tensor([[0.0, 2.0], [4.0, 6.0]])
    >>> sum(w * each for w, each in zip(weights, each_error_feature(estimate)))  # a variance
    tensor([[1.0000, 1.4000],
            [2.6000, 4.6000]])
    """
    ny, nx = estimate.shape
    q = radius(frequency_grid((ny, nx), 1.0, half=True, device=estimate.device)).to(estimate)
    near, far = (torch.exp(-2 * (math.pi * sigma * q) ** 2) for sigma in (_NEAR, _FAR))
    del q
    yield torch.ones_like(estimate)
    square = estimate.square()
    yield square
    yield apply_transfer(square, near).clamp(min=0)
    yield apply_transfer(square, far).clamp(min=0)
    del square
    dy, dx = torch.gradient(estimate)
    steep = dy.square() + dx.square()
    del dy, dx
    yield apply_transfer(steep, near).clamp(min=0)
    del steep
    detail = (estimate - apply_transfer(estimate, near)).square()
    yield apply_transfer(detail, far).clamp(min=0)
