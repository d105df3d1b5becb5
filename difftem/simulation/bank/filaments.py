"""Filaments of a bank: helical assemblies that cross the field in gentle bends."""

import math

import torch
from torch import Tensor

from difftem.functional.pose import rotation_from_vector
from difftem.scene.synthetic.draw import Draw
from difftem.scene.synthetic.helix import draw_lattice, helical_segment
from difftem.simulation.bank.stage import BankStage

_SEGMENT_RESIDUES = 6000  # at most, of a piece that is rendered
_SEGMENT = 110.0  # Å


class Filaments:
    """A kind of filament, decided before pixels are.

    Parameters
    ----------
    draw : Draw
        Source of randomness.
    """

    def __init__(self, draw: Draw) -> None:
        self.lattice = draw_lattice(draw)
        self.diameter = 2 * self.lattice.outer
        self.largest_template = 1.1 * math.hypot(self.diameter, _SEGMENT)
        self.number = draw.integer(1, 7)
        self.b_factor = draw.log_uniform(20.0, 150.0)
        self.bend = draw.log_uniform(0.002, 0.06)  # rad per 100 Å
        self.bundled = draw.chance(0.25)

    def pixel_sizes(self) -> tuple[float, float]:
        """Limits in Å: 10 to 130 pixels across."""
        return self.diameter / 130, self.diameter / 10

    def fill(self, stage: BankStage) -> None:
        """Make a segment and lay it along paths through the field."""
        lattice, draw = self.lattice, stage.draw
        per_length = lattice.subunit_volume / 136.7 * lattice.starts / lattice.rise
        length = max(min(_SEGMENT, _SEGMENT_RESIDUES / per_length), lattice.rise)
        atoms, rings = helical_segment(lattice, length, draw, self.b_factor)
        template = stage.template(atoms)
        step = rings * lattice.rise
        places, turns = [], []
        angle, depth = draw.uniform(0, 2 * math.pi), max(stage.thickness - self.diameter, 0.0)
        number = min(self.number, max(1, int(0.8 * stage.width / self.diameter)))
        for i in range(number):
            if not self.bundled:
                angle = draw.uniform(0, 2 * math.pi)
            start = self._middle(stage, angle, i)
            height = draw.uniform(-0.5, 0.5) * depth
            path, tangents = self._path(stage, start, angle, step)
            z = torch.full((len(path), 1), height, dtype=torch.float64)
            phase = draw.uniform(0, 2 * math.pi)
            twist = math.radians(lattice.twist_deg) * rings * torch.arange(len(path)).double()
            places.append(torch.cat([path, z], -1))
            turns.append(_along(tangents, phase + twist))
        stage.add(template, torch.cat(places), torch.cat(turns))

    def _middle(self, stage: BankStage, angle: float, i: int) -> tuple[float, float]:
        if not self.bundled:
            return stage.in_view(0.8)
        off = (i - self.number / 2 + stage.draw.uniform(-0.1, 0.1)) * self.diameter * 0.95
        return -off * math.sin(angle), off * math.cos(angle)

    def _path(
        self, stage: BankStage, start: tuple[float, float], angle: float, step: float
    ) -> tuple[Tensor, Tensor]:  # (n, 2) Å, (n,) rad
        """Walk from the middle both ways until the field is left for good."""
        half = math.ceil((0.75 * stage.width + math.hypot(*start) + self.diameter) / step)
        curvature = self.bend * step / 100
        turn = curvature * stage.draw.normal(2 * half + 1)
        smooth = max(1, round(400 / step))
        kernel = torch.ones(1, 1, 2 * smooth + 1, dtype=torch.float64) / math.sqrt(2 * smooth + 1)
        turn = torch.nn.functional.conv1d(turn[None, None], kernel, padding=smooth)[0, 0]
        angles = angle + turn.cumsum(0) - turn[: half + 1].sum()
        steps = step * torch.stack([angles.cos(), angles.sin()], -1)
        path = steps.cumsum(0)
        path = path - path[half] + torch.tensor(start, dtype=torch.float64)
        near = path.abs().amax(-1) < stage.width / 2 + self.diameter
        return path[near], angles[near]


def _along(tangents: Tensor, spins: Tensor) -> Tensor:  # (n, 3, 3)
    """Rotations that lay z along directions in the plane, turned about z before."""
    n = len(tangents)
    spin, lay, head = (torch.zeros(n, 3, dtype=torch.float64) for _ in range(3))
    spin[:, 2], lay[:, 1], head[:, 2] = spins, math.pi / 2, tangents
    return rotation_from_vector(head) @ rotation_from_vector(lay) @ rotation_from_vector(spin)
