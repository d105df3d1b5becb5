import pytest
import torch

from difftem.scene.matter import PROTEIN_RESIDUE
from difftem.scene.synthetic.draw import Draw
from difftem.scene.synthetic.helix import HelicalLattice, draw_lattice, helical_segment
from difftem.scene.synthetic.point_groups import point_group
from difftem.scene.synthetic.protein import synthetic_protein
from difftem.scene.templates.render import render_template

HEAVY_PER_RESIDUE = PROTEIN_RESIDUE.heavy_atoms
KDA_PER_RESIDUE = 0.1111254


def draw(seed=0):
    return Draw(torch.Generator().manual_seed(seed))


def residues(atoms):
    return float((atoms.atomic_numbers > 1).sum()) / HEAVY_PER_RESIDUE


@pytest.mark.parametrize(
    ("symbol", "order"), [("C1", 1), ("C7", 7), ("D3", 6), ("T", 12), ("O", 24), ("I", 60)]
)
def test_a_point_group_has_its_order_and_is_closed(symbol, order):
    group = point_group(symbol)
    assert len(group) == order
    products = (group[:, None] @ group[None]).flatten(0, 1)
    distance = (products[:, None] - group).abs().amax((-2, -1)).amin(1)
    assert float(distance.max()) < 1e-9
    assert torch.linalg.det(group).sub(1).abs().max() < 1e-12


def test_an_unknown_point_group_is_refused():
    with pytest.raises(ValueError, match="point group must be C1"):
        point_group("X")


@pytest.mark.parametrize(("mass", "group"), [(60.0, "C1"), (200.0, "C1"), (480.0, "O")])
def test_made_up_proteins_have_their_mass_within_a_fifth(mass, group):
    found = residues(synthetic_protein(mass, draw(), group)) * KDA_PER_RESIDUE
    assert found == pytest.approx(mass, rel=0.2)


def test_made_up_protein_has_the_composition_of_proteins():
    atoms = synthetic_protein(300.0, draw(1), "C1")
    n = residues(atoms)
    for element, each in PROTEIN_RESIDUE.formula:
        found = float(atoms.occupancies[atoms.atomic_numbers == element].sum()) / n
        assert found == pytest.approx(each, rel=0.03 if element != 16 else 0.5), element


def test_made_up_protein_scatters_as_much_beyond_ice_as_its_volume_of_protein():
    atoms = synthetic_protein(100.0, draw(2), "C1")
    template = render_template(atoms, 3.0)
    expected = residues(atoms) * PROTEIN_RESIDUE.volume * PROTEIN_RESIDUE.contrast()
    found = float(template.values.sum()) * 3.0**3
    assert found == pytest.approx(expected, rel=0.05)


def test_copies_of_an_assembly_do_not_overlap():
    atoms = synthetic_protein(480.0, draw(3), "O")
    heavy = atoms.positions[atoms.atomic_numbers == 6]
    # As dense as protein everywhere: no 10 Å ball holds more carbon than twice that of protein.
    some = heavy[:: len(heavy) // 200]
    neighbours = (torch.cdist(some, heavy) < 10).sum(1)
    expected = 4 / 3 * torch.pi * 10**3 / PROTEIN_RESIDUE.volume * 4.94
    assert float(neighbours.max()) < 2 * expected


def test_the_same_state_of_the_generator_makes_the_same_protein():
    first, second = (synthetic_protein(80.0, draw(4)) for _ in range(2))
    assert torch.equal(first.positions, second.positions)


def test_a_segment_of_a_filament_fills_its_hollow_cylinder():
    lattice = HelicalLattice(inner=20.0, outer=55.0, rise=20.0, twist_deg=70.0)
    atoms, rings = helical_segment(lattice, 100.0, draw(5))
    assert rings == 5
    expected = lattice.subunit_volume / PROTEIN_RESIDUE.volume * rings
    assert residues(atoms) == pytest.approx(expected, rel=0.25)


def test_no_drawn_filament_is_like_tobacco_mosaic_virus():
    tmv = HelicalLattice(inner=20.0, outer=90.0, rise=1.408, twist_deg=22.04)
    assert tmv.is_like_tobacco_mosaic_virus
    source = draw(6)
    assert not any(draw_lattice(source).is_like_tobacco_mosaic_virus for _ in range(300))
