"""Nanocrystals of metals with the face-centred cubic lattice."""

import itertools
import math

import torch

from difftem.atoms import Atoms
from difftem.scene.synthetic.draw import Draw

# Edge of the cubic cell in Å at room temperature.
LATTICES = {79: 4.078, 78: 3.924, 47: 4.086, 46: 3.891}  # Au, Pt, Ag, Pd


def nanocrystal(
    atomic_number: int,
    diameter: float,  # Å
    draw: Draw,
) -> Atoms:
    """Cut a crystal by {111} and {100} faces at random distances, or by a sphere.

    Parameters
    ----------
    atomic_number : int
        79 (Au), 78 (Pt), 47 (Ag) or 46 (Pd).
    diameter : float
        In Å.
    draw : Draw
        Source of randomness.

    Returns
    -------
    Atoms
        About the origin, axes along x, y, z.

    Raises
    ------
    ValueError
        For another element.
    """
    if atomic_number not in LATTICES:
        raise ValueError(f"atomic number must be one of {', '.join(map(str, LATTICES))}")
    edge, radius = LATTICES[atomic_number], diameter / 2
    steps = math.ceil(radius / edge) + 1
    cells = torch.cartesian_prod(*(torch.arange(-steps, steps + 1).double(),) * 3)
    basis = torch.tensor([[0, 0, 0], [0, 0.5, 0.5], [0.5, 0, 0.5], [0.5, 0.5, 0]]).double()
    points = edge * ((cells[:, None] + basis).flatten(0, 1) + draw.numbers(3) - 0.5)
    keep = points.norm(dim=-1) < radius
    if draw.chance(0.7):
        signs = itertools.product((-1.0, 1.0), repeat=3)
        diagonal = torch.tensor(list(signs), dtype=torch.float64) / math.sqrt(3)
        axes = torch.cat([torch.eye(3, dtype=torch.float64), -torch.eye(3, dtype=torch.float64)])
        faces = torch.cat([diagonal, axes])
        height = radius * (0.72 + 0.25 * draw.numbers(len(faces)))
        keep &= (points @ faces.mT < height).all(-1)
    points = points[keep]
    n = len(points)
    numbers = torch.full((n,), atomic_number)
    return Atoms(points.float(), numbers, torch.full((n,), draw.uniform(0.5, 4.0)), torch.ones(n))
