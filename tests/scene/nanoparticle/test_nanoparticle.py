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
    return [draw_nanoparticle(RECIPE, seed) for seed in range(30)]


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
