"""Where an estimate is likely to be wrong: what its error's variance may depend on."""

import math

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
    """
    ny, nx = estimate.shape
    q = radius(frequency_grid((ny, nx), 1.0, half=True, device=estimate.device))
    near, far = (torch.exp(-2 * (math.pi * sigma * q) ** 2).to(estimate) for sigma in (_NEAR, _FAR))
    square = estimate.square()
    dy, dx = torch.gradient(estimate)
    detail = (estimate - apply_transfer(estimate, near)).square()
    return torch.stack(
        [
            torch.ones_like(estimate),
            square,
            apply_transfer(square, near).clamp(min=0),
            apply_transfer(square, far).clamp(min=0),
            apply_transfer(dy.square() + dx.square(), near).clamp(min=0),
            apply_transfer(detail, far).clamp(min=0),
        ]
    )
