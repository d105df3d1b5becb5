"""Projection of a volume in real space: slow, and the oracle of the central slices."""

import math

import torch
from torch import Tensor

from difftem.functional.grid import check_pixel_size, frequency_grid, radius
from difftem.functional.spread import kernel_transform, spread_deltas

BAND = 2 / 3


def project_voxels(
    volume: Tensor,  # (nz, ny, nx) V, real or complex
    voxel_size: float,  # Å
    rotation: Tensor,  # (3, 3)
    size: int,
    pixel_size: float,  # Å
    max_frequency: float,  # 1/Å
    position: tuple[float, float] = (0.0, 0.0),  # Å
) -> Tensor:  # (size, size) V Å
    """Turn every voxel to its place and sum them along the beam, up to a band limit.

    Each voxel is a point of weight V Δ³ that is spread over the pixels around its projection.

    Parameters
    ----------
    volume : Tensor
        Potential in V, its origin at voxel ``n // 2``.
    voxel_size : float
        Δ in Å.
    rotation : Tensor
        Active rotation from the particle's to the microscope's frame.
    size : int
        Pixels per side of the image.
    pixel_size : float
        In Å.
    max_frequency : float
        Band limit in 1/Å, sharp; at most 2/3 of the image's Nyquist.
    position : tuple of float
        x, y of the particle's origin in Å from pixel ``size // 2``.

    Returns
    -------
    Tensor
        Projected potential in V Å, shape ``(size, size)``.

    Raises
    ------
    ValueError
        If the band limit is too high for the image.
    """
    check_pixel_size(pixel_size)
    if max_frequency > BAND / 2 / pixel_size * (1 + 1e-9):
        raise ValueError(
            f"max_frequency must be at most {BAND / 2 / pixel_size:g} 1/Å, got {max_frequency}"
        )
    parts = (volume.real, volume.imag) if volume.is_complex() else (volume,)
    values = torch.stack([part.flatten() for part in parts], -1)
    occupied = values.abs().amax(-1) > 0
    axes = [
        (torch.arange(n, dtype=rotation.dtype, device=volume.device) - n // 2) * voxel_size
        for n in volume.shape
    ]
    z, y, x = torch.meshgrid(*axes, indexing="ij")
    points = torch.stack([x, y, z], -1).reshape(-1, 3)[occupied]
    turned = (points @ rotation.T)[:, :2] + torch.tensor(position).to(rotation)
    pixels = turned / pixel_size + size // 2
    spread = spread_deltas(pixels, values[occupied].to(pixels), (size, size), BAND)
    grid = frequency_grid((size, size), pixel_size, half=True, device=volume.device)
    factor = voxel_size**3 / pixel_size**2 * (radius(grid) < max_frequency)
    for q in grid:
        per_pixel = torch.clamp(q.abs() * pixel_size, max=BAND / 2)
        factor = factor / kernel_transform(per_pixel, BAND)
    image = torch.fft.irfft2(torch.fft.rfft2(spread) * factor.to(spread), s=(size, size))
    return torch.complex(image[0], image[1]) if volume.is_complex() else image[0]


def bounding_radius(
    volume: Tensor,  # (nz, ny, nx) V
    voxel_size: float,  # Å
    center: tuple[float, float, float] = (0.0, 0.0, 0.0),  # Å
    threshold: float = 1e-4,
) -> float:  # Å
    """Radius of the sphere about a point that holds everything above a part of the maximum.

    Parameters
    ----------
    volume : Tensor
        Real or complex.
    voxel_size : float
        In Å.
    center : tuple of float
        x, y, z of the point in Å from voxel ``n // 2``.
    threshold : float
        Part of the largest modulus.

    Returns
    -------
    float
        In Å, half a voxel's diagonal included; 0 for an empty volume.
    """
    modulus = volume.detach().abs()
    occupied = modulus > threshold * modulus.max()
    if not bool(occupied.any()):
        return 0.0
    squared = torch.zeros((), dtype=torch.float64, device=volume.device)
    for axis, middle in zip((2, 1, 0), center, strict=True):
        n = volume.shape[axis]
        x = (torch.arange(n, dtype=torch.float64, device=volume.device) - n // 2) * voxel_size
        shape = [-1 if other == axis else 1 for other in range(3)]
        squared = squared + ((x - middle) ** 2).reshape(shape)
    farthest = float((squared * occupied).max())
    return math.sqrt(farthest) + math.sqrt(3) / 2 * voxel_size
