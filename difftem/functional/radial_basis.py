"""Chebyshev interpolation in a width, and few radial functions that span those of all widths."""

import math

import torch
from torch import Tensor


def chebyshev_nodes(n: int, like: Tensor) -> Tensor:  # (n,)
    """Nodes of interpolation on [-1, 1], in the type of a tensor.

    Examples
    --------
    >>> import torch
    >>> from difftem.functional.radial_basis import chebyshev_nodes
    >>> [round(node, 3) for node in chebyshev_nodes(2, torch.zeros(1)).tolist()]  # ± 1 / √2
    [0.707, -0.707]
    """
    return torch.cos(_angles(n, like))


def interpolation_weights(
    x: Tensor,  # (...) in [-1, 1]
    n: int,
) -> Tensor:  # (..., n)
    """Weight of each node's function at x (Lagrange polynomials by cosine sums), differentiable.

    Examples
    --------
    >>> import torch
    >>> from difftem.functional.radial_basis import chebyshev_nodes, interpolation_weights
    >>> x = torch.tensor(0.3, dtype=torch.float64)
    >>> weights, nodes = interpolation_weights(x, 8), chebyshev_nodes(8, x)
    >>> round((weights @ nodes.exp()).item(), 6), round(x.exp().item(), 6)
    (1.349859, 1.349859)
    """
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

    Examples
    --------
    >>> import torch
    >>> from difftem.functional.radial_basis import compress
    >>> q = torch.linspace(0.0, 1.0, 50, dtype=torch.float64)
    >>> functions = torch.stack([1 - q, 1 + q, 3 - 5 * q])  # three straight lines: two are enough
    >>> radial, expansion = compress(functions, torch.ones_like(q), tolerance=1e-6)
    >>> len(radial), torch.allclose(expansion @ radial, functions)
    (2, True)
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
