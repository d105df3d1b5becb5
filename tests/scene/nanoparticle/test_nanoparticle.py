import math

import pytest
import torch
from scipy.spatial import KDTree

from difftem.scene.nanoparticle.columns import REGIONS
from difftem.scene.nanoparticle.nanoparticle import draw_nanoparticle, tilted
from difftem.scene.nanoparticle.recipe import NanoparticleRecipe

RECIPE = NanoparticleRecipe()


@pytest.fixture(scope="module")
def models():
    return [draw_nanoparticle(RECIPE, seed) for seed in range(20)]


def ideal(**changes):
    return NanoparticleRecipe(static_disorder=0.0, oxygen_vacancies=(0.0, 0.0), **changes)


def test_no_atom_is_inside_another(models):
    for model in models:
        positions = model.atoms.positions.double().numpy()
        assert KDTree(positions).query(positions, k=2)[0][:, 1].min() > 1.6


def test_atoms_of_the_columns_sum_to_the_atoms(models):
    for model in models:
        columns, atoms = model.columns, model.atoms
        assert columns.counts.sum() == len(atoms)
        assert torch.equal(torch.bincount(columns.of_atom), columns.counts)
        assert torch.equal(columns.atomic_numbers[columns.of_atom], atoms.atomic_numbers)


def test_atoms_of_a_column_lie_behind_one_another(models):
    model = models[3]
    apart = model.atoms.positions[:, :2] - model.columns.positions[model.columns.of_atom]
    assert apart.abs().max() < 6 * RECIPE.static_disorder


def test_particle_sits_on_the_oxide_below_vacuum():
    for seed in range(10):
        model = draw_nanoparticle(ideal(support_step_share=0.0), seed)
        y, numbers = model.atoms.positions[:, 1], model.atoms.atomic_numbers
        platinum, cerium, oxygen = (y[numbers == number] for number in (78, 58, 8))
        distance = model.parameters["interface_distance"]
        assert float(cerium.min() - platinum.max()) == pytest.approx(distance, abs=1e-4)
        # O of the (111) surface lies a / (4 √3) above its Ce.
        assert float(cerium.min() - oxygen.min()) == pytest.approx(5.411 / 48**0.5, abs=1e-4)
        assert platinum.min() >= -RECIPE.field / 2 + RECIPE.headroom - 1e-3


def test_oxide_fills_the_field_at_five_degrees():
    model = tilted(draw_nanoparticle(ideal(thickness=(60.0, 60.0)), 1), 5.0, -5.0)
    positions = model.columns.positions[model.columns.atomic_numbers == 58]
    tree = KDTree(positions.numpy())
    side = torch.linspace(-28, 28, 57, dtype=torch.float64)
    x, y = torch.meshgrid(side, side, indexing="xy")
    points = torch.stack([x, y], -1).reshape(-1, 2)
    below = points[:, 1] > model.parameters["interface_y"] + 4
    # No point of the Ce lattice's projection is further than 2.1 Å from a column.
    assert tree.query(points[below].numpy())[0].max() < 2.3


def test_tilt_moves_columns_by_their_middle():
    model = draw_nanoparticle(ideal(), 7)
    turned = tilted(model, 0.0, 3.0)
    z = torch.zeros(len(model.columns)).index_add(
        0, model.columns.of_atom, model.atoms.positions[:, 2]
    )
    angle = math.radians(3.0)
    expected = model.columns.positions[:, 0] * math.cos(angle) + (
        z / model.columns.counts
    ) * math.sin(angle)
    assert torch.allclose(turned.columns.positions[:, 0], expected, atol=1e-4)
    assert torch.allclose(turned.columns.positions[:, 1], model.columns.positions[:, 1], atol=1e-5)
    assert turned.parameters["tilt_y_deg"] == 3.0


def test_same_seed_gives_the_same_model_and_another_seed_another():
    first, again, other = (draw_nanoparticle(RECIPE, seed) for seed in (5, 5, 6))
    assert torch.equal(first.atoms.positions, again.atoms.positions)
    assert first.parameters == pytest.approx(again.parameters, nan_ok=True)
    assert len(first.atoms) != len(other.atoms)


def test_every_region_occurs(models):
    names = {name for model in models for name in model.columns.region_names}
    assert names == set(REGIONS)


def test_negative_seed_is_refused():
    with pytest.raises(ValueError, match="seed must be 0 or more, got -1"):
        draw_nanoparticle(RECIPE, -1)


def test_oxide_is_a_perfect_fluorite_crystal():
    model = draw_nanoparticle(ideal(support_step_share=0.0), 4)
    positions, numbers = model.atoms.positions.double(), model.atoms.atomic_numbers
    inside = (positions[:, 0].abs() < 20) & (positions[:, 2].abs() < 10)
    inside &= (positions[:, 1] - model.parameters["interface_y"] > 5) & (positions[:, 1] < 24)
    cerium, oxygen = (positions[numbers == number].numpy() for number in (58, 8))
    to_oxygen, to_cerium = KDTree(oxygen), KDTree(cerium)
    for each in positions[inside & (numbers == 58)].numpy():
        assert len(to_oxygen.query_ball_point(each, 2.6)) == 8
        assert to_oxygen.query(each)[0] == pytest.approx(5.411 * 3**0.5 / 4, abs=1e-4)
        assert len(to_cerium.query_ball_point(each, 3.9)) == 13  # itself and 12
    assert (inside & (numbers == 58)).sum() > 100
    for each in positions[inside & (numbers == 8)].numpy()[::7]:
        assert len(to_cerium.query_ball_point(each, 2.6)) == 4


def test_oxide_has_four_formula_units_a_cell():
    # A whole number of periods of every direction: of the rows along x, the layers, the columns.
    model = draw_nanoparticle(ideal(support_step_share=0.0, thickness=(38.26, 38.26)), 4)
    columns, numbers = model.columns, model.columns.atomic_numbers
    top = model.parameters["interface_y"] - 5.411 / 3**0.5 / 2
    across, down = 10 * 5.411 * 6**0.5 / 4, 5 * 5.411 / 3**0.5
    x, y = columns.positions.T
    inside = (x > -across / 2) & (x <= across / 2) & (y > top) & (y <= top + down)
    inside &= numbers != 78
    volume = across * down * 10 * 5.411 / 2**0.5
    for number, expected in ((58, 4), (8, 8)):
        atoms = int(columns.counts[inside & (numbers == number)].sum())
        assert atoms / volume * 5.411**3 == pytest.approx(expected, rel=1e-3)


@pytest.mark.parametrize(("share", "sense"), [(1.0, -1), (0.0, 1)])
def test_particle_is_twinned_against_the_oxide_or_parallel_to_it(share, sense):
    recipe = ideal(
        shapes=("wulff",), twinned_share=share, support_step_share=0.0, step_share=0.0,
        diameter=(30.0, 30.0), lattice_pt=(3.924, 3.924),
    )  # fmt: skip
    model = draw_nanoparticle(recipe, 2)
    for number, edge in ((58, 5.411), (78, 3.924)):
        places = model.columns.positions[model.columns.atomic_numbers == number].numpy()
        rise = edge / 3**0.5
        across = edge / 24**0.5 * (1 if number == 58 else sense)
        # From layer to layer downwards, a row is displaced by a third of its period, to the left
        # in the oxide.
        below = places[places[:, 1] < places[:, 1].max() - rise / 2] + [-across, rise]
        found = KDTree(places).query(below)[0] < 1e-6
        assert found.mean() > 0.6
        other = places[places[:, 1] < places[:, 1].max() - rise / 2] + [across, rise]
        assert not (KDTree(places).query(other)[0] < 1e-6).any()


def test_same_numbers_on_every_machine():
    model = draw_nanoparticle(RECIPE, 11)
    names = ("shape", "atoms_pt", "atoms_ce", "atoms_o", "tilt_x_deg")
    found = [model.parameters[name] for name in names]
    assert found == ["twin", 33, 1562, 3119, pytest.approx(0.990087, abs=1e-6)]
    assert model.atoms.positions[0].tolist() == pytest.approx([8.7974, 4.7415, -16.8226], abs=2e-4)
