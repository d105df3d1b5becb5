import torch

from difftem.functional.grid import frequency_grid, radius


def radial_average(values, shape, n_bins):
    """Ring centres in cycles/pixel and means of a half grid over rings of equal width to Nyquist.

    Each frequency of the full transform counts once; an empty ring gives NaN.
    """
    grid = frequency_grid(shape, 1.0, half=True, device=values.device, dtype=values.dtype)
    ring = (radius(grid) * 2 * n_bins).long().flatten()
    # The half grid holds every column once but its first (and last, if nx is even) twice over.
    weight = torch.full_like(grid[1], 2.0)
    weight[:, 0] = 1.0
    if shape[1] % 2 == 0:
        weight[:, -1] = 1.0
    weight = weight.expand(values.shape[-2:]).flatten()
    inside = ring < n_bins
    total = values.new_zeros(*values.shape[:-2], n_bins).index_add(
        -1, ring[inside], (values.flatten(-2) * weight)[..., inside]
    )
    count = values.new_zeros(n_bins).index_add(0, ring[inside], weight[inside])
    center = (torch.arange(n_bins, device=values.device, dtype=values.dtype) + 0.5) / (2 * n_bins)
    return center, total / count
