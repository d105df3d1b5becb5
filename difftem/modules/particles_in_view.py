"""Where the copies of a particle are in one view of the stage."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from torch import Tensor

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


def slice_range(placed: Sequence[ParticlesInView]) -> range:
    """List the slices from the first to the last that hold something; slice 0 if none do."""
    firsts = [int(each.first.min()) for each in placed if len(each.first)]
    lasts = [int(each.last.max()) for each in placed if len(each.last)]
    return range(min(firsts, default=0), max(lasts, default=0) + 1)
