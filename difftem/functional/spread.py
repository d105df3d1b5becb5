"""Spreading of points onto a grid with a narrow kernel of known Fourier transform.

A non-uniform Fourier transform in two steps: each atom's delta is smeared over ``width`` pixels
per axis with a Kaiser-Bessel kernel, and the FFT of the grid is divided by the kernel's
transform. Inside the band limit the error is about ``exp(-pi * width * sqrt(1 - band))``.
"""

import functools
import math
from collections.abc import Iterator

import torch
from torch import Tensor

from difftem.functional.threads import ordered_map

MAX_BAND = 0.95
# Grid points touched at a time: their indices and values stay in a core's cache.
CHUNK_POINTS = 300_000


def kernel_width(band: float) -> int:
    """Pixels per axis for a band (fraction of Nyquist).

    They keep the spreading error of a delta below 4e-5 rms over the band, below 2e-4 at its edge.

    Raises
    ------
    ValueError
        If the band leaves no guard frequencies: it must be in (0, 0.95].

    Examples
    --------
    >>> from difftem.functional.spread import kernel_width
    >>> [kernel_width(band) for band in (0.5, 2 / 3, 0.9)]  # a wider band needs more pixels
    [6, 6, 12]
    """
    if not 0 < band <= MAX_BAND:
        raise ValueError(f"band_limit must be in (0, {MAX_BAND}] of Nyquist, got {band}")
    return 2 * math.ceil(1.7 / math.sqrt(1 - band))


@functools.lru_cache
def kernel_coefficients(
    band: float,  # band limit as a fraction of Nyquist
    width: int | None = None,
) -> Tensor:  # (degree + 1, width) float64
    """Piecewise polynomials that reproduce the Kaiser-Bessel kernel, one per covered pixel.

    Coefficients of powers of ``2 t - 1`` for the fractional offset t in [0, 1). Polynomials instead
    of Bessel functions make the weights cheap and their derivative exact. Frequencies below
    ``band * Nyquist`` are used afterwards; without a width it is `kernel_width` of the band.

    References
    ----------
    Barnett, Magland & af Klinteberg, SIAM J. Sci. Comput. 41 (2019) C479, section 5.3.
    """
    width = width or kernel_width(band)
    beta = _shape_parameter(band, width)
    degree = width + 1
    nodes = torch.cos(math.pi * (torch.arange(4 * degree, dtype=torch.float64) + 0.5) / 4 / degree)
    t = (nodes + 1) / 2
    offsets = t[:, None] - torch.arange(width, dtype=torch.float64) + (width / 2 - 1)
    inside = torch.clamp(1 - (2 * offsets / width) ** 2, min=0.0)
    values = torch.special.i0(beta * torch.sqrt(inside)) / torch.special.i0(torch.tensor(beta))
    vandermonde = nodes[:, None] ** torch.arange(degree + 1)
    return torch.linalg.lstsq(vandermonde, values).solution


def kernel_transform(
    frequency: Tensor,  # (...) cycles/pixel
    band: float,
    width: int | None = None,
) -> Tensor:  # (...)
    r"""Fourier transform of the kernel that `spread_weights` evaluates, below ``band / 2``.

    .. math:: \hat\phi(f) = \frac{w}{I_0(\beta)} \frac{\sinh \sqrt{\beta^2 - (\pi w f)^2}}
              {\sqrt{\beta^2 - (\pi w f)^2}}

    Examples
    --------
    >>> import torch
    >>> from difftem.functional.spread import kernel_transform, spread_weights
    >>> _, weights = spread_weights(torch.tensor(3.3), band=2 / 3)
    >>> round(weights.sum().item(), 3), round(kernel_transform(torch.zeros(1), 2 / 3).item(), 3)
    (2.126, 2.126)
    """
    width = width or kernel_width(band)
    beta = _shape_parameter(band, width)
    argument = beta**2 - (math.pi * width * frequency) ** 2
    root = torch.sqrt(torch.clamp(argument, min=1e-6))
    return width * torch.sinh(root) / root / torch.special.i0(torch.tensor(beta)).item()


def spread_weights(
    coordinate: Tensor,  # (...) pixels
    band: float,
    width: int | None = None,
) -> tuple[Tensor, Tensor]:  # (...) int64, (..., width)
    """First pixel and kernel weights of each atom along one axis, pixel i being centred at i.

    The pixel may lie outside the grid: wrap it. The weights of the `width` pixels from there on are
    differentiable in the coordinate.

    Examples
    --------
    >>> import torch
    >>> from difftem.functional.spread import spread_weights
    >>> first, weights = spread_weights(torch.tensor(10.0), band=2 / 3)
    >>> first.item(), first.item() + int(weights.argmax())  # pixels 8 to 13, most at 10
    (8, 10)
    """
    coefficients = kernel_coefficients(band, width).to(coordinate)
    cell = torch.floor(coordinate.detach())
    argument = 2 * (coordinate - cell) - 1
    powers = [torch.ones_like(argument), argument]
    for _ in range(len(coefficients) - 2):
        powers.append(powers[-1] * argument)
    weights = torch.stack(powers, dim=-1) @ coefficients
    return cell.long() - (coefficients.shape[1] // 2 - 1), weights


def spread_deltas(
    coordinates: Tensor,  # (n, n_axes) pixels, x first
    coefficients: Tensor,  # (n, n_basis)
    shape: tuple[int, ...],
    band: float,
    out: Tensor | None = None,  # (n_basis, *shape)
) -> Tensor:  # (n_basis, *shape)
    """Spread atoms onto a grid (periodic), one layer per basis function.

    Parameters
    ----------
    coordinates : Tensor
        In pixels, shape ``(n, 2)`` as x, y or ``(n, 3)`` as x, y, z.
    coefficients : Tensor
        Shape ``(n, n_basis)``.
    shape : tuple of int
        ``(ny, nx)`` or ``(nz, ny, nx)``.
    band : float
        As in `kernel_coefficients`.
    out : Tensor, optional
        Contiguous buffer to write into.

    Returns
    -------
    Tensor
        Shape ``(n_basis, *shape)``.

    Examples
    --------
    >>> import torch
    >>> from difftem.functional.spread import kernel_transform, spread_deltas
    >>> layers = spread_deltas(torch.tensor([[3.3, 5.6]]), torch.tensor([[10.0]]), (16, 16), 2 / 3)
    >>> total = 10 * kernel_transform(torch.zeros(1), 2 / 3) ** 2  # one factor for each axis
    >>> tuple(layers.shape), torch.allclose(layers.sum(), total, rtol=1e-3)
    ((1, 16, 16), True)
    """
    if out is None:
        out = coefficients.new_empty(coefficients.shape[1], *shape)
    grid = out.zero_().flatten(1)

    def spread(chunk: tuple[Tensor, Tensor]) -> tuple[Tensor, Tensor]:
        index, weights = footprint(chunk[0], shape, band)
        values = chunk[1].T[:, :, None] * weights  # (n_basis, chunk, width^n_axes)
        return index.flatten(), values.flatten(1)

    portions = list(chunks(coordinates, coefficients, band))
    for index, values in ordered_map(spread, portions, grid.device):
        grid.index_add_(1, index, values)
    return out


def gather_deltas(
    layers: Tensor,  # (n_basis, *shape)
    coordinates: Tensor,  # (n, n_axes) pixels, x first
    coefficients: Tensor,  # (n, n_basis)
    band: float,
) -> tuple[Tensor, Tensor]:  # (n, n_axes), (n, n_basis)
    """Adjoint of `spread_deltas`: gradients of atoms from those of the layers.

    Footprints are cheap: they are made again instead of kept.

    Examples
    --------
    >>> import torch
    >>> from difftem.functional.spread import gather_deltas, spread_deltas
    >>> atoms = torch.tensor([[3.3, 5.6]]), torch.tensor([[10.0]])  # places and coefficients
    >>> grad = torch.rand(1, 16, 16, generator=torch.Generator().manual_seed(0))
    >>> _, by_coefficient = gather_deltas(grad, *atoms, 2 / 3)
    >>> torch.allclose((spread_deltas(*atoms, (16, 16), 2 / 3) * grad).sum(), 10 * by_coefficient)
    True
    """
    flat = layers.flatten(1)
    grads: list[tuple[Tensor, ...]] = []
    for at, each in chunks(coordinates, coefficients, band):
        with torch.enable_grad():
            inputs = (at.detach().requires_grad_(), each.detach().requires_grad_())
            index, weights = footprint(inputs[0], layers.shape[1:], band)
            seen = (flat[:, index] * weights).sum(-1).T  # (chunk, n_basis)
            grads.append(torch.autograd.grad((seen * inputs[1]).sum(), inputs))
    grad_coordinates, grad_coefficients = (torch.cat(parts) for parts in zip(*grads, strict=True))
    return grad_coordinates, grad_coefficients


def chunks(
    coordinates: Tensor,  # (n, n_axes) pixels
    coefficients: Tensor,  # (n, n_basis)
    band: float,
) -> Iterator[tuple[Tensor, Tensor]]:
    """Atoms in portions whose footprints stay in the cache.

    Examples
    --------
    >>> import torch
    >>> from difftem.functional.spread import chunks
    >>> atoms = torch.zeros(20_000, 2), torch.ones(20_000, 1)
    >>> [len(places) for places, _ in chunks(*atoms, band=2 / 3)]  # of 36 pixels an atom
    [8333, 8333, 3334]
    """
    points = kernel_width(band) ** coordinates.shape[1]
    chunk = max(1, CHUNK_POINTS // points)
    return zip(coordinates.split(chunk), coefficients.split(chunk), strict=True)


def footprint(
    coordinates: Tensor,  # (n, n_axes) pixels, x first
    shape: tuple[int, ...],
    band: float,
) -> tuple[Tensor, Tensor]:  # 2 x (n, width^n_axes)
    """Flat pixel indices (wrapped) and weights, differentiable, that each atom covers.

    Examples
    --------
    >>> import torch
    >>> from difftem.functional.spread import footprint
    >>> index, weights = footprint(torch.tensor([[0.0, 4.0]]), (8, 8), band=2 / 3)
    >>> divmod(int(index[0, weights[0].argmax()]), 8), weights.shape[1]  # row, column; 6 x 6
    ((4, 0), 36)
    """
    n = len(coordinates)
    index = coordinates.new_zeros(n, 1, dtype=torch.int64)
    weights = coordinates.new_ones(n, 1)
    stride = 1
    for axis, size in enumerate(reversed(shape)):
        first, along = spread_weights(coordinates[:, axis], band)
        pixel = torch.remainder(first, size)[:, None] + torch.arange(along.shape[1]).to(first)
        # Usually one wrap is enough; a field narrower than the kernel takes several.
        pixel = pixel - size * (pixel >= size) if along.shape[1] <= size else pixel % size
        index = (pixel[:, :, None] * stride + index[:, None, :]).flatten(1)
        weights = (along[:, :, None] * weights[:, None, :]).flatten(1)
        stride *= size
    return index, weights


def _shape_parameter(band: float, width: int) -> float:
    """Kaiser-Bessel shape that balances truncation against aliasing for this band.

    Beatty, Nishimura & Pauly, IEEE Trans. Med. Imaging 24 (2005) 799.
    """
    return math.pi * math.sqrt((width * (1 - band / 2)) ** 2 - 0.8)
