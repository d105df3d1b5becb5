"""Projected potential of atoms, slice by slice, through Fourier-space deltas."""

from typing import NamedTuple

import torch
from torch import Tensor

from difftem.functional.grid import (
    band_limit_mask,
    check_pixel_size,
    frequency_grid,
    radius,
)
from difftem.functional.reorder import reorder
from difftem.functional.spread import kernel_transform


class SlicedAtoms(NamedTuple):
    """Atoms sorted by slice, in the order in which they are spread onto the grid.

    Examples
    --------
    >>> import torch
    >>> from difftem.functional.potential import SlicedAtoms
    >>> sliced = SlicedAtoms(xy=torch.zeros(3, 2), coefficients=torch.ones(3, 1), counts=[1, 2])
    >>> [len(xy) for xy in sliced.xy.split(sliced.counts)]  # atoms of each slice
    [1, 2]
    """

    xy: Tensor  # (n_entries, 2) pixels
    coefficients: Tensor  # (n_entries, n_basis)
    counts: list[int]  # entries per slice


def slice_atoms(
    positions: Tensor,  # (n_atoms, 3) Å
    coefficients: Tensor,  # (n_atoms, n_basis)
    shape: tuple[int, int],
    pixel_size: float,
    n_slices: int,
    slice_thickness: float,
    *,
    linear: bool = False,
    periodic: bool = True,
) -> SlicedAtoms:
    """Assign every atom to its slice; none is lost, whatever its height.

    The field's centre (pixel ``n // 2``) and the middle of the slab are at the origin. An atom
    above the first or below the last slice belongs to that slice.

    Parameters
    ----------
    positions : Tensor
        x, y, z in Å, shape ``(n_atoms, 3)``.
    coefficients : Tensor
        Expansion of each atom, shape ``(n_atoms, n_basis)``.
    shape : tuple of int
        ``(ny, nx)`` in pixels.
    pixel_size : float
        In Å.
    n_slices : int
        Number of slices.
    slice_thickness : float
        In Å.
    linear : bool
        Share each atom between the two nearest slices in proportion, which makes the result
        differentiable in z; otherwise it goes whole into the slice that contains it.
    periodic : bool
        Wrap atoms outside the field around; otherwise they are left out.

    Returns
    -------
    SlicedAtoms
        Pixel coordinates, coefficients and counts, sorted by slice.

    Examples
    --------
    >>> import torch
    >>> from difftem.functional.potential import slice_atoms
    >>> positions = torch.tensor([[0.0, 0.0, 3.0], [1.0, 0.0, -3.0]])  # Å, z down the beam
    >>> sliced = slice_atoms(positions, torch.ones(2, 1), (8, 8), 0.5, 4, slice_thickness=2.0)
    >>> sliced.counts, sliced.xy.tolist()  # the second atom is hit first; pixel 4 is the middle
    ([1, 0, 0, 1], [[6.0, 4.0], [4.0, 4.0]])
    """
    check_pixel_size(pixel_size)
    if not slice_thickness > 0 or n_slices < 1:
        raise ValueError(
            f"need at least one slice of positive thickness, got {n_slices} of {slice_thickness} Å"
        )
    xy = positions[:, :2] / pixel_size
    center = torch.tensor([shape[1] // 2, shape[0] // 2], dtype=xy.dtype, device=xy.device)
    xy = xy + center
    height = positions[:, 2] / slice_thickness + n_slices / 2  # in slices
    if linear:
        below = torch.clamp(height - 0.5, 0, n_slices - 1)
        index = torch.clamp(torch.floor(below.detach()), 0, max(n_slices - 2, 0))
        share = below - index
        index = torch.cat([index, index + 1]).long().clamp_(max=n_slices - 1)
        xy = torch.cat([xy, xy])
        coefficients = torch.cat(
            [coefficients * (1 - share)[:, None], coefficients * share[:, None]]
        )
    else:
        index = torch.floor(height.detach()).long().clamp_(0, n_slices - 1)
    if not periodic:
        size = torch.tensor([shape[1], shape[0]], dtype=xy.dtype, device=xy.device)
        keep = ((xy >= -0.5) & (xy < size - 0.5)).all(-1)
        xy, coefficients, index = xy[keep], coefficients[keep], index[keep]
    order = torch.argsort(index, stable=True)
    counts = torch.bincount(index, minlength=n_slices).tolist()
    return SlicedAtoms(reorder(xy, order), reorder(coefficients, order), counts)


def basis_filter(
    radial: Tensor,  # (n_basis, n_radial)
    radial_frequency: Tensor,  # (n_radial,) 1/Å
    shape: tuple[int, ...],
    pixel_size: float,
    band_limit: float,
    taper: float,
    dtype: torch.dtype,
    spread_shape: tuple[int, ...] | None = None,
) -> Tensor:  # (n_basis, *shape), last axis halved
    """Radial functions on the FFT grid, band-limited and freed from the spreading kernel.

    Parameters
    ----------
    radial, radial_frequency : Tensor
        From `difftem.functional.species.species_basis`.
    shape : tuple of int
        ``(ny, nx)`` for slices, ``(nz, ny, nx)`` for a volume.
    pixel_size : float
        In Å.
    band_limit, taper : float
        As in `difftem.functional.grid.band_limit_mask`.
    dtype : torch.dtype
        Of the result.
    spread_shape : tuple of int, optional
        Of a finer grid of the same extent on which the deltas were spread, its spectrum being cut
        to `shape`; that grid has the band of `spread_band`.

    Returns
    -------
    Tensor
        Real factors that turn the FFT of spread deltas into that of the potential in V Å (V).

    Examples
    --------
    >>> import torch
    >>> from difftem.functional.potential import basis_filter
    >>> frequency = torch.linspace(0.0, 0.7, 20)
    >>> gaussian = torch.exp(-5 * frequency**2)[None]  # B-factor of 20 Å²
    >>> filters = basis_filter(gaussian, frequency, (16, 16), 0.5, 2 / 3, 0.01, torch.float32)
    >>> tuple(filters.shape), filters[0, 0, -1].item()  # Nyquist is beyond the band
    ((1, 16, 9), 0.0)
    """
    grid = frequency_grid(shape, pixel_size, half=True, device=radial.device, dtype=dtype)
    mask = band_limit_mask(shape, band_limit, taper, half=True, device=radial.device, dtype=dtype)
    band = spread_band(shape, spread_shape or shape, band_limit)
    for q, n, fine in zip(grid, shape, spread_shape or shape, strict=True):
        per_pixel = torch.clamp(q.abs() * pixel_size * (n / fine), max=band / 2)
        mask = mask / (kernel_transform(per_pixel, band) * pixel_size)
    position = radius(grid).div_(float(radial_frequency[1]))
    return _interpolate(radial, position.clamp_(max=radial.shape[-1] - 2.001)) * mask


def spread_band(shape: tuple[int, ...], spread_shape: tuple[int, ...], band_limit: float) -> float:
    """Largest band of all axes of a finer grid of the same extent, as a fraction of its Nyquist.

    Examples
    --------
    >>> from difftem.functional.potential import spread_band
    >>> round(spread_band((32, 32), (48, 48), band_limit=0.9), 3)
    0.6
    """
    return band_limit * max(n / fine for n, fine in zip(shape, spread_shape, strict=True))


def project_slice(
    layers: Tensor,  # (n_basis, ny, nx)
    filters: Tensor,  # (n_basis, ny, nx // 2 + 1)
) -> Tensor:  # (ny, nx) V Å
    """Projected potential of one slice from its spread atoms: filter them and add up the layers.

    Examples
    --------
    >>> import torch
    >>> from difftem.constants import scattering_table
    >>> from difftem.functional.potential import basis_filter, project_slice
    >>> from difftem.functional.species import species_basis
    >>> from difftem.functional.spread import spread_deltas
    >>> carbon, b_factor, occupancy = torch.tensor([6]), torch.tensor([20.0]), torch.ones(1)
    >>> basis = species_basis(carbon, b_factor, occupancy, 0.7, scattering_table("peng"))
    >>> sampling = (16, 16), 0.5, 2 / 3, 0.01, torch.float32  # pixels, Å, band, taper
    >>> filters = basis_filter(basis.radial, basis.frequency, *sampling)
    >>> layers = spread_deltas(torch.tensor([[8.0, 8.0]]), basis.coefficients, (16, 16), 2 / 3)
    >>> round(project_slice(layers, filters).sum().item() * 0.5**2 / 47.878, 2)  # f(0) in Å
    2.51
    """
    spectrum = torch.fft.rfft2(layers[0]) * filters[0]
    # One FFT at a time: a batch of them leaves the cache.
    for layer, filter_ in zip(layers[1:], filters[1:], strict=True):
        spectrum += torch.fft.rfft2(layer).mul_(filter_)
    return torch.fft.irfft2(spectrum, s=layers.shape[1:])


def project_slice_adjoint(
    grad: Tensor,  # (ny, nx)
    filters: Tensor,  # (n_basis, ny, nx // 2 + 1)
    layers: Tensor,  # (n_basis, ny, nx)
) -> Tensor:  # (n_basis, ny, nx)
    """Gradient of the layers, written into `layers`: real, even filters are their own adjoint.

    Examples
    --------
    >>> import torch
    >>> from difftem.functional.potential import project_slice, project_slice_adjoint
    >>> *layers, grad = torch.rand(3, 8, 8, generator=torch.Generator().manual_seed(0))
    >>> layers, filters = torch.stack(layers), torch.ones(2, 8, 5)
    >>> forward = (project_slice(layers, filters) * grad).sum()
    >>> adjoint = project_slice_adjoint(grad, filters, torch.empty(2, 8, 8))
    >>> torch.allclose(forward, (layers * adjoint).sum())
    True
    """
    spectrum = torch.fft.rfft2(grad)
    for layer, filter_ in zip(layers, filters, strict=True):
        torch.fft.irfft2(spectrum * filter_, s=grad.shape, out=layer)
    return layers


def _interpolate(
    table: Tensor,  # (n_functions, n)
    position: Tensor,  # (...) in table steps
) -> Tensor:  # (n_functions, ...)
    """Cubic Lagrange interpolation of even functions tabulated from 0."""
    cell = position.floor()
    t = position - cell
    index = cell.long()
    padded = torch.cat([table[:, 1:2], table], dim=-1).to(position)
    result = padded[:, index] * (-t * (t - 1) * (t - 2) / 6)
    result += padded[:, index + 1] * ((t + 1) * (t - 1) * (t - 2) / 2)
    result += padded[:, index + 2] * (-(t + 1) * t * (t - 2) / 2)
    result += padded[:, index + 3] * ((t + 1) * t * (t - 1) / 6)
    return result
