"""Fourier coefficients that a square patch of the image needs, and the patch made of them."""

import math
from typing import NamedTuple

import torch
from torch import Tensor

from difftem.functional.grid import frequency_grid, radius


class SliceGrid(NamedTuple):
    """Fourier coefficients inside a band limit of a square patch of the image.

    Examples
    --------
    >>> from difftem.functional.slice_grid import slice_grid
    >>> grid = slice_grid(8, pixel_size=2.0, max_frequency=0.2)
    >>> round(grid.frequency.norm(dim=-1).max().item(), 3), grid.aliased  # 1/Å; below Nyquist, 0.25
    (0.198, False)
    """

    frequency: Tensor  # (n_points, 2) 1/Å, as x, y
    weight: Tensor  # (n_points,) band limit and pixel average
    target: Tensor  # (n_points,) into the flattened patch's spectrum
    size: int  # pixels per side
    pixel_size: float  # Å
    aliased: bool  # whether several coefficients share a target


def slice_grid(
    size: int,
    pixel_size: float,  # Å
    max_frequency: float,  # 1/Å
    taper: float = 0.0,
    *,
    pixel_average: bool = False,
    device: torch.device | None = None,
    dtype: torch.dtype = torch.float32,
) -> SliceGrid:
    """Fourier coefficients that a patch of the image needs.

    Parameters
    ----------
    size : int
        Pixels per side.
    pixel_size : float
        In Å.
    max_frequency : float
        Band limit in 1/Å. Frequencies beyond the patch's Nyquist are folded back, as sampling at
        the pixels does.
    taper : float
        Width of the raised-cosine edge below the band limit in 1/Å.
    pixel_average : bool
        Average over the pixel's square instead of sampling at its centre.
    device, dtype
        Of the result.

    Returns
    -------
    SliceGrid
        Points in the order of the patch's FFT.

    Examples
    --------
    >>> from difftem.functional.slice_grid import slice_grid
    >>> grid = slice_grid(8, pixel_size=2.0, max_frequency=0.1)
    >>> tuple(grid.frequency.shape)  # (0, 0) and eight around it, 1/16 1/Å apart
    (9, 2)
    """
    fold = max(1, math.ceil(2 * max_frequency * pixel_size * (1 - 1e-9)))
    fine = size * fold
    q = frequency_grid((fine, fine), pixel_size / fold, device=device)
    length = radius(q)
    inside = length < max_frequency
    weight = torch.ones_like(length)
    if taper > 0:
        edge = torch.clamp((length - (max_frequency - taper)) / taper, 0, 1)
        weight = 0.5 * (1 + torch.cos(math.pi * edge))
    if pixel_average:
        weight = weight * torch.sinc(q[0] * pixel_size) * torch.sinc(q[1] * pixel_size)
    row = torch.arange(fine, device=device) % size
    index = row[:, None] * size + row
    qy, qx = torch.broadcast_tensors(*q)
    frequency = torch.stack([qx[inside], qy[inside]], -1)
    return SliceGrid(
        frequency.to(dtype),
        weight[inside].to(dtype),
        index[inside],
        size,
        pixel_size,
        fold > 1,
    )


def patches_from_slices(
    coefficients: Tensor,  # (..., n_points) complex, V Å³
    grid: SliceGrid,
    positions: Tensor,  # (..., 2) pixels
) -> Tensor:  # (..., size, size) complex, V Å
    """Images of Fourier coefficients, the particle's origin at a place of the patch.

    Parameters
    ----------
    coefficients : Tensor
        From `central_slices`, at the grid's points.
    grid : SliceGrid
        From `slice_grid`.
    positions : Tensor
        x, y in pixels of the patch, pixel i being centred at i.

    Returns
    -------
    Tensor
        Projected potential in V Å; tails that leave the patch come back on its other side.

    Examples
    --------
    >>> import torch
    >>> from difftem.functional.slice_grid import patches_from_slices, slice_grid
    >>> grid = slice_grid(8, pixel_size=1.0, max_frequency=0.4)
    >>> point = torch.full((len(grid.frequency),), 10 + 0j)  # V Å³: the same at all frequencies
    >>> patch = patches_from_slices(point, grid, positions=torch.tensor([3.0, 5.0])).real
    >>> divmod(int(patch.argmax()), 8), round(patch.sum().item(), 3)  # row y, column x; V Å
    ((5, 3), 10.0)
    """
    offset = positions[..., None, :] * grid.pixel_size
    phase = -2 * math.pi * (offset * grid.frequency).sum(-1)
    ramp = torch.complex(torch.cos(phase), torch.sin(phase))
    values = coefficients * (ramp * (grid.weight / grid.pixel_size**2))
    flat = values.reshape(-1, values.shape[-1])
    spectrum = flat.new_zeros(len(flat), grid.size**2)
    if grid.aliased:
        spectrum = spectrum.index_add(1, grid.target, flat)
    else:
        spectrum = spectrum.index_copy(1, grid.target, flat)
    patches = torch.fft.ifft2(spectrum.unflatten(1, (grid.size, grid.size)))
    return patches.reshape(*values.shape[:-1], grid.size, grid.size)
