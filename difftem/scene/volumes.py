"""A scene in three dimensions: density, and which copy each voxel belongs to."""

from collections.abc import Mapping

import torch
from torch import Tensor
from torch.nn.functional import avg_pool3d, grid_sample

from difftem.scene.poses import Scene
from difftem.scene.templates.template import Template

CLEAR = 0.1  # of a template's largest value: what is less belongs to no particle


def scene_volumes(
    scene: Scene,
    templates: Mapping[str, Template],
    shape: tuple[int, int, int],
    voxel_size: float,
) -> tuple[Tensor, Tensor]:  # (nz, ny, nx) V, (nz, ny, nx) int32
    """Put the templates of all copies into one volume.

    Parameters
    ----------
    scene : Scene
        What is where; its origin is voxel n // 2.
    templates : mapping of str to Template
        Of each particle.
    shape : tuple of int
        Of the volume (z, y, x).
    voxel_size : float
        Of the volume in Å; templates of smaller voxels are averaged over it.

    Returns
    -------
    tuple of Tensor
        Potential in V beyond that of the ice, and the number of the copy, from 1 in the order of
        ``scene.positions()``, where it is above a tenth of the template's largest; 0 elsewhere.
    """
    density, owner = torch.zeros(shape), torch.zeros(shape, dtype=torch.int32)
    most = torch.zeros(shape)  # share of its template's largest value, of the copy that owns it
    smoothed = {name: _smoothed(each, voxel_size) for name, each in templates.items()}
    number = 0
    for copies in scene.instances:
        if len(copies) == 0:
            continue
        template, values = templates[copies.particle], smoothed[copies.particle]
        largest = float(values.abs().max())
        for position, rotation in zip(copies.positions, copies.rotations, strict=True):
            number += 1
            box = _box(position, template.radius, shape, voxel_size)
            if box is None:
                continue
            found = _turned(values, template, position, rotation, box, shape, voxel_size)
            density[box] += found
            share = found.abs() / largest
            mine = (share > CLEAR) & (share > most[box])
            most[box] = torch.where(mine, share, most[box])
            owner[box] = torch.where(mine, torch.tensor(number, dtype=torch.int32), owner[box])
    return density, owner


def _smoothed(template: Template, voxel_size: float) -> Tensor:  # (nz, ny, nx)
    """Template, averaged over as many of its voxels as a larger one holds."""
    values = template.values.real.float()
    size = 2 * int(voxel_size / template.voxel_size / 2) + 1  # odd: nothing moves
    return avg_pool3d(values[None, None], size, 1, size // 2)[0, 0]


def _box(
    position: Tensor, radius: float, shape: tuple[int, int, int], voxel_size: float
) -> tuple[slice, slice, slice] | None:
    """Part of the volume (z, y, x) that a copy may reach, or None if it is outside."""
    parts = []
    for at, n in zip(reversed(position.tolist()), shape, strict=True):
        low = max(int((at - radius) // voxel_size) + n // 2, 0)
        high = min(int((at + radius) // voxel_size) + n // 2 + 2, n)
        if low >= high:
            return None
        parts.append(slice(low, high))
    return parts[0], parts[1], parts[2]


def _turned(
    values: Tensor,
    template: Template,
    position: Tensor,
    rotation: Tensor,
    box: tuple[slice, slice, slice],
    shape: tuple[int, int, int],
    voxel_size: float,
) -> Tensor:
    """Template in the voxels of a box, by linear interpolation."""
    axes = [
        (torch.arange(part.start, part.stop, dtype=torch.float64) - n // 2) * voxel_size - at
        for part, n, at in zip(box, shape, reversed(position.tolist()), strict=True)
    ]
    z, y, x = torch.meshgrid(*axes, indexing="ij")
    # x' = R x + p, so x = Rᵀ (x' - p): rows times R.
    inside = torch.stack([x, y, z], -1) @ rotation
    n = torch.tensor(list(reversed(values.shape)), dtype=torch.float64)
    center = torch.tensor(template.center, dtype=torch.float64)
    voxels = (inside + center) / template.voxel_size + n.long() // 2
    grid = (2 * voxels / (n - 1) - 1).float()
    return grid_sample(values[None, None], grid[None], align_corners=True)[0, 0]
