"""Where the copies of a particle are in one view of the stage."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

import torch
from torch import Tensor

from difftem.functional.pose import rotate, rotation_from_vector
from difftem.modules.particle import Particle

Depth = Literal["ignored", "particle", "slice"]


@dataclass(frozen=True)
class ParticlesInView:
    """The copies of one particle in one micrograph that touch the field."""

    particle: Particle
    positions: Tensor  # (n, 3) Å
    rotations: Tensor  # (n, 3, 3)
    first: Tensor  # (n,) index of the first slice that a copy reaches
    last: Tensor  # (n,)
    thick: bool
    depth: Depth
    tilt: Tensor | None = None  # (2,) rad, of the beam along which they are seen

    def along(self, tilt: Tensor) -> "ParticlesInView":
        """See the copies along a tilted beam: x - z θ, unless the height in a slice is ignored."""
        if self.depth == "ignored":
            return self
        tilt = tilt.to(self.positions)
        moved = self.positions - torch.nn.functional.pad(self.positions[:, 2:] * tilt, (0, 1))
        tx, ty = tilt.unbind(-1)
        turn = rotation_from_vector(torch.stack([ty, -tx, torch.zeros_like(tx)]))
        turned = rotate(self.rotations.mT, turn.to(self.rotations)).mT
        return replace(self, positions=moved, rotations=turned, tilt=tilt)

    def origin(self, plane: float) -> Tensor:  # (3,) Å
        """Point of a slice's plane that its copies' positions are counted from."""
        still = torch.zeros(2, dtype=torch.float64).to(self.positions, non_blocking=True)
        sideways = still if self.tilt is None else -plane * self.tilt
        height = torch.tensor([plane], dtype=torch.float64)
        return torch.cat([sideways, height.to(self.positions, non_blocking=True)])


def slice_range(placed: Sequence[ParticlesInView]) -> range:
    """List the slices from the first to the last that hold something; slice 0 if none do."""
    firsts = [int(each.first.min()) for each in placed if len(each.first)]
    lasts = [int(each.last.max()) for each in placed if len(each.last)]
    return range(min(firsts, default=0), max(lasts, default=0) + 1)
