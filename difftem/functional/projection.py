"""Projections of a particle template as central slices of its Fourier transform.

A template is a volume of complex potential. Padding, division by the transform of a Kaiser-Bessel
kernel and FFT make a table, once; a projection in any direction then costs as many interpolations
as it has Fourier coefficients, n² instead of n³.
"""

import math
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn.functional import embedding_bag

from difftem.functional.grid import check_pixel_size
from difftem.functional.sampling import good_fft_size
from difftem.functional.spread import kernel_transform, spread_weights
from difftem.functional.wave import complex_dtype


class Interpolation(NamedTuple):
    """How finely a template's spectrum is interpolated.

    Attributes
    ----------
    oversampling : float
        Padded size over the volume's size.
    width : int
        Coefficients per axis that one interpolation reads; even.

    Examples
    --------
    >>> from difftem.functional.projection import FINE, Interpolation
    >>> FINE == Interpolation(oversampling=2.0, width=6)
    True
    """

    oversampling: float
    width: int


# Relative rms error of a projection: about 1e-3 and 1e-5 (tests/functional/test_projection.py).
DEFAULT = Interpolation(1.5, 4)
FINE = Interpolation(2.0, 6)


class TemplateSpectrum(NamedTuple):
    """Fourier transform of a template around the origin, as rows of neighbours along x.

    Examples
    --------
    >>> import torch
    >>> from difftem.functional.projection import template_spectrum
    >>> spectrum = template_spectrum(torch.ones(8, 8, 8), voxel_size=2.0, max_frequency=0.2)
    >>> spectrum.scale, spectrum.max_frequency  # Å: eight voxels, padded to twelve; 1/Å
    ((24.0, 24.0, 24.0), 0.2)
    """

    table: Tensor  # (mz * my * mx, 2 * width): V Å³, real and imaginary parts in turn
    size: tuple[int, int, int]  # mz, my, mx
    first: tuple[int, int, int]  # of the index along z, y, x
    scale: tuple[float, float, float]  # Å per cycle: index of frequency q is q * scale; z, y, x
    max_frequency: float  # 1/Å
    interpolation: Interpolation


def spectrum_bytes(
    shape: tuple[int, int, int],
    voxel_size: float,  # Å
    max_frequency: float,  # 1/Å
    interpolation: Interpolation = DEFAULT,
    itemsize: int = 4,
) -> tuple[float, float]:
    """Bytes of the table that `template_spectrum` makes of voxels, and what making it takes.

    Examples
    --------
    >>> from difftem.functional.projection import spectrum_bytes
    >>> table, peak = spectrum_bytes((200, 200, 200), voxel_size=2.0, max_frequency=0.17)
    >>> f"{table / 1e9:.2f} GB, {peak / 1e9:.2f} GB while it is made"
    '0.30 GB, 0.70 GB while it is made'
    """
    oversampling, width = interpolation
    padded = [good_fft_size(math.ceil(n * oversampling)) for n in shape]
    sides = [2 * math.ceil(max_frequency * n * voxel_size) + width for n in padded]
    rows, voxels = math.prod(sides), math.prod(shape)
    table = 2 * width * itemsize * rows
    first = 2 * itemsize * voxels * (2 * padded[2] / shape[2] + 1)
    return table, first + table + 4 * itemsize * rows  # freed pieces are too small for the table


def template_spectrum(
    volume: Tensor,  # (nz, ny, nx) V, real or complex
    voxel_size: float,  # Å
    max_frequency: float,  # 1/Å
    interpolation: Interpolation = DEFAULT,
    center: tuple[float, float, float] = (0.0, 0.0, 0.0),  # Å
) -> TemplateSpectrum:
    r"""Fourier transform of a volume, ready to be interpolated.

    .. math:: \hat V(\mathbf k) = \Delta^3 \sum_{\mathbf x} V(\mathbf x)\,
              e^{-2 \pi i\, \mathbf k \cdot \mathbf x}

    Parameters
    ----------
    volume : Tensor
        Potential in V, absorption as imaginary part; about 0 at its border.
    voxel_size : float
        Δ in Å.
    max_frequency : float
        Largest frequency that will be asked for in 1/Å, at most Nyquist.
    interpolation : Interpolation
        `DEFAULT` or `FINE`.
    center : tuple of float
        Origin x, y, z in Å from voxel ``n // 2``.

    Returns
    -------
    TemplateSpectrum
        Differentiable in `volume`.

    Raises
    ------
    ValueError
        If the volume is not three-dimensional or the frequency beyond Nyquist.

    References
    ----------
    Beatty, Nishimura & Pauly, IEEE Trans. Med. Imaging 24 (2005) 799 (kernel and oversampling).

    Examples
    --------
    >>> import torch
    >>> from difftem.functional.projection import FINE, central_slices, template_spectrum
    >>> volume = torch.zeros(8, 8, 8)
    >>> volume[4, 4, 4] = 10.0  # V
    >>> spectrum = template_spectrum(volume, 2.0, max_frequency=0.2, interpolation=FINE)
    >>> value = central_slices(spectrum, torch.eye(3)[None], torch.zeros(1, 3))
    >>> round(value.real.item(), 1)  # at k = 0: 10 V times 8 Å³
    80.0
    """
    check_pixel_size(voxel_size)
    if volume.ndim != 3 or 0 in volume.shape:
        raise ValueError(f"a template must be (nz, ny, nx) voxels, got {tuple(volume.shape)}")
    if not 0 < max_frequency <= 0.5 / voxel_size * (1 + 1e-9):
        raise ValueError(
            f"max_frequency must be in (0, {0.5 / voxel_size:g}] 1/Å, Nyquist of the template, "
            f"got {max_frequency}"
        )
    oversampling, width = interpolation
    spectrum = volume.to(complex_dtype(volume.dtype))
    size, first, scale = [], [], []
    # Each axis is cut to the frequencies that are needed before the next one is transformed.
    for axis in (2, 1, 0):
        n = volume.shape[axis]
        origin = n // 2 + center[2 - axis] / voxel_size
        reach = 2 * max(origin, n - origin)
        padded = good_fft_size(math.ceil(reach * oversampling))
        limit = math.ceil(max_frequency * padded * voxel_size)
        first.append(1 - limit - width // 2)
        size.append(2 * limit + width)
        scale.append(padded * voxel_size)
        offset = torch.arange(n, dtype=torch.float64, device=volume.device) - origin
        kernel = kernel_transform(offset.abs() / padded, 1 / oversampling, width)
        shaped = (voxel_size / kernel).to(volume.real).reshape([-1] + [1] * (2 - axis))
        spectrum = torch.fft.fft(spectrum * shaped, n=padded, dim=axis)
        index = first[-1] + torch.arange(size[-1], device=volume.device)
        phase = index.double() * (2 * math.pi * origin / padded)
        ramp = torch.polar(torch.ones_like(phase), phase).to(spectrum.dtype)
        spectrum = spectrum.index_select(axis, torch.remainder(index, padded))
        spectrum = spectrum * ramp.reshape([-1] + [1] * (2 - axis))
    flat = torch.view_as_real(spectrum).flatten()
    table = torch.cat([flat, flat.new_zeros(2 * (width - 1))]).unfold(0, 2 * width, 2)
    return TemplateSpectrum(
        table.contiguous(),
        (size[2], size[1], size[0]),
        (first[2], first[1], first[0]),
        (scale[2], scale[1], scale[0]),
        max_frequency,
        interpolation,
    )


def central_slices(
    spectrum: TemplateSpectrum,
    rotations: Tensor,  # (n, 3, 3)
    frequency: Tensor,  # (n_points, 3) or (n, n_points, 3) 1/Å
) -> Tensor:  # (n, n_points) complex, V Å³
    r"""Spectra of turned templates at points of the microscope's Fourier space.

    A template that is turned by R, :math:`V'(\mathbf x) = V(R^T \mathbf x)`, has the spectrum
    :math:`\hat V(R^T \mathbf k)`; at :math:`k_z = 0` this is its projection along the beam.

    Parameters
    ----------
    spectrum : TemplateSpectrum
        From `template_spectrum`.
    rotations : Tensor
        Active rotations from the particle's to the microscope's frame.
    frequency : Tensor
        k as x, y, z in 1/Å, not longer than the spectrum's `max_frequency`.

    Returns
    -------
    Tensor
        Differentiable in rotations, frequencies and the template.

    Examples
    --------
    >>> import torch
    >>> from difftem.functional.pose import random_rotations
    >>> from difftem.functional.projection import FINE, central_slices, template_spectrum
    >>> point = torch.zeros(8, 8, 8, dtype=torch.float64)
    >>> point[4, 4, 4] = 1.0  # V, at the origin: it looks the same from everywhere
    >>> spectrum = template_spectrum(point, 1.0, max_frequency=0.4, interpolation=FINE)
    >>> rotations = random_rotations(3, torch.Generator().manual_seed(0))
    >>> slices = central_slices(spectrum, rotations, torch.tensor([[0.3, 0.0, 0.0]]).double())
    >>> [round(each, 2) for each in slices[:, 0].real.tolist()]
    [1.0, 1.0, 1.0]
    """
    width = spectrum.interpolation.width
    band = 1 / spectrum.interpolation.oversampling
    turned = frequency @ rotations  # k R = (Rᵀ k)ᵀ
    shape = turned.shape[:-1]
    points = turned.reshape(-1, 3)
    row = torch.zeros(len(points), 1, dtype=torch.int32, device=points.device)
    weights = torch.ones_like(points[:, :1])
    along_x = weights
    for axis in range(3):  # z, y, x
        coordinate = points[:, 2 - axis] * spectrum.scale[axis] - spectrum.first[axis]
        start, along = spread_weights(coordinate, band, width)
        cell = start.clamp(0, spectrum.size[axis] - width).int()[:, None]
        if axis == 2:  # a row of the table holds all neighbours along x
            row, along_x = row * spectrum.size[axis] + cell, along
            continue
        cell = cell + torch.arange(width, dtype=torch.int32, device=cell.device)
        row = (row[:, :, None] * spectrum.size[axis] + cell[:, None, :]).flatten(1)
        weights = (weights[:, :, None] * along[:, None, :]).flatten(1)
    rows = embedding_bag(row, spectrum.table, mode="sum", per_sample_weights=weights)
    summed = (rows.unflatten(1, (width, 2)) * along_x[:, :, None]).sum(1)
    return torch.view_as_complex(summed).reshape(shape)
