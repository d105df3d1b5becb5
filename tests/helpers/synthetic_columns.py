"""Frames of bright columns with dark rings on vacuum, whose every truth is known."""

import torch


def columns_image(positions, size, *, height=0.6, sigma=5.0, level=0.45):
    """Expected electrons: Gaussian cores in wider negative ones of nearly the same volume."""
    axis = torch.arange(size, dtype=torch.float64)
    image = torch.full((size, size), level, dtype=torch.float64)
    for px, py in positions:
        square = (axis[:, None] - py) ** 2 + (axis - px) ** 2
        core, ring = (torch.exp(-square / (2 * s**2)) for s in (sigma, 1.6 * sigma))
        image += height * level * (core - 0.35 * ring)
    return image


def blur(sigma, size):
    """A linear denoiser: Gaussian blur of counts (y, x), which end in their own mirror image."""
    axis = torch.arange(size, dtype=torch.float64)
    weights = sum(
        torch.exp(-((axis[:, None] - mirrored) ** 2) / (2 * sigma**2))
        for mirrored in (axis, -1 - axis, 2 * size - 1 - axis)
    )
    weights = weights / weights.sum(1, keepdim=True)
    return lambda counts: (weights.to(counts) @ counts @ weights.T.to(counts)).clamp(min=1e-3)
