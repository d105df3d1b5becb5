"""Defects of a particle's surface: steps, missing columns, missing corners, adatoms."""

import math

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components
from scipy.spatial import KDTree

from difftem.scene.nanoparticle.lattice import Whole, to_profile
from difftem.scene.nanoparticle.metal import Metal
from difftem.scene.synthetic.draw import Draw

# Faces that hold the beam, so that the step is seen from the side; the lowest one is on the oxide.
_STEPPED = {"top": (1, 1, 1), "left": (1, 1, -1), "right": (-1, -1, 1), "upper right": (0, 0, 1)}
_CORNER = 6  # neighbours of an atom at a corner, at most
_HELD = 3  # neighbours that hold an atom; two in the lowest layer, which the oxide holds as well
_IN_PROJECTION = 0.75  # cell edges: the six nearest columns are at .61 and .71
_EDGE_COLUMN = 3, 4  # nearest columns of one at an edge, at most; of one in a face
_SHARE_OF_COLUMNS = 10  # one of so many can be missing
_LAYER = 0.1  # Å


def cut_step(metal: Metal, draw: Draw) -> tuple[Metal, str]:
    """Take away a part of the outermost layer of one face, along the beam; say of which."""
    name = draw.choice(list(_STEPPED))
    normal = to_profile(np.array([_STEPPED[name]]))[0]
    normal = normal / math.sqrt(float((normal**2).sum()))
    x, y = metal.positions[:, 0], metal.positions[:, 1]
    height, along = normal[0] * x + normal[1] * y, normal[0] * y - normal[1] * x
    layer = metal.occupied & (height > height[metal.occupied].max() - _LAYER)
    low, high = float(along[layer].min()), float(along[layer].max())
    position, side = draw.uniform(low, high), draw.choice((-1.0, 1.0))
    gone = layer & (side * (along - position) > 0) & ~_lowest(metal)
    return metal.with_occupied(metal.occupied & ~gone), name


def take_columns(metal: Metal, number: int, draw: Draw) -> tuple[Metal, int]:
    """Take away columns with few nearest columns; return how many there were to take."""
    taken, there = 0, int((metal.of_columns()[1] > 0).sum())
    for _ in range(min(number, there // _SHARE_OF_COLUMNS)):
        positions, counts = metal.of_columns()
        beside = _columns_beside(metal, positions, counts > 0)
        base = positions[:, 1] > metal.bottom - _LAYER
        few = [np.flatnonzero((counts > 0) & (beside <= most) & ~base) for most in _EDGE_COLUMN]
        edge = few[0] if len(few[0]) else few[1]
        if len(edge) == 0:
            break
        gone = metal.columns == edge[draw.integer(0, len(edge) - 1)]
        metal, taken = metal.with_occupied(metal.occupied & ~gone), taken + 1
    return metal, taken


def take_corners(metal: Metal, share: float, draw: Draw) -> tuple[Metal, int]:
    """Take away a share of the atoms with few neighbours; return how many were taken."""
    corner = metal.occupied & (metal.coordination() <= _CORNER) & ~_lowest(metal)
    gone = corner & (draw.numbers(len(corner)).numpy() < share)
    return metal.with_occupied(metal.occupied & ~gone), int(gone.sum())


def take_loose(metal: Metal) -> Metal:
    """Take away atoms that too few neighbours hold, until all are held, and fragments."""
    base = _lowest(metal)
    while True:
        loose = metal.occupied & (metal.coordination() < np.where(base, _HELD - 1, _HELD))
        if not loose.any() or loose.sum() == metal.occupied.sum():
            return metal.with_occupied(metal.occupied & _largest_piece(metal))
        metal = metal.with_occupied(metal.occupied & ~loose)


def add_columns(metal: Metal, number: int, draw: Draw) -> tuple[Metal, list[int]]:
    """Put columns of atoms onto the surface; return the number of atoms of each."""
    sizes: list[int] = []
    for _ in range(number):
        positions, counts = metal.of_columns()
        above = positions[:, 1] < metal.bottom - _LAYER
        held = ~metal.occupied & (metal.coordination() >= _HELD)
        room = np.bincount(metal.columns, weights=held, minlength=len(counts))
        free = np.flatnonzero((counts == 0) & (room > 0) & above)
        if len(free) == 0:
            break
        sites = np.flatnonzero(held & (metal.columns == free[draw.integer(0, len(free) - 1)]))
        sites = sites[np.argsort(metal.positions[sites, 2])]
        size = draw.integer(1, len(sites))
        first = draw.integer(0, len(sites) - size)
        occupied = metal.occupied.copy()
        occupied[sites[first : first + size]] = True
        metal = metal.with_occupied(occupied)
        sizes.append(size)
    return metal, sizes


def _lowest(metal: Metal) -> NDArray[np.bool_]:
    """Sites of the layer on the oxide."""
    return metal.positions[:, 1] > metal.bottom - _LAYER


def _largest_piece(metal: Metal) -> NDArray[np.bool_]:
    """Sites that hang together with most others."""
    both = metal.pairs[metal.occupied[metal.pairs].all(axis=1)]
    n = len(metal.positions)
    graph = coo_matrix((np.ones(len(both)), both.T), shape=(n, n))
    piece = connected_components(graph, directed=False)[1]
    return piece == np.bincount(piece).argmax()


def _columns_beside(
    metal: Metal, positions: NDArray[np.float64], there: NDArray[np.bool_]
) -> Whole:
    """Count the nearest columns that are there, of each."""
    pairs = KDTree(positions).query_pairs(_IN_PROJECTION * metal.edge, output_type="ndarray")
    first, second = np.concatenate([pairs, pairs[:, ::-1]]).T
    counts = np.bincount(first, weights=there[second], minlength=len(positions))
    return counts.astype(np.int64)
