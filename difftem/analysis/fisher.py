"""Information about parameters, and the covariance that follows from it."""

from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor

_SMALLEST = 1e-11  # relative eigenvalue of information on scaled parameters, in float64


class Covariance(NamedTuple):
    """Covariance of parameters, where the data determine them."""

    matrix: Tensor
    """Shape ``(p, p)``; zero along directions without information."""
    determined: Tensor
    """False for a parameter that such a direction touches, shape ``(p,)``."""
    rank: int
    """Number of directions that the data determine."""


def spectral_information(
    derivatives: Tensor,  # (rings, p)
    ordinates: Tensor,  # (rings,)
) -> Tensor:  # (p, p)
    r"""Fisher information of exponential periodogram ordinates about their spectrum.

    .. math:: F_{ab} = \sum_k \nu_k\, \partial_a \ln S_k\, \partial_b \ln S_k

    Parameters
    ----------
    derivatives : Tensor
        ∂ ln S / ∂θ, shape ``(rings, p)``.
    ordinates : Tensor
        ν, shape ``(rings,)``.

    Returns
    -------
    Tensor
        Shape ``(p, p)``.

    References
    ----------
    Whittle, Ark. Mat. 2 (1953) 423; Percival & Walden, Spectral Analysis for Physical
    Applications (1993), section 9.8.
    """
    return (derivatives * ordinates[:, None]).T @ derivatives


def invert_information(
    information: Tensor,  # (p, p)
) -> Covariance:
    """Invert information; directions that carry none are left out instead of amplified.

    Parameters
    ----------
    information : Tensor
        Symmetric, shape ``(p, p)``, in float64. Units of the parameters may differ widely.

    Returns
    -------
    Covariance
        Of the parameters. Where `rank` is smaller than p, the information was singular or not
        positive.
    """
    p = len(information)
    scale = torch.sqrt(torch.diagonal(information).clamp(min=0.0))
    inverse_scale = torch.where(scale > 0, 1 / scale, torch.zeros_like(scale))
    scaled = information * inverse_scale[:, None] * inverse_scale
    values, vectors = torch.linalg.eigh(0.5 * (scaled + scaled.T))
    good = values > _SMALLEST * max(p, 1)
    weight = torch.where(good, 1 / values, torch.zeros_like(values))
    matrix = (vectors * weight) @ vectors.T * inverse_scale[:, None] * inverse_scale
    missing = (vectors[:, ~good] ** 2).sum(1)
    determined = (missing < 1e-3) & (scale > 0)
    return Covariance(matrix, determined, int(good.sum()))


def jacobian(
    function: Callable[[Tensor], Tensor],
    vector: Tensor,  # (p,)
) -> Tensor:  # (n, p)
    r"""Differentiate many values with respect to few parameters, by reverse mode twice.

    The gradient of :math:`u \cdot f` is linear in u; its derivative with respect to u is a
    column. PyTorch's forward mode would do it once but takes seconds to load.

    Parameters
    ----------
    function : callable
        Maps a vector ``(p,)`` to values ``(n,)``.
    vector : Tensor
        Where.

    Returns
    -------
    Tensor
        Shape ``(n, p)``.
    """
    with torch.enable_grad():
        at = vector.detach().requires_grad_()
        values = function(at)
        if not values.requires_grad or not len(at):
            return values.new_zeros(len(values), len(at))
        u = torch.zeros_like(values, requires_grad=True)
        (gradient,) = torch.autograd.grad(values, at, u, create_graph=True)
        columns = [
            torch.autograd.grad(g, u, retain_graph=True, materialize_grads=True)[0]
            for g in gradient
        ]
    return torch.stack(columns, 1)


def propagate(
    derivatives: Tensor,  # (n, p)
    covariance: Tensor,  # (p, p)
) -> Tensor:  # (n, n)
    """Covariance of functions of the parameters, to first order (delta method)."""
    return derivatives @ covariance @ derivatives.T


def expected_maximum(
    covariance: Tensor,  # (n, n)
    draws: int = 4000,
) -> Tensor:  # ()
    """Mean maximum error of a curve with Gaussian errors, by a fixed set of draws.

    What the maximum error of fits that reach the Cramér-Rao bound is on average: a maximum over
    a curve is larger than the largest standard error.

    Parameters
    ----------
    covariance : Tensor
        Of the curve, e.g. the bound; shape ``(n, n)``, of any rank.
    draws : int
        Number of curves.

    Returns
    -------
    Tensor
        The mean, to about 1 % with 4000 draws.
    """
    values, vectors = torch.linalg.eigh(covariance.double())
    root = vectors * torch.sqrt(values.clamp(min=0.0))
    generator = torch.Generator().manual_seed(0)
    draw = torch.randn(draws, len(values), generator=generator, dtype=torch.float64)
    return (draw.to(root.device) @ root.T).abs().amax(1).mean()
