"""Pt particles on CeO2 in profile, drawn by a recipe and a seed."""

from dataclasses import dataclass, replace

import numpy as np
import torch

from difftem.atoms import Atoms
from difftem.functional.pose import rotation_from_vector
from difftem.functional.random_field import seeded
from difftem.scene.nanoparticle.columns import AtomicColumns, mean_positions
from difftem.scene.nanoparticle.draw_metal import Parameter, draw_metal
from difftem.scene.nanoparticle.group import Member, group, too_near
from difftem.scene.nanoparticle.recipe import NanoparticleRecipe
from difftem.scene.nanoparticle.support import cut_support, draw_step, missing_oxygen
from difftem.scene.synthetic.draw import Draw
from difftem.units import deg_to_rad

_MARGIN = 3.0  # Å of oxide beyond the field: a tilt of 5° moves the ends of a slab of 60 Å by 2.6
_PART = {"support": 2, "place": 3, "tilt": 4, "disorder": 5}


@dataclass(frozen=True, eq=False)
class Nanoparticle:
    """A model: atoms, what is seen of them as columns, and the numbers it was drawn with.

    Attributes
    ----------
    atoms : Atoms
        In Å about the field's centre and the middle of the slab; x and y as in an image, with the
        vacuum at low y, z along the beam.
    columns : AtomicColumns
        Its columns.
    parameters : dict
        Every drawn number, and what was counted; one line of a manifest.
    """

    atoms: Atoms
    columns: AtomicColumns
    parameters: dict[str, Parameter]


def draw_nanoparticle(recipe: NanoparticleRecipe, seed: int) -> Nanoparticle:
    """Draw a model; the same recipe and seed give the same model on every machine.

    Particle, oxide, place, tilt and disorder have random numbers of their own: a recipe without
    vacancies gives the same particle as one with them.

    Parameters
    ----------
    recipe : NanoparticleRecipe
        Ranges.
    seed : int
        0 or more.

    Returns
    -------
    Nanoparticle
        Untilted; ``parameters["tilt_x_deg"]`` and ``["tilt_y_deg"]`` are for `tilted`.

    Raises
    ------
    ValueError
        If the seed is negative.

    Examples
    --------
    >>> from difftem.scene.nanoparticle.nanoparticle import draw_nanoparticle
    >>> from difftem.scene.nanoparticle.recipe import NanoparticleRecipe
    >>> model = draw_nanoparticle(NanoparticleRecipe(shapes=("wulff",)), seed=1)
    >>> model.parameters["shape"], int(model.columns.counts.sum()) == len(model.atoms)
    ('wulff', True)
    """
    if seed < 0:
        raise ValueError(f"seed must be 0 or more, got {seed}")
    draws = {name: Draw(seeded(seed, number)) for name, number in _PART.items()}
    metal, parameters = draw_metal(recipe, seed)
    particle, particle_columns = metal.positions[metal.occupied], metal.columns[metal.occupied]
    if parameters["orientation"] == "twinned":
        particle = particle * np.array([-1.0, 1.0, -1.0])
    low, high = particle.min(axis=0), particle.max(axis=0)

    place, support_draw = draws["place"], draws["support"]
    thickness = support_draw.uniform(*recipe.thickness)
    distance = place.uniform(*recipe.interface_distance)
    top = -recipe.field / 2 + recipe.headroom + float(high[1] - low[1]) + distance
    interface_y = max(place.uniform(*recipe.interface_y), top)
    x = place.uniform(*recipe.particle_x)
    room = max(0.0, (thickness - float(high[2] - low[2])) / 2)
    z = place.uniform(-room, room)
    middle = np.array([(low[0] + high[0]) / 2, high[1] + distance, (low[2] + high[2]) / 2])
    particle = particle - middle + np.array([x, 0.0, z])  # Ce of the surface at y = 0

    step = draw_step(recipe.support_step_share, particle, support_draw)
    half_width, depth = recipe.field / 2 + _MARGIN, recipe.field / 2 + _MARGIN - interface_y
    sites = cut_support(thickness, half_width, depth, step, support_draw)
    vacancies = support_draw.uniform(*recipe.oxygen_vacancies)
    missing = missing_oxygen(sites, vacancies, support_draw)
    near = too_near(particle, sites.positions, sites.atomic_numbers)
    keep = ~missing & ~near

    members = Member(
        np.concatenate([particle, sites.positions[keep]]),
        np.concatenate([np.full(len(particle), 78), sites.atomic_numbers[keep]]),
        np.concatenate([particle_columns, sites.columns[keep] + metal.columns.max() + 1]),
        np.concatenate([np.full(len(particle), -9), sites.layers[keep]]),
    )
    origin = np.array([0.0, interface_y, 0.0])
    columns = group(members, recipe.field / 2, interface_y)
    disorder = recipe.static_disorder * draws["disorder"].normal(len(members.positions), 3)
    atoms = _with_b_factors(
        recipe, torch.from_numpy(members.positions + origin) + disorder, members
    )
    seen = mean_positions(atoms.positions, columns.of_atom, columns.counts)
    numbers = members.atomic_numbers
    tilt = draws["tilt"]
    parameters = {
        "seed": seed,
        **parameters,
        "thickness": thickness,
        "support_step": 0 if step is None else step.height,
        "support_step_x": float("nan") if step is None else step.edge,
        "oxygen_vacancies": vacancies,
        "missing_oxygen": int(missing.sum()),
        "displaced_by_pt": int((near & ~missing).sum()),
        "interface_distance": distance,
        "interface_y": interface_y,
        "particle_x": x,
        "particle_z": z,
        "tilt_x_deg": tilt.uniform(*recipe.tilt_deg),
        "tilt_y_deg": tilt.uniform(*recipe.tilt_deg),
        "atoms_pt": len(particle),
        "atoms_ce": int((numbers == 58).sum()),
        "atoms_o": int((numbers == 8).sum()),
        "width": float(high[0] - low[0]),
        "height": float(high[1] - low[1]),
    }
    return Nanoparticle(atoms, replace(columns, positions=seen), parameters)


def tilted(model: Nanoparticle, x_deg: float, y_deg: float) -> Nanoparticle:
    """Tilt a model about the field's centre, by x first and then by y.

    Parameters
    ----------
    model : Nanoparticle
        Untilted.
    x_deg, y_deg : float
        Right-handed rotations about the x and the y axis in degrees: positive ones about y move
        what lies at high z towards +x, positive ones about x towards -y.

    Returns
    -------
    Nanoparticle
        Atoms and columns moved, and the two angles in its parameters.
    """
    angles = deg_to_rad(torch.tensor([x_deg, y_deg], dtype=torch.float64))
    zero = angles.new_zeros(())
    about_x = rotation_from_vector(torch.stack([angles[0], zero, zero]))
    about_y = rotation_from_vector(torch.stack([zero, angles[1], zero]))
    matrix = (about_y @ about_x).to(model.atoms.positions)
    atoms = model.atoms.rotated(matrix)
    columns = model.columns
    seen = mean_positions(atoms.positions, columns.of_atom, columns.counts)
    parameters = {**model.parameters, "tilt_x_deg": x_deg, "tilt_y_deg": y_deg}
    return Nanoparticle(atoms, replace(columns, positions=seen), parameters)


def _with_b_factors(recipe: NanoparticleRecipe, positions: torch.Tensor, members: Member) -> Atoms:
    """Atoms in single precision."""
    numbers = torch.from_numpy(members.atomic_numbers)
    b_factors = torch.zeros(len(numbers))
    for number, b_factor in ((78, recipe.b_pt), (58, recipe.b_ce), (8, recipe.b_o)):
        b_factors[numbers == number] = b_factor
    return Atoms(positions.float(), numbers, b_factors, torch.ones(len(numbers)))
