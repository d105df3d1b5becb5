"""Chebyshev interpolation in a width, and few radial functions that span those of all widths."""

import math

import torch
from torch import Tensor


def chebyshev_nodes(n: int, like: Tensor) -> Tensor:  # (n,)
    """Nodes of interpolation on [-1, 1], in the type of a tensor."""
    return torch.cos(_angles(n, like))


def interpolation_weights(
    x: Tensor,  # (...) in [-1, 1]
    n: int,
) -> Tensor:  # (..., n)
    """Weight of each node's function at x (Lagrange polynomials by cosine sums), differentiable."""
    order = torch.arange(n, dtype=x.dtype, device=x.device)
    to_series = torch.cos(order[:, None] * _angles(n, x)) * 2 / n
    to_series[0] /= 2
    polynomials = [torch.ones_like(x), x]
    for _ in range(n - 2):
        polynomials.append(2 * x * polynomials[-1] - polynomials[-2])
    return torch.stack(polynomials[:n], -1) @ to_series


def compress(
    functions: Tensor,  # (..., n_radial)
    area: Tensor,  # (n_radial,)
    tolerance: float,
) -> tuple[Tensor, Tensor]:  # (n_basis, n_radial), (..., n_basis)
    """Fewest radial functions that span all to a tolerance, and the expansion of each in them.

    Singular values below this fraction of the largest are dropped; errors are weighed with `area`.
    """
    weighed = functions * area
    # The matrix is tiny: a GPU is slow at it.
    flat = weighed.flatten(0, -2).cpu()
    _, singular, right = torch.linalg.svd(flat, full_matrices=False)
    kept = right[: int((singular > tolerance * singular[0]).sum())].to(functions.device)
    return kept / area, weighed @ kept.T


def _angles(n: int, like: Tensor) -> Tensor:  # (n,)
    """Angles of the nodes, rad."""
    return math.pi * (torch.arange(n, dtype=like.dtype, device=like.device) + 0.5) / n
