"""Templates from MRC maps."""

import math
from pathlib import Path

import numpy as np
import torch

from difftem.functional.render import bounding_radius
from difftem.io.errors import input_error
from difftem.io.mrc import read_mrc
from difftem.scene.templates.template import Template

EMPTY = 1e-3  # of the largest value: what counts as part of the particle
CUBIC = 0.01  # relative difference of voxel sides that is a rounding


def read_template(
    path: str | Path,
    voxel_size: float | None = None,  # Å
) -> Template:
    """Read a potential map in V beyond that of the surrounding, voxel n // 2 its center.

    Parameters
    ----------
    path : str or Path
        MRC volume, also as ``.gz``.
    voxel_size : float, optional
        In Å, instead of the header's.

    Returns
    -------
    Template
        Real, float32.

    Raises
    ------
    InputError
        If the file is no MRC volume, holds values that are not finite, has voxels that are not
        cubes, or no voxel size and none is given.
    """
    image = read_mrc(path)
    if image.data.ndim != 3 or np.iscomplexobj(image.data):
        raise input_error(path, f"expected a real volume, got shape {image.data.shape}")
    values = torch.from_numpy(np.array(image.data, dtype=np.float32))  # a file's is read-only
    if not bool(torch.isfinite(values).all()):
        raise input_error(path, f"{int((~torch.isfinite(values)).sum())} voxels are not finite")
    if not bool(values.any()):
        raise input_error(path, "every voxel is 0")
    if voxel_size is None:
        sides = image.voxel_size
        if min(sides) <= 0:
            raise input_error(path, "the header has no voxel size; give voxel_size in Å")
        if max(sides) - min(sides) > CUBIC * max(sides):
            raise input_error(path, f"voxels must be cubes, got {sides} Å")
        voxel_size = sides[0]
    if not (math.isfinite(voxel_size) and voxel_size > 0):
        raise input_error(path, f"voxel_size must be positive, got {voxel_size} Å")
    return Template(values, voxel_size, bounding_radius(values, voxel_size, threshold=EMPTY))
