"""Made-up proteins of a mass and symmetry."""

import math

import torch
from torch import Tensor

from difftem.atoms import Atoms, concatenate
from difftem.functional.pose import random_rotations
from difftem.scene.synthetic.draw import Draw
from difftem.scene.synthetic.fold import RESIDUE_DALTON, RESIDUE_VOLUME, Inside, fold
from difftem.scene.synthetic.point_groups import point_group

_CONTACT = 1.7  # radii of a subunit between neighbouring middles: they flatten at each other
_TRIES = 24


def shape_of_lobes(
    volume: float,  # Å³
    draw: Draw,
) -> tuple[Inside, float]:
    """Draw a shape of one to three ellipsoids that overlap, about the origin.

    Parameters
    ----------
    volume : float
        In Å³, kept to some 10 %.
    draw : Draw
        Source of randomness.

    Returns
    -------
    tuple
        What tells points inside, and the radius in Å of a ball that holds the shape.
    """
    lobes = draw.integer(1, 3)
    radius = (3 * volume / (4 * math.pi)) ** (1 / 3)
    places = draw.normal(lobes, 3)
    places = places / places.norm(dim=-1, keepdim=True) * (0.9 * radius * (lobes > 1))
    places = places - places.mean(0)
    axes = torch.exp(0.22 * draw.normal(lobes, 3))
    turns = random_rotations(lobes, draw.generator)
    size = radius * (1.0 if lobes == 1 else 0.8)

    def distance(points: Tensor, scale: float) -> Tensor:  # (n, lobes)
        shifted = points[:, None] - places * scale
        return (torch.einsum("nli,lij->nlj", shifted, turns) / (axes * size * scale)).norm(dim=-1)

    # Overlap is not known beforehand: count points, scale once.
    reach = 2.2 * radius
    points = (2 * draw.numbers(4000, 3) - 1) * reach
    share = float((distance(points, 1.0) < 1).any(-1).double().mean())
    scale = (volume / max(share * (2 * reach) ** 3, 1.0)) ** (1 / 3)
    held = float((places.norm(dim=-1) + size * axes.amax(-1)).max()) * scale

    def inside(points: Tensor) -> Tensor:
        return (distance(points, scale) < 1).any(-1)

    return inside, held


def subunit_of(
    volume: float,  # Å³ of one
    symmetry: Tensor,  # (n, 3, 3)
    draw: Draw,
    b_factor: float,
    looseness: float = 1.0,
) -> Atoms:
    """Fold one subunit beside its neighbours.

    Parameters
    ----------
    volume : float
        Of a subunit in Å³.
    symmetry : Tensor
        Rotations, the identity first.
    draw : Draw
        Source of randomness.
    b_factor : float
        Of the atoms in Å².
    looseness : float
        Distance of neighbours over that of contact.

    Returns
    -------
    Atoms
        In its place; the axes meet in the origin.
    """
    radius = (3 * volume / (4 * math.pi)) ** (1 / 3)
    shape, reach = shape_of_lobes(volume, draw)
    middle, others = torch.zeros(3, dtype=torch.float64), torch.zeros(0, 3, dtype=torch.float64)
    if len(symmetry) > 1:
        direction, gap = _place(symmetry, draw)
        middle = direction * (looseness * _CONTACT * radius / gap)
        others = symmetry[1:] @ middle

    def inside(points: Tensor) -> Tensor:
        keep = shape(points - middle)
        if len(others):
            own = (points - middle).norm(dim=-1)
            keep &= own < torch.cdist(points, others).amin(-1)
        return keep

    return fold(inside, middle, reach, draw, draw.uniform(0.1, 0.9), b_factor)


def copied(atoms: Atoms, rotations: Tensor, shifts: Tensor | None = None) -> Atoms:
    """Copy atoms, turned by ``(n, 3, 3)`` and then shifted by ``(n, 3)`` in Å."""
    turned = atoms.positions.double() @ rotations.mT
    if shifts is not None:
        turned = turned + shifts[:, None]
    return concatenate(
        [
            Atoms(each.float(), atoms.atomic_numbers, atoms.b_factors, atoms.occupancies)
            for each in turned
        ]
    )


def synthetic_protein(
    mass_kda: float,
    draw: Draw,
    group: str | None = None,
    b_factor: float = 40.0,
) -> Atoms:
    """Make up a protein or an assembly of equal proteins.

    Parameters
    ----------
    mass_kda : float
        Of the whole in kDa.
    draw : Draw
        Source of randomness.
    group : str, optional
        Point group, see `point_group`. Default: drawn among those that suit the mass.
    b_factor : float
        Of the atoms in Å².

    Returns
    -------
    Atoms
        Its origin is the middle of the symmetry, or of the shape.
    """
    symmetry = point_group(group or draw_group(mass_kda, draw))
    volume = 1000 * mass_kda / len(symmetry) / RESIDUE_DALTON * RESIDUE_VOLUME
    loose = draw.uniform(0.95, 1.25)
    return copied(subunit_of(volume, symmetry, draw, b_factor, loose), symmetry)


def draw_group(mass_kda: float, draw: Draw, subunit_kda: tuple[float, float] = (9, 170)) -> str:
    """Draw a point group whose subunits have a mass that proteins have, in kDa."""
    orders = {"C1": 1, "T": 12, "O": 24, "I": 60}
    orders |= {f"C{n}": n for n in range(2, 9)} | {f"D{n}": 2 * n for n in range(2, 8)}
    weights = {"C1": 4.0, "T": 2.0, "O": 3.0, "I": 6.0, "C2": 2.0, "D7": 2.0}
    low, high = subunit_kda
    fitting = {
        group: weights.get(group, 1.0)
        for group, order in orders.items()
        if low <= mass_kda / order <= high
    }
    return draw.weighted(fitting) if fitting else "C1"


def _place(symmetry: Tensor, draw: Draw) -> tuple[Tensor, float]:
    """Direction of a subunit from the middle, and how near its neighbours are at unit distance."""
    directions = draw.normal(_TRIES, 3)
    directions = directions / directions.norm(dim=-1, keepdim=True)
    images = torch.einsum("gij,tj->tgi", symmetry[1:], directions)
    gaps = (images - directions[:, None]).norm(dim=-1).amin(-1)
    # Not always the closest packing: cages and rings are hollow.
    best = int(gaps.topk(4).indices[draw.integer(0, 3)])
    return directions[best], float(gaps[best])
