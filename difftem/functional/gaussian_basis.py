"""Gaussians of many widths, expanded in a few radial functions."""

import math
from typing import NamedTuple

import torch
from torch import Tensor

from difftem.functional.grid import frequency_grid, radius
from difftem.functional.radial_basis import chebyshev_nodes, compress, interpolation_weights
from difftem.functional.spread import kernel_transform

# Chebyshev nodes in the logarithm of the width err by about this.
NODE_TOLERANCE = 1e-7
MIN_LOG_RANGE = 0.02  # where all widths are equal their derivative still needs a range
# Fine beside a Gaussian of B = 200 steps⁻²: linear interpolation errs by 1e-6.
RADIAL_STEPS = 3000


class GaussianBasis(NamedTuple):
    """Radial functions of frequency, and each Gaussian's expansion in them.

    Examples
    --------
    >>> import torch
    >>> from difftem.functional.gaussian_basis import gaussian_basis
    >>> basis = gaussian_basis(torch.tensor([20.0, 20.0]), max_frequency=1.0)
    >>> tuple(basis.radial.shape), basis.coefficients.tolist()  # one width, one function
    ((1, 3000), [[1.0], [1.0]])
    """

    step: float  # 1/Å between the samples of the radial functions, which start at 0
    radial: Tensor  # (n_basis, n_radial)
    coefficients: Tensor  # (..., n_basis)


def gaussian_basis(
    widths: Tensor,  # (...) Å²
    max_frequency: float,  # 1/Å
    cut_exponent: float | None = None,
    tolerance: float = 1e-6,
) -> GaussianBasis:
    r"""Expand the transforms of Gaussians, :math:`e^{-B q^2 / 4}`, in a small common basis.

    Interpolation at Chebyshev nodes in log B makes the coefficients differentiable in B; the
    nodes' functions are then compressed.

    Parameters
    ----------
    widths : Tensor
        B in Å², any shape.
    max_frequency : float
        Largest frequency that is needed, 1/Å.
    cut_exponent : float, optional
        As in `cut_gaussian`.
    tolerance : float
        Singular values below this fraction of the largest are dropped.

    Returns
    -------
    GaussianBasis
        Of coefficients ``(..., n_basis)``.

    Examples
    --------
    >>> import torch
    >>> from difftem.functional.gaussian_basis import gaussian_basis
    >>> widths = torch.linspace(20.0, 80.0, 1000)  # Å²
    >>> basis = gaussian_basis(widths, max_frequency=0.5)
    >>> len(basis.radial)  # functions for a thousand widths
    6
    >>> at = round(0.25 / basis.step)
    >>> values = basis.coefficients @ basis.radial[:, at]
    >>> torch.allclose(values, torch.exp(-widths.double() * 0.25**2 / 4), atol=1e-5)
    True
    """
    step = max_frequency / (RADIAL_STEPS - 2)
    q = step * torch.arange(RADIAL_STEPS, dtype=torch.float64, device=widths.device)
    logs = torch.log(widths.double())
    low, high = (float(each) for each in torch.aminmax(logs.detach()))
    if high - low < 1e-9 and not widths.requires_grad:
        only = torch.tensor([math.exp(low)]).to(q)
        ones = torch.ones_like(logs)[..., None]
        return GaussianBasis(step, cut_gaussian(q, only[:, None], cut_exponent), ones)
    middle, half = (low + high) / 2, max((high - low) / 2, MIN_LOG_RANGE)
    # exp(-exp(s)) is analytic and bounded for |Im s| < π/2: the ellipse of this radius.
    radius_ = math.pi / 2 / half
    n_nodes = 2 + math.ceil(-math.log(NODE_TOLERANCE) / math.asinh(radius_))
    nodes = torch.exp(middle + half * chebyshev_nodes(n_nodes, q))
    functions = cut_gaussian(q, nodes[:, None], cut_exponent)
    # Error in three dimensions: weigh with the area of a sphere, q².
    radial, expansion = compress(functions, q + step / 8, tolerance)
    per_node = interpolation_weights((logs - middle) / half, n_nodes)
    return GaussianBasis(step, radial, per_node @ expansion)


def cut_gaussian(
    q: Tensor,  # (n,) 1/Å
    width: Tensor,  # (..., 1) Å²
    cut_exponent: float | None = None,
) -> Tensor:  # (..., n)
    r"""Transform of a Gaussian of integral 1 that ends where it has fallen to exp(-c).

    .. math:: G(q) = \frac{4}{\sqrt\pi} \int_0^{\sqrt c} x^2 e^{-x^2}
              \frac{\sin(\sqrt B q x)}{\sqrt B q x}\, dx, \qquad
              \lim_{c \to \infty} G = e^{-B q^2 / 4}

    Parameters
    ----------
    q : Tensor
        Frequencies in 1/Å.
    width : Tensor
        B in Å².
    cut_exponent : float, optional
        c. Default: never ends.

    Returns
    -------
    Tensor
        Values for every width and frequency.

    Examples
    --------
    >>> import torch
    >>> from difftem.functional.gaussian_basis import cut_gaussian
    >>> q = torch.tensor([0.0, 0.25])  # 1/Å
    >>> cut_gaussian(q, torch.tensor([[20.0]])), cut_gaussian(q, torch.tensor([[20.0]]), 4.0)
    (tensor([[1.0000, 0.7316]]), tensor([[0.9540, 0.7206]]))
    """
    if cut_exponent is None:
        return torch.exp(-width * q**2 / 4)
    n = 400  # midpoints: the argument of the sine grows by less than 1 from one to the next
    x = math.sqrt(cut_exponent) * (torch.arange(n).to(q) + 0.5) / n
    shell = 4 / math.sqrt(math.pi) * x**2 * torch.exp(-(x**2)) * math.sqrt(cut_exponent) / n
    argument = torch.sqrt(width) * q / math.pi
    # Its values depend on sqrt(B) q alone: one table for all widths.
    table_at = torch.linspace(0, float(argument.max()), 4000).to(q)
    table = torch.special.sinc(table_at[:, None] * x) @ shell
    position = argument / table_at[1]
    left = position.floor().long().clamp(max=len(table_at) - 2)
    share = position - left
    return table[left] * (1 - share) + table[left + 1] * share


def gaussian_reach(
    width: float,  # Å²
    exponent: float,
) -> float:  # Å
    """Distance at which a Gaussian of width B has fallen to exp(-exponent).

    Examples
    --------
    >>> import math
    >>> from difftem.functional.gaussian_basis import gaussian_reach
    >>> b = 8 * math.pi**2 * 0.5**2  # Å², of a Gaussian whose standard deviation is 0.5 Å
    >>> round(gaussian_reach(b, 0.5), 6), round(gaussian_reach(b, 8.0), 6)  # of 1 and 4 of them
    (0.5, 2.0)
    """
    return math.sqrt(exponent * width) / (2 * math.pi)


def radial_filter(
    basis: GaussianBasis,
    shape: tuple[int, ...],
    voxel_size: float,  # Å
    band: float,
    dtype: torch.dtype,
) -> Tensor:  # (n_basis, *shape), last axis halved
    """Radial functions on the FFT grid, over the transform of the kernel of `spread_deltas`.

    They turn the FFT of spread strengths in V Å³ into that of a map in V.

    Parameters
    ----------
    basis : GaussianBasis
        From `gaussian_basis`.
    shape : tuple of int
        Of the grid, ``(ny, nx)`` or ``(nz, ny, nx)``.
    voxel_size : float
        In Å.
    band : float
        Fraction of Nyquist that the strengths were spread for.
    dtype : torch.dtype
        Of the result.

    Returns
    -------
    Tensor
        Shape ``(n_basis, *shape)``, the last axis halved as `torch.fft.rfftn` does.

    Examples
    --------
    >>> import torch
    >>> from difftem.functional.gaussian_basis import gaussian_basis, radial_filter
    >>> from difftem.functional.spread import spread_deltas
    >>> shape, band = (16, 16, 16), 2 / 3
    >>> basis = gaussian_basis(torch.tensor([200.0]), max_frequency=1.0)  # B in Å²
    >>> filters = radial_filter(basis, shape, 1.0, band, torch.float32)
    >>> atom = spread_deltas(torch.tensor([[8.0, 8.0, 8.0]]), torch.ones(1, 1), shape, band)
    >>> volume = torch.fft.irfftn(torch.fft.rfftn(atom[0]) * filters[0], s=shape)
    >>> round(volume[8, 8, 8].item() / (4 * torch.pi / 200) ** 1.5, 2)  # peak of a Gaussian of B
    1.0
    """
    device = basis.radial.device
    grid = frequency_grid(shape, voxel_size, half=True, device=device, dtype=dtype)
    position = radius(grid).div_(basis.step)
    left = position.long().clamp_(max=basis.radial.shape[-1] - 2)
    share = position.sub_(left)
    table = basis.radial.to(dtype)
    result = torch.lerp(table[:, left], table[:, left + 1], share)
    for q in grid:
        result /= kernel_transform(q.abs() * voxel_size, band) * voxel_size
    return result
