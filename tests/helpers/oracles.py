"""Slow sums in real space to compare with."""

import math

import torch

from difftem.constants.physical import POTENTIAL_CONSTANT
from difftem.constants.scattering import scattering_table
from difftem.functional.grid import frequency_grid, radius
from difftem.functional.spread import kernel_transform, spread_deltas

BAND = 2 / 3


def gaussian_potential(positions, atomic_numbers, b_factors, occupancies, points):
    """Sum Peng's Gaussians at points (x, y, z in Å), in V."""
    parameters = scattering_table("peng").parameters.to(positions)[atomic_numbers]
    amplitude, width = parameters[..., 0], parameters[..., 1] + b_factors[:, None]
    r2 = ((points[:, None] - positions) ** 2).sum(-1)  # (n_points, n_atoms)
    height = occupancies[:, None] * POTENTIAL_CONSTANT * amplitude
    height = height * (4 * math.pi / width) ** 1.5
    return (height * torch.exp(-4 * math.pi**2 * r2[..., None] / width)).sum((-2, -1))


def project_voxels(volume, voxel_size, rotation, size, pixel_size, max_frequency):
    """Turn every voxel to its place and sum them along the beam, up to a band limit, in V Å."""
    assert max_frequency <= BAND / 2 / pixel_size * (1 + 1e-9)
    parts = (volume.real, volume.imag) if volume.is_complex() else (volume,)
    values = torch.stack([part.flatten() for part in parts], -1)
    occupied = values.abs().amax(-1) > 0
    axes = [
        (torch.arange(n, dtype=rotation.dtype, device=volume.device) - n // 2) * voxel_size
        for n in volume.shape
    ]
    z, y, x = torch.meshgrid(*axes, indexing="ij")
    points = torch.stack([x, y, z], -1).reshape(-1, 3)[occupied]
    turned = (points @ rotation.T)[:, :2]
    pixels = turned / pixel_size + size // 2
    spread = spread_deltas(pixels, values[occupied].to(pixels), (size, size), BAND)
    grid = frequency_grid((size, size), pixel_size, half=True, device=volume.device)
    factor = voxel_size**3 / pixel_size**2 * (radius(grid) < max_frequency)
    for q in grid:
        per_pixel = torch.clamp(q.abs() * pixel_size, max=BAND / 2)
        factor = factor / kernel_transform(per_pixel, BAND)
    image = torch.fft.irfft2(torch.fft.rfft2(spread) * factor.to(spread), s=(size, size))
    return torch.complex(image[0], image[1]) if volume.is_complex() else image[0]
