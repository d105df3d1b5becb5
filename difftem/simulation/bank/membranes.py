"""Vesicles, tubules, sheets and virions of a bank: shells drawn by their projections."""

import math

import torch
from torch import Tensor
from torch.nn.functional import interpolate

from difftem.functional.pose import random_rotations
from difftem.scene.matter import PROTEIN_RESIDUE, RNA_NUCLEOTIDE
from difftem.scene.orientations import upright
from difftem.scene.synthetic.draw import Draw
from difftem.scene.synthetic.protein import synthetic_protein
from difftem.simulation.bank.molecules import Proteins, diameter_of
from difftem.simulation.bank.shells import (
    Layer,
    abel,
    bilayer,
    draw_radial,
    ellipsoid_distance,
    profile_of,
    tail_contrasts,
)
from difftem.simulation.bank.stage import BankStage

_OUTER = 26.0  # Å from the middle of a membrane to where proteins stand
_TAIL_REACH = 12.0  # Å beyond the last layer, for its soft edge


class Lipids:
    """Membrane's thickness and contrast, and how irregular its shapes are."""

    def __init__(self, draw: Draw) -> None:
        self.half = draw.uniform(16.0, 22.0)
        self.tails = draw.uniform(*tail_contrasts())
        self.warp = draw.log_uniform(0.005, 0.12)  # of the radius


def warped(stage: BankStage, amplitude: float, scale: float) -> tuple[Tensor, Tensor]:
    """Coordinates y, x in Å, moved by a smooth random field of an rms and length in Å."""
    y, x = stage.axes()
    nodes = max(4, min(40, round(stage.width / scale)))
    noise = stage.draw.normal(1, 2, nodes, nodes).float()
    shape = (len(y), x.shape[1])
    moved = interpolate(noise, size=shape, mode="bicubic", align_corners=True)[0] * amplitude
    return y + moved[0], x + moved[1]


def draw_shell(
    stage: BankStage,
    grid: tuple[Tensor, Tensor],
    layers: list[Layer],
    center: tuple[float, float],
    axes: Tensor,
    rotation: Tensor,
) -> None:
    """Add a stretched shell to the drawn potential."""
    step = stage.field.wave_pixel_size / 2
    reach = max(each.high for each in layers) + _TAIL_REACH + 2 * step
    table = abel(profile_of(layers, stage.field.wave_pixel_size), reach, step)
    rho, factor = ellipsoid_distance(grid[1], grid[0], center, axes, rotation)
    draw_radial(stage.surface(), factor * table, step, rho)


def draw_grains(
    stage: BankStage,
    thickness: Tensor,  # (y, x) Å of what is grainy
    contrast: float,  # V
    size: float,  # Å
) -> None:
    """Add the projection of a random medium: granular contents of a given grain size."""
    grains = stage.grains(size / 2)
    stage.surface().add_(contrast * (thickness.clamp(min=0) * size).sqrt() * grains)


def ball_thickness(rho: Tensor, radius: float, factor: float) -> Tensor:  # (y, x) Å
    """How long the beam's way through a ball, or ellipsoid, is."""
    return 2 * factor * (radius**2 - rho**2).clamp(min=0).sqrt()


class Vesicles:
    """Liposomes of all sizes, tubules and sheets, empty or filled, with proteins in them."""

    def __init__(self, draw: Draw) -> None:
        self.radius = draw.log_uniform(100.0, 900.0)
        self.number = max(1, round(draw.log_uniform(1, 14)))
        self.lipids = Lipids(draw)
        self.protein_kda = draw.log_uniform(25.0, 250.0)
        self.decorated = draw.chance(0.55)
        self.b_factor = draw.log_uniform(30.0, 150.0)
        self.diameter = 2 * self.radius
        self.largest_template = diameter_of(self.protein_kda) * self.decorated

    def pixel_sizes(self) -> tuple[float, float]:
        """Limits in Å: a vesicle spans 40 to 700 pixels."""
        return self.diameter / 700, self.diameter / 40

    def fill(self, stage: BankStage) -> None:
        """Draw vesicles and stand proteins on them."""
        draw, lipids = stage.draw, self.lipids
        grid = warped(stage, lipids.warp * self.radius, draw.uniform(0.8, 2.0) * self.radius)
        if draw.chance(0.3):
            self._tubules(stage, grid)
        feet, normals = [], []
        for _ in range(self.number):
            radius = max(70.0, self.radius * draw.log_uniform(0.4, 1.2))
            axes = torch.exp(draw.log_uniform(0.01, 0.3) * draw.normal(3))
            # Vesicles wider than the ice is thick are flattened by it.
            flat = min(1.0, stage.thickness / (2 * radius)) if draw.chance(0.7) else 1.0
            rotation = random_rotations(1, draw.generator)[0]
            if flat < 1:
                axes = torch.tensor([1.0, 1.0, max(flat, 0.4)]).double()
                rotation = torch.eye(3, dtype=torch.float64)
            center = stage.in_view(1.2)
            walls = bilayer(radius, lipids.half, lipids.tails)
            while draw.chance(0.2) and walls[-1].low > 150:  # onions
                walls += bilayer(walls[-1].low - draw.uniform(40, 120), lipids.half, lipids.tails)
            rho, factor = ellipsoid_distance(grid[1], grid[0], center, axes, rotation)
            if draw.chance(0.3):
                inside = ball_thickness(rho, radius - 30, factor)
                draw_grains(stage, inside, draw.log_uniform(0.1, 0.8), draw.log_uniform(25, 80))
                share = draw.uniform(0.0, 0.12) * PROTEIN_RESIDUE.contrast()
                walls.append(Layer(-radius, radius - 30, share))
            draw_shell(stage, grid, walls, center, axes, rotation)
            n = int(draw.log_uniform(0.5, 40) * self.decorated)
            foot, normal = on_ellipsoid(draw, n, radius, axes, rotation)
            feet.append(foot + torch.tensor([*center, 0.0], dtype=torch.float64))
            normals.append(normal)
        self._decorate(stage, torch.cat(feet), torch.cat(normals))

    def _decorate(self, stage: BankStage, feet: Tensor, normals: Tensor) -> None:
        near = (feet[:, :2].abs() < stage.width / 2).all(-1)
        feet, normals = feet[near], normals[near]
        if not len(feet):
            return
        atoms = synthetic_protein(self.protein_kda, stage.draw, b_factor=self.b_factor)
        template = stage.template(atoms)
        lean = 0.25 * stage.draw.normal(len(feet)).abs()
        turns = upright(normals, lean, stage.draw.generator)
        depth = stage.draw.uniform(-0.6, 0.9) * template.radius  # in the membrane, or on it
        stage.add(template, feet + depth * normals, turns)

    def _tubules(self, stage: BankStage, grid: tuple[Tensor, Tensor]) -> None:
        """One or two tubes that lie in the ice, or sheets that stand in it."""
        draw, lipids = stage.draw, self.lipids
        step = stage.field.wave_pixel_size / 2
        for _ in range(draw.integer(1, 2)):
            angle, center = draw.uniform(0, math.pi), stage.in_view(0.9)
            across = (grid[1] - center[0]) * math.sin(angle)
            across = (across - (grid[0] - center[1]) * math.cos(angle)).abs()
            radius = draw.log_uniform(90.0, 350.0)
            if draw.chance(0.4):  # a sheet on edge, as deep as the ice
                walls = bilayer(0.0, lipids.half, lipids.tails)
                profile = profile_of(walls, 2 * step)
                distance = step * torch.arange(int(60 / step) + 4, dtype=torch.float64)
                table = profile(distance) * min(stage.thickness, 500.0) * draw.uniform(0.3, 1.0)
            else:
                walls = bilayer(radius, lipids.half, lipids.tails)
                table = abel(profile_of(walls, 2 * step), radius + 60, step)
            draw_radial(stage.surface(), table, step, across)


class Virions:
    """Enveloped virions with short random protrusions, or capsids with a core."""

    def __init__(self, draw: Draw) -> None:
        self.enveloped = draw.chance(0.6)
        self.capsid = Proteins(draw)
        self.lipids = Lipids(draw)
        self.radius = draw.log_uniform(150.0, 650.0)
        self.number = max(1, round(draw.log_uniform(1, 12)))
        if not self.enveloped:
            self.capsid.group = "I"
            self.capsid.mass = draw.log_uniform(800.0, 9000.0)
            volume = 1000 * self.capsid.mass / 111.1254 * PROTEIN_RESIDUE.volume
            self.radius = 1.35 * (3 * volume / (4 * math.pi)) ** (1 / 3)
        self.spikes = int(draw.log_uniform(15, 160))
        self.spike_kda = draw.log_uniform(15.0, 160.0)
        self.core = draw.choice(["empty", "grains", "ball", "shell"])
        self.diameter = 2 * self.radius + (120 if self.enveloped else 0)
        spike = diameter_of(self.spike_kda)
        self.largest_template = spike if self.enveloped else self.capsid.largest_template

    def pixel_sizes(self) -> tuple[float, float]:
        """Limits in Å: 60 to 450 pixels across."""
        return self.diameter / 450, self.diameter / 60

    def fill(self, stage: BankStage) -> None:
        """Draw shells, cores and protrusions."""
        draw = stage.draw
        places = stage.places(self.diameter / 2, 0.9, self.number)
        if len(places):  # one at least is seen
            places[0, :2] = torch.tensor(stage.in_view(0.5), dtype=torch.float64)
        grid = warped(stage, self._warp(), 1.5 * self.radius)
        if not self.enveloped:
            self.capsid.fill(stage, places)
        feet, normals = [], []
        for place in places.tolist():
            center = (place[0], place[1])
            axes = torch.exp(0.06 * self.enveloped * draw.normal(3))
            rotation = random_rotations(1, draw.generator)[0]
            self._contents(stage, grid, center, axes, rotation)
            if self.enveloped:
                foot, normal = on_ellipsoid(draw, self.spikes, self.radius + _OUTER, axes, rotation)
                feet.append(foot + torch.tensor(place, dtype=torch.float64))
                normals.append(normal)
        if feet:
            group = draw.choice(["C1", "C2", "C3", "C4"])
            atoms = synthetic_protein(self.spike_kda, draw, group, 80.0)
            template = stage.template(atoms)
            lean = 0.2 * draw.normal(self.spikes * len(feet)).abs()
            turns = upright(torch.cat(normals), lean, draw.generator)
            out = (0.7 * template.radius + 2) * torch.cat(normals)
            stage.add(template, torch.cat(feet) + out, turns)

    def _warp(self) -> float:
        return self.lipids.warp * self.radius * 0.6 * self.enveloped

    def _contents(
        self,
        stage: BankStage,
        grid: tuple[Tensor, Tensor],
        center: tuple[float, float],
        axes: Tensor,
        rotation: Tensor,
    ) -> None:
        """Membrane and core of one virion."""
        draw, walls = stage.draw, []
        if self.enveloped:
            walls = bilayer(self.radius, self.lipids.half, self.lipids.tails)
            depth = draw.uniform(20, 60)
            matrix = draw.uniform(0.1, 0.6) * PROTEIN_RESIDUE.contrast()
            walls.append(Layer(self.radius - 24 - depth, self.radius - 24, matrix))
        inner = (self.radius - 80 if self.enveloped else 0.62 * self.radius) * draw.uniform(0.8, 1)
        rho, factor = ellipsoid_distance(grid[1], grid[0], center, axes, rotation)
        if self.core != "empty" and inner > 20:
            content = draw.uniform(0.15, 0.5) * RNA_NUCLEOTIDE.contrast()
            if self.core == "shell":
                walls.append(Layer(inner - draw.uniform(15, 40), inner, content))
            elif self.core == "ball":
                walls.append(Layer(-inner, inner, content, 6.0))
            size = draw.log_uniform(20.0, 70.0)
            inside = ball_thickness(rho, inner, factor)
            draw_grains(stage, inside, draw.log_uniform(0.2, 1.2), size)
        if walls:
            draw_shell(stage, grid, walls, center, axes, rotation)


def on_ellipsoid(
    draw: Draw, n: int, radius: float, axes: Tensor, rotation: Tensor
) -> tuple[Tensor, Tensor]:  # (n, 3) Å, (n, 3)
    """Random points of an ellipsoid about the origin, and the outward normals there."""
    unit = draw.normal(n, 3)
    unit = unit / unit.norm(dim=-1, keepdim=True)
    normals = (unit / axes) @ rotation.mT
    return radius * (unit * axes) @ rotation.mT, normals / normals.norm(dim=-1, keepdim=True)
