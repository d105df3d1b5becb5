import re

import pytest

from difftem.scene.nanoparticle.recipe import NanoparticleRecipe


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"shapes": ()}, "shapes must be among octahedron"),
        ({"shapes": ("cube",)}, "got cube"),
        ({"diameter": (20.0, 10.0)}, "diameter must be two numbers from 8 to 40, the lower first"),
        ({"diameter": 20.0}, "diameter must be two numbers, lowest and highest, got 20.0"),
        ({"twinned_share": 1.5}, "twinned_share must be 0 to 1, got 1.5"),
        ({"thickness": (30.0, float("nan"))}, "thickness must be two numbers"),
        ({"missing_columns": (0, 1.5)}, "missing_columns must be whole numbers, got 0 to 1.5"),
        ({"field": 40.0}, "field must be at least 43 Å for headroom, diameter and interface_y"),
    ],
)
def test_impossible_values_are_named(changes, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        NanoparticleRecipe(**changes)
