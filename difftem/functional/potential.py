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
    """Atoms sorted by slice, in the order in which they are spread onto the grid."""

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
    """Largest band of all axes of a finer grid of the same extent, as a fraction of its Nyquist."""
    return band_limit * max(n / fine for n, fine in zip(shape, spread_shape, strict=True))


def project_slice(
    layers: Tensor,  # (n_basis, ny, nx)
    filters: Tensor,  # (n_basis, ny, nx // 2 + 1)
) -> Tensor:  # (ny, nx) V Å
    """Projected potential of one slice from its spread atoms: filter them and add up the layers."""
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
    """Gradient of the layers, written into `layers`: real, even filters are their own adjoint."""
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
