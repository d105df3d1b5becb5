import itertools
import math

import numpy as np
import pytest
from scipy.spatial import KDTree
from scipy.spatial.distance import pdist

from difftem.scene.nanoparticle.lattice import fcc_indices, to_profile
from difftem.scene.nanoparticle.metal import cut_metal
from difftem.scene.nanoparticle.outline import Outline, draw_outline, faces, octahedron, wulff
from difftem.scene.synthetic.draw import Draw

A = 3.924
CENTRED, HOLE = np.zeros(3), np.array([0.5, 0.5, 0.5])


def atoms_in(outline, offset=CENTRED, **options):
    metal = cut_metal(outline, A, offset, math.inf, **options)
    return metal, metal.positions[metal.occupied]


def is_congruent(first, second):
    """Whether two sets of points have the same distances."""
    ours, theirs = (np.sort(pdist(each)) for each in (first, second))
    return ours.shape == theirs.shape and np.abs(ours - theirs).max() < 1e-6


@pytest.mark.parametrize(
    # Octahedra of `length` atoms an edge, `cut` layers off each corner: ase.cluster.Octahedron,
    # and the magic numbers of the literature.
    ("length", "cut", "number"),
    [(4, 1, 38), (7, 2, 201), (10, 3, 586), (5, 2, 55), (7, 3, 147), (3, 0, 19), (6, 0, 146)],
)
def test_octahedra_have_their_magic_numbers(length, cut, number):
    corner = A / math.sqrt(2) * (length - 1) / math.sqrt(2)  # from the centre
    indices = faces(1, 3)
    normals = to_profile(indices) / np.linalg.norm(indices, axis=1, keepdims=True)
    distances = np.where(np.abs(indices).sum(1) == 3, corner / math.sqrt(3), corner - cut * A / 2)
    offset = HOLE if length % 2 == 0 else CENTRED
    _, positions = atoms_in(Outline(normals, distances), offset)
    assert len(positions) == number
    ase_cluster = pytest.importorskip("ase.cluster", reason="ase is the extra `materials`")
    reference = ase_cluster.Octahedron("Pt", length=length, cutoff=cut, latticeconstant=A)
    assert is_congruent(positions, reference.get_positions())


def test_a_regular_truncated_octahedron_has_the_coordination_of_its_sites():
    outline = octahedron(2 / 3).scaled(A * 3 / 2 + 1e-3)
    metal, positions = atoms_in(outline, HOLE)
    assert len(positions) == 38
    counts = np.bincount(metal.coordination()[metal.occupied], minlength=13)
    # 24 corners with 6 neighbours, 8 middles of hexagons with 9, 6 atoms inside with 12.
    assert (counts[6], counts[9], counts[12], counts.sum()) == (24, 8, 6, 38)


def test_the_crystal_has_four_atoms_a_cell_and_twelve_neighbours():
    # Its square faces are 20 Å from the middle: e / √2 for edges e, and 5 √2 / 3 e³ is its volume.
    volume = 5 * math.sqrt(2) / 3 * (20 * math.sqrt(2)) ** 3
    numbers = []
    for offset in itertools.product((0.01, 0.26), repeat=3):
        metal, positions = atoms_in(octahedron(1.0).scaled(40.0), np.array(offset))
        numbers.append(len(positions))
    # On average over where the lattice lies, no face counts half an atomic layer too much.
    assert np.mean(numbers) / volume == pytest.approx(4 / A**3, rel=0.01)
    assert metal.coordination()[metal.occupied].max() == 12
    distance = KDTree(positions).query(positions, k=2)[0][:, 1]
    assert np.allclose(distance, A / math.sqrt(2), atol=1e-9)
    assert len(fcc_indices(2)) == 63  # of 125 points, those of even sum


def test_wulff_outline_is_that_of_ase():
    ase_cluster = pytest.importorskip("ase.cluster", reason="ase is the extra `materials`")
    energies = {(1, 1, 1): 2.299, (1, 0, 0): 2.734, (1, 1, 0): 2.819}
    reference = ase_cluster.wulff_construction(
        "Pt", list(energies), list(energies.values()), 400, "fcc", "closest", A
    )
    _, positions = atoms_in(wulff().scaled(9.5))
    assert len(positions) == 405
    assert is_congruent(positions, reference.get_positions())


def test_columns_are_atoms_behind_one_another():
    metal, _ = atoms_in(octahedron(0.5).scaled(12.0))
    places, counts = metal.of_columns()
    apart = metal.positions[:, :2] - places[metal.columns]
    assert np.abs(apart).max() < 1e-9
    assert counts.sum() == metal.occupied.sum()
    # Nearest columns of the [110] projection: √(3/8) a apart.
    assert KDTree(places).query(places, k=2)[0][:, 1].min() == pytest.approx(A * 0.375**0.5)


@pytest.mark.parametrize("shape", ["octahedron", "cuboctahedron", "wulff", "irregular"])
def test_width_in_profile_is_the_diameter(generator, shape):
    outline = draw_outline(shape, 0.4, 25.0, Draw(generator))
    low, high = outline.bounds()
    assert high[0] - low[0] == pytest.approx(25.0)
    _, positions = atoms_in(outline)
    width = positions[:, 0].max() - positions[:, 0].min()
    assert 25.0 - A < width <= 25.0


@pytest.mark.parametrize("plane", ["parallel", "inclined"])
def test_twin_is_a_mirror_and_closes_without_a_gap(plane):
    outline = octahedron(1.0).scaled(14.0)
    metal, positions = atoms_in(outline, twin=(plane, 0.0))
    assert KDTree(positions).query(positions, k=2)[0][:, 1].min() == pytest.approx(A / math.sqrt(2))
    inside = metal.occupied & (outline.depth(metal.positions) > A)
    assert metal.coordination()[inside].min() == 12  # as in the crystal, also at the plane
    second = KDTree(positions)
    # hcp stacking at the plane has pairs at √(8/3) nearest distances, the fcc crystal has none.
    distances = second.sparse_distance_matrix(second, 1.7 * A / math.sqrt(2), output_type="ndarray")
    ratio = distances["v"] / (A / math.sqrt(2))
    assert (np.abs(ratio - math.sqrt(8 / 3)) < 1e-6).any()
    _, plain = atoms_in(outline)
    tree = KDTree(plain)
    ratio = tree.sparse_distance_matrix(tree, 1.7 * A / math.sqrt(2), output_type="ndarray")["v"]
    assert not (np.abs(ratio / (A / math.sqrt(2)) - math.sqrt(8 / 3)) < 1e-6).any()
