"""Each class of specimens can be left out, and leaves the rest as it was."""

import dataclasses
from functools import lru_cache

import pytest
import torch

from difftem.scene.nanoparticle.nanoparticle import draw_nanoparticle
from difftem.scene.nanoparticle.recipe import SHAPES, NanoparticleRecipe

SEEDS = range(8)
NONE = {
    "missing_corners": (0.0, 0.0),
    "missing_columns": (0, 0),
    "adatom_columns": (0, 0),
    "step_share": 0.0,
    "oxygen_vacancies": (0.0, 0.0),
    "support_step_share": 0.0,
}


@lru_cache
def drawn(recipe):
    return [draw_nanoparticle(recipe, seed).parameters for seed in SEEDS]


def parameters(name, **changes):
    return [each[name] for each in drawn(NanoparticleRecipe(**changes))]


@pytest.mark.parametrize(
    ("field", "parameter", "absent"),
    [
        ("missing_corners", "missing_corners", {0}),
        ("missing_columns", "missing_columns", {0}),
        ("adatom_columns", "adatoms", {0}),
        ("step_share", "step", {"none"}),
        ("oxygen_vacancies", "missing_oxygen", {0}),
        ("support_step_share", "support_step", {0}),
    ],
)
def test_a_class_of_defects_can_be_left_out(field, parameter, absent):
    assert set(parameters(parameter)) - absent
    assert set(parameters(parameter, **{field: NONE[field]})) == absent


def test_shapes_and_orientations_can_be_left_out():
    without = tuple(shape for shape in SHAPES if shape != "twin")
    assert "twin" not in parameters("shape", shapes=without)
    assert {"twinned", "parallel"} == set(parameters("orientation"))
    assert set(parameters("orientation", twinned_share=0.0)) == {"parallel"}
    assert set(parameters("orientation", twinned_share=1.0)) == {"twinned"}


def test_thickness_keeps_to_its_range():
    for low, high in ((30.0, 45.0), (45.0, 60.0)):
        assert all(low <= each <= high for each in parameters("thickness", thickness=(low, high)))


def test_a_class_that_is_left_out_leaves_the_rest_as_it_was():
    model = draw_nanoparticle(NanoparticleRecipe(), 3)
    for field in ("oxygen_vacancies", "support_step_share"):
        other = draw_nanoparticle(NanoparticleRecipe(**{field: NONE[field]}), 3)
        metal = model.atoms.atomic_numbers == 78
        assert torch.equal(
            model.atoms.positions[metal],
            other.atoms.positions[other.atoms.atomic_numbers == 78],
        )
    plain = draw_nanoparticle(NanoparticleRecipe(adatom_columns=(0, 0)), 3).parameters
    assert model.parameters["adatoms"]
    for name in ("thickness", "diameter", "missing_corners", "step", "interface_distance"):
        assert plain[name] == model.parameters[name]
    assert plain["atoms_pt"] == model.parameters["atoms_pt"] - model.parameters["adatoms"]


def test_every_range_of_the_recipe_has_its_parameter():
    recorded = {
        "shapes": "shape", "twinned_share": "orientation", "step_share": "step",
        "support_step_share": "support_step", "tilt_deg": "tilt_x_deg",
    }  # fmt: skip
    fixed = {"headroom", "static_disorder", "b_pt", "b_ce", "b_o", "field"}
    names = draw_nanoparticle(NanoparticleRecipe(), 0).parameters
    for field in dataclasses.fields(NanoparticleRecipe):
        assert field.name in fixed or recorded.get(field.name, field.name) in names
