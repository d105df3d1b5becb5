"""Where copies of a particle go in a field: at random without overlap."""

import torch
from torch import Tensor

from difftem.scene.packing import PackingRequest, pack
from difftem.scene.regions import BoxRegion


def random_positions(
    n: int,
    width: float,  # Å
    height: float,  # Å
    distance: float,  # Å
    generator: torch.Generator,
) -> Tensor:  # (n, 2) Å
    """Points in a rectangle about the origin, no two closer than a distance.

    Random sequential addition: each point is drawn until it fits.

    Parameters
    ----------
    n : int
        How many.
    width, height : float
        Of the rectangle along x and y in Å; a negative side counts as 0.
    distance : float
        Least distance between two points in Å.
    generator : torch.Generator
        Source of randomness.

    Returns
    -------
    Tensor
        float64, shape ``(n, 2)``.

    Raises
    ------
    ValueError
        If they do not fit, with the number that did.
    """
    # The rectangle of the whole discs: what their cover is measured against.
    sides = (max(width, 0.0) + distance, max(height, 0.0) + distance)
    (points,) = pack([PackingRequest(BoxRegion(*sides, 0.0), distance / 2, n)], generator)
    return points[:, :2].contiguous()
