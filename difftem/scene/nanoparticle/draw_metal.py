"""A particle and its defects, drawn."""

import numpy as np

from difftem.functional.random_field import seeded
from difftem.scene.nanoparticle.defects import (
    add_columns,
    cut_step,
    take_columns,
    take_corners,
    take_loose,
)
from difftem.scene.nanoparticle.metal import TWIN_PLANES, Metal, cut_metal
from difftem.scene.nanoparticle.outline import draw_outline
from difftem.scene.nanoparticle.recipe import NanoparticleRecipe
from difftem.scene.synthetic.draw import Draw

Parameter = float | int | str
_LAYERS, _ATOMS = 3, 20  # a particle has at least as many: else less of it is buried
_LESS = 0.8
_TWIN_AT = -0.3, 0.5  # of half the outline's height, from its middle, upwards


def draw_metal(recipe: NanoparticleRecipe, seed: int) -> tuple[Metal, dict[str, Parameter]]:
    """Draw a particle about its outline's centre, parallel to the oxide.

    Each defect has random numbers of its own, so that one that does not occur leaves the others as
    they are.

    Parameters
    ----------
    recipe : NanoparticleRecipe
        Ranges.
    seed : int
        Of the model.

    Returns
    -------
    metal : Metal
        Occupied and free sites.
    parameters : dict
        Every drawn number.
    """
    draw, for_step, for_columns, for_corners, for_adatoms = (
        Draw(seeded(seed, 1, number)) for number in range(5)
    )
    shape = draw.choice(recipe.shapes)
    orientation = "twinned" if draw.chance(recipe.twinned_share) else "parallel"
    diameter = draw.uniform(*recipe.diameter)
    truncation = draw.uniform(*recipe.truncation)
    buried = draw.uniform(*recipe.buried)
    edge = draw.uniform(*recipe.lattice_pt)
    offset = draw.numbers(3).numpy()
    plane, twin_at = draw.choice(list(TWIN_PLANES)), draw.uniform(*_TWIN_AT)
    corners = draw.uniform(*recipe.missing_corners)
    missing = draw.integer(*recipe.missing_columns)
    adatoms = draw.integer(*recipe.adatom_columns)
    stepped = draw.chance(recipe.step_share)
    outline = draw_outline(shape, truncation, diameter, draw)
    low, high = (float(each[1]) for each in outline.bounds())
    twin = (plane, twin_at * (high - low) / 2) if shape == "twin" else None

    metal = cut_metal(outline, edge, offset, high - buried * (high - low), twin)
    while buried > 0.01 and _is_too_small(metal):
        buried *= _LESS
        metal = cut_metal(outline, edge, offset, high - buried * (high - low), twin)
    step = "none"
    if stepped:
        metal, step = cut_step(metal, for_step)
    metal, taken = take_columns(metal, missing, for_columns)
    metal, n_corners = take_corners(metal, corners, for_corners)
    metal = take_loose(metal)
    metal, sizes = add_columns(metal, adatoms, for_adatoms)
    return metal, {
        "shape": shape,
        "orientation": orientation,
        "diameter": diameter,
        "truncation": truncation if shape == "octahedron" else float("nan"),
        "buried": buried,
        "lattice_pt": edge,
        "offset_a": float(offset[0]),
        "offset_b": float(offset[1]),
        "offset_c": float(offset[2]),
        "twin_plane": plane if twin else "none",
        "twin_at": twin[1] if twin else float("nan"),
        "step": step,
        "missing_columns": taken,
        "missing_corner_share": corners,
        "missing_corners": n_corners,
        "adatom_columns": len(sizes),
        "adatoms": sum(sizes),
    }


def _is_too_small(metal: Metal) -> bool:
    """Whether a particle has too few layers or atoms."""
    y = metal.positions[metal.occupied, 1]
    if len(y) < _ATOMS:
        return True
    return len(np.unique(y.round(1))) < _LAYERS
