"""Atoms grouped into columns, and columns into regions."""

from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.spatial import KDTree

from difftem.scene.nanoparticle.columns import REGIONS, AtomicColumns, next_to_vacuum
from difftem.scene.nanoparticle.lattice import Floats, Whole

# Å: an atom of the oxide nearer than this to a Pt atom has to go; Pt-O is 2.0, Pt-Ce 2.9 in solids.
_CLOSEST = {8: 1.8, 58: 2.35}
_LAYER = 0.1  # Å
_BELOW = 1.5  # Å beyond the lowest Pt columns: still below the particle


class Member(NamedTuple):
    """Atoms on their ideal places; the Ce of the oxide's surface have y = 0."""

    positions: Floats  # (n, 3) Å
    atomic_numbers: Whole  # (n,)
    columns: Whole  # (n,)
    layers: Whole  # (n,) of the oxide, 0 is the uppermost


def too_near(
    particle: Floats,  # (m, 3) Å
    positions: Floats,  # (n, 3) Å
    atomic_numbers: Whole,  # (n,)
) -> NDArray[np.bool_]:  # (n,)
    """Tell which atoms of the oxide a particle leaves no room for."""
    beside = positions[:, 1] < _LAYER + max(_CLOSEST.values()) + particle[:, 1].max()
    distance = np.full(len(positions), np.inf)
    distance[beside] = KDTree(particle).query(positions[beside])[0]
    limit = np.where(atomic_numbers == 8, _CLOSEST[8], _CLOSEST[58])
    return distance < limit


def group(
    members: Member,
    reach: float,  # Å
    interface_y: float,  # Å
) -> AtomicColumns:
    """Count atoms by column, and say which column is where.

    Parameters
    ----------
    members : Member
        Atoms.
    reach : float
        Å from the middle of the field to its edges; beyond, nothing is a surface.
    interface_y : float
        y of the surface in the field in Å.

    Returns
    -------
    AtomicColumns
        At the ideal places, about the field's centre.
    """
    _, first, of_atom, counts = np.unique(
        members.columns, return_index=True, return_inverse=True, return_counts=True
    )
    of_atom = of_atom.reshape(-1)
    places, numbers = members.positions[first, :2], members.atomic_numbers[first]
    metal, layers = numbers == 78, members.layers[first]
    surface = next_to_vacuum(places, numbers != 8)
    in_field = (np.abs(places[:, 0]) < reach) & (places[:, 1] + interface_y < reach)
    surface &= in_field
    base = metal & (places[:, 1] > places[metal, 1].max() - _LAYER)
    low, high = places[base, 0].min() - _BELOW, places[base, 0].max() + _BELOW
    below = ~metal & (layers == 0) & (places[:, 0] >= low) & (places[:, 0] <= high)
    names = np.where(metal, REGIONS.index("particle"), REGIONS.index("support"))
    names[surface] = REGIONS.index("surface")
    names[base | below] = REGIONS.index("interface")
    return AtomicColumns(
        torch.from_numpy(places + np.array([0.0, interface_y])),
        torch.from_numpy(numbers),
        torch.from_numpy(counts),
        torch.from_numpy(names),
        torch.from_numpy(surface),
        torch.from_numpy(of_atom),
    )
