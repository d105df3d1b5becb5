"""Proteins, real structures, phantoms and crystals of a bank."""

import math
from functools import lru_cache
from pathlib import Path

import torch

from difftem.atoms import Atoms
from difftem.functional.phantom import random_map
from difftem.functional.pose import rotation_from_vector
from difftem.io.examples import example_structure
from difftem.io.structure import read_structure
from difftem.scene.synthetic.crystal import LATTICES, nanocrystal
from difftem.scene.synthetic.draw import Draw
from difftem.scene.synthetic.fold import RESIDUE_DALTON, RESIDUE_VOLUME
from difftem.scene.synthetic.point_groups import point_group
from difftem.scene.synthetic.protein import copied, draw_group, subunit_of
from difftem.scene.templates.template import Template
from difftem.simulation.bank.config import BankConfig
from difftem.simulation.bank.shells import Layer, abel, draw_radial, profile_of
from difftem.simulation.bank.stage import BankStage

_MASS_KDA = 30.0, 4000.0
_WHOLE_VOXELS = 64  # across; larger assemblies are imaged by their parts
_VOXELS = 90  # across, of the largest phantom
_GOLD_POTENTIAL = 24.0  # V beyond ice; 28 to 30 V in vacuum
_RELATIVE_WIDTH = 1.5  # of an assembly over a ball of its volume


def diameter_of(mass_kda: float) -> float:
    """Width in Å of a protein as large as assemblies of that mass usually are."""
    volume = 1000 * mass_kda / RESIDUE_DALTON * RESIDUE_VOLUME
    return 2 * _RELATIVE_WIDTH * (3 * volume / (4 * math.pi)) ** (1 / 3)


def cover(draw: Draw) -> float:
    """Share of the field that copies cover: from one particle to a crowd."""
    return draw.log_uniform(0.08, 1.0)


class Proteins:
    """A kind of protein, decided before pixels are.

    Parameters
    ----------
    draw : Draw
        Source of randomness.
    most_kda : float
        Largest mass in kDa.
    """

    def __init__(self, draw: Draw, most_kda: float = _MASS_KDA[1]) -> None:
        self.mass = draw.log_uniform(_MASS_KDA[0], most_kda)
        self.group = draw_group(self.mass, draw)
        self.cover = cover(draw)
        self.b_factor = draw.log_uniform(20.0, 150.0)
        self.diameter = diameter_of(self.mass)

    @property
    def largest_template(self) -> float:
        """Width in Å of what is rendered: a subunit, where there are more than one."""
        return self.diameter / len(point_group(self.group)) ** (1 / 3)

    def pixel_sizes(self) -> tuple[float, float]:
        """Limits in Å: 12 to 260 pixels across."""
        return self.diameter / 260, self.diameter / 12

    def fill(self, stage: BankStage, places: torch.Tensor | None = None) -> None:
        """Make the molecule and put copies into the field, or at places in Å."""
        symmetry = point_group(self.group)
        volume = 1000 * self.mass / len(symmetry) / RESIDUE_DALTON * RESIDUE_VOLUME
        loose = stage.draw.uniform(0.95, 1.25)
        subunit = subunit_of(volume, symmetry, stage.draw, self.b_factor, loose)
        radius = float(subunit.positions.norm(dim=-1).max())
        across = 2 * radius / stage.field.pixel_size
        in_parts = len(symmetry) > 1 and across > _WHOLE_VOXELS
        most = 60 if not in_parts else max(4, 400 // len(symmetry))
        if places is None:
            places = stage.places(radius, self.cover, most)
        turns = stage.turns(len(places))
        if in_parts:
            add_subunits(stage, subunit, symmetry, places, turns)
        else:
            stage.add(stage.template(copied(subunit, symmetry)), places, turns)


def add_subunits(
    stage: BankStage,
    subunit: Atoms,
    symmetry: torch.Tensor,
    places: torch.Tensor,
    turns: torch.Tensor,
) -> None:
    """Put assemblies as copies of their subunit: far fewer voxels than a whole one."""
    middle = subunit.positions.double().mean(0)
    centred = Atoms(
        (subunit.positions.double() - middle).float(),
        subunit.atomic_numbers,
        subunit.b_factors,
        subunit.occupancies,
    )
    turned = (turns[:, None] @ symmetry).flatten(0, 1)
    shifted = places.repeat_interleave(len(symmetry), 0) + turned @ middle
    stage.add(stage.template(centred), shifted, turned)


class RealStructure:
    """Copies of a structure from a file."""

    def __init__(self, path: str | Path, draw: Draw) -> None:
        self.atoms = _read(str(path))
        self.cover = cover(draw)
        self.diameter = 2 * float(self.atoms.positions.norm(dim=-1).max())
        self.largest_template = self.diameter

    def pixel_sizes(self) -> tuple[float, float]:
        """Limits in Å: 20 to 120 pixels across."""
        return self.diameter / 120, self.diameter / 20

    def fill(self, stage: BankStage) -> None:
        """Put copies into the field."""
        places = stage.places(self.diameter / 2, self.cover, 60)
        stage.add(stage.template(self.atoms), places, stage.turns(len(places)))


@lru_cache(4)
def _read(path: str) -> Atoms:
    atoms = read_structure(path, hydrogens="implicit")
    low, high = atoms.bounds()
    middle = (low + high) / 2
    return Atoms(atoms.positions - middle, atoms.atomic_numbers, atoms.b_factors, atoms.occupancies)


def apoferritin(draw: Draw) -> RealStructure:
    """Structure that comes with the package."""
    return RealStructure(example_structure(), draw)


def real_structure(config: BankConfig, draw: Draw) -> RealStructure:
    """One of the recipe's files."""
    return RealStructure(draw.choice(config.structures), draw)


class Phantoms:
    """Random smooth bodies of both signs."""

    def __init__(self, draw: Draw) -> None:
        self.diameter = draw.log_uniform(40.0, 900.0)
        self.largest_template = 0.0  # its voxels are as coarse as need be
        self.cover = cover(draw)

    def pixel_sizes(self) -> tuple[float, float]:
        """Limits in Å: 10 to 220 pixels across."""
        return self.diameter / 220, self.diameter / 10

    def fill(self, stage: BankStage) -> None:
        """Make one to three bodies and put copies into the field."""
        for _ in range(stage.draw.integer(1, 3)):
            sides = [self.diameter * stage.draw.uniform(0.4, 1.0) for _ in range(3)]
            voxel = max(stage.field.wave_pixel_size, max(sides) / _VOXELS)
            shape = [max(4, round(each / voxel)) for each in sides]
            values = random_map(
                (shape[0], shape[1], shape[2]),
                # Larger bodies of the same potential would be opaque.
                stage.draw.log_uniform(0.5, 6.0) * min(1.0, 150 / self.diameter),
                stage.draw.uniform(0.0, 1.2),
                positive=stage.draw.chance(0.4),
                generator=stage.draw.generator,
            )
            sign = 1.0 if stage.draw.chance(0.65) else -1.0
            x, y, z = (((n - 1) / 2 - n // 2) * voxel for n in reversed(shape))
            template = Template(sign * values, voxel, max(shape) * voxel / 2, (x, y, z))
            places = stage.places(template.radius, self.cover / 2, 40)
            stage.add(template, places, stage.turns(len(places)))


class Crystallites:
    """Crystals of a metal, in ice or vacuum, often along a zone axis."""

    def __init__(self, draw: Draw) -> None:
        self.element = draw.choice(list(LATTICES))
        self.diameter = draw.log_uniform(20.0, 100.0)
        self.largest_template = self.diameter
        self.cover = draw.log_uniform(0.06, 0.6)

    def pixel_sizes(self) -> tuple[float, float]:
        """Limits in Å: lattices are seen, and particles have 20 pixels at least."""
        return max(self.diameter / 130, 0.6), min(max(self.diameter / 20, 0.7), 1.2)

    def fill(self, stage: BankStage) -> None:
        """Make one or two crystals and put copies into the field."""
        for _ in range(stage.draw.integer(1, 2)):
            size = self.diameter * stage.draw.uniform(0.6, 1.0)
            template = stage.template(nanocrystal(self.element, size, stage.draw))
            places = stage.places(template.radius, self.cover, 30)
            turns = stage.turns(len(places))
            if stage.draw.chance(0.5):
                turns = _zone_axis(stage.draw, len(places))
            stage.add(template, places, turns)


def _zone_axis(draw: Draw, n: int) -> torch.Tensor:  # (n, 3, 3)
    """Rotations that take [001], [011] or [111] along the beam within a few degrees."""
    axis = torch.tensor(draw.choice([(0.0, 0, 1), (0.0, 1, 1), (1.0, 1, 1)]), dtype=torch.float64)
    axis = axis / axis.norm()
    side = torch.linalg.cross(axis, torch.tensor([0.6, -0.8, 0.1], dtype=torch.float64))
    side = side / side.norm()
    frame = torch.stack([side, torch.linalg.cross(axis, side), axis])
    spin = torch.zeros(n, 3, dtype=torch.float64)
    spin[:, 2] = 2 * math.pi * draw.numbers(n)
    tilt = 0.04 * draw.normal(n, 3)
    return rotation_from_vector(tilt) @ rotation_from_vector(spin) @ frame


def add_gold_beads(stage: BankStage) -> None:
    """Put a few gold beads of 4 to 15 nm, as markers or labels, into the field."""
    radius = stage.draw.log_uniform(20.0, 75.0)
    places = stage.places(radius, stage.draw.log_uniform(0.004, 0.06), 25)
    step = stage.field.wave_pixel_size / 2
    profile = profile_of([Layer(-radius, radius, _GOLD_POTENTIAL, 1.5)], 2 * step)
    table = abel(profile, radius + 6 + 4 * step, step)
    y, x = stage.axes()
    for place in places.tolist():
        draw_radial(stage.surface(), table, step, torch.hypot(x - place[0], y - place[1]))
