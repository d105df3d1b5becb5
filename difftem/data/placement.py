"""Where copies of a particle go: at random without overlap, or as a file says."""

import math

import torch
from torch import Tensor

MAX_TRIES_PER_COPY = 2000


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
    side = torch.tensor([max(width, 0.0), max(height, 0.0)], dtype=torch.float64)
    placed = torch.empty(0, 2, dtype=torch.float64)
    for i in range(n):
        tries = torch.rand(MAX_TRIES_PER_COPY, 2, generator=generator, dtype=torch.float64)
        candidates = (tries - 0.5) * side
        if i > 0:
            nearest = torch.cdist(candidates, placed).amin(1)
            candidates = candidates[nearest >= distance]
        if len(candidates) == 0:
            room = side + distance
            covered = i * math.pi / 4 * distance**2 / float(room.prod())
            raise ValueError(
                f"only {i} of {n} copies of {distance:.0f} Å fit without overlap into "
                f"{width:.0f} x {height:.0f} Å (covering {covered:.0%}); use fewer copies or a "
                "larger field"
            )
        placed = torch.cat([placed, candidates[:1]])
    return placed
