"""Segments of made-up filaments with helical symmetry."""

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from difftem.atoms import Atoms
from difftem.functional.pose import rotation_from_vector
from difftem.scene.synthetic.draw import Draw
from difftem.scene.synthetic.fold import RESIDUE_VOLUME, fold
from difftem.scene.synthetic.protein import copied


@dataclass(frozen=True)
class HelicalLattice:
    """How subunits follow each other along z.

    Attributes
    ----------
    inner, outer : float
        Radii in Å; 0 inside for a filament without a channel.
    rise : float
        From one subunit, or ring, to the next in Å.
    twist_deg : float
        Turn between them in degrees.
    starts : int
        Subunits in a ring.
    """

    inner: float
    outer: float
    rise: float
    twist_deg: float
    starts: int = 1

    @property
    def subunit_volume(self) -> float:
        """Room of one subunit in Å³."""
        return math.pi * (self.outer**2 - self.inner**2) * self.rise / self.starts

    @property
    def is_like_tobacco_mosaic_virus(self) -> bool:
        """Whether it could be taken for that virus: 180 Å wide, a channel, a pitch of 23 Å."""
        turn = abs((self.twist_deg + 180) % 360 - 180)
        pitch = self.rise * 360 / max(turn, 1e-6)
        return 80 < self.outer < 100 and self.inner < 35 and 19 < pitch < 27


def draw_lattice(draw: Draw) -> HelicalLattice:
    """Draw a helix of subunits of 4 to 70 kDa, none like the tobacco mosaic virus."""
    while True:
        outer = draw.log_uniform(25, 130)
        inner = draw.choice([0.0, 0.0, 0.2, 0.4, 0.65]) * outer
        starts = draw.choice([1, 1, 1, 2, 3, 6]) if outer < 80 else draw.choice([1, 1, 7, 11, 13])
        residues = draw.log_uniform(40, 600)
        area = math.pi * (outer**2 - inner**2)
        rise = residues * RESIDUE_VOLUME * starts / area
        twist = draw.uniform(20, 340) if starts == 1 else draw.uniform(-30, 30)
        lattice = HelicalLattice(inner, outer, rise, twist, starts)
        if 1.2 < rise < 90 and not lattice.is_like_tobacco_mosaic_virus:
            return lattice


def helical_segment(
    lattice: HelicalLattice,
    length: float,  # Å
    draw: Draw,
    b_factor: float = 40.0,
) -> tuple[Atoms, int]:
    """Make a piece of a filament along z, from its first ring's middle on.

    Parameters
    ----------
    lattice : HelicalLattice
        Radii and symmetry.
    length : float
        That is wanted in Å.
    draw : Draw
        Source of randomness.
    b_factor : float
        Of the atoms in Å².

    Returns
    -------
    Atoms
        Centred along z.
    int
        Rings in it: the next piece is as many rises higher and as many twists further.
    """
    rings = max(1, round(length / lattice.rise))
    middle_radius = 0.55 * (lattice.inner + lattice.outer) if lattice.inner else 0.5 * lattice.outer
    around = range(-3, 4) if lattice.starts == 1 else range(-2, 3)
    far = math.ceil((2 * lattice.outer + 40) / lattice.rise)
    reach_rings = range(-far, far + 1)
    steps = [(k, s) for k in reach_rings for s in around] if lattice.starts > 1 else []
    steps = steps or [(k, 0) for k in reach_rings]
    places = torch.cat([_image(lattice, k, s, middle_radius) for k, s in steps])
    own = _image(lattice, 0, 0, middle_radius)
    others = places[(places - own).norm(dim=-1) > 1e-3]

    def inside(points: Tensor) -> Tensor:
        across = points[:, :2].norm(dim=-1)
        keep = (across >= lattice.inner) & (across <= lattice.outer)
        return keep & ((points - own).norm(dim=-1) < torch.cdist(points, others).amin(-1))

    reach = lattice.outer + middle_radius if lattice.starts == 1 else 1.2 * lattice.outer
    reach = min(reach, 2.2 * lattice.subunit_volume ** (1 / 3) + lattice.outer - middle_radius)
    subunit = fold(inside, own[0], reach, draw, draw.uniform(0.1, 0.9), b_factor)
    turns, shifts = [], []
    for k in range(rings):
        for s in range(lattice.starts):
            angle = math.radians(lattice.twist_deg) * k + 2 * math.pi * s / lattice.starts
            turns.append(_about_z(angle))
            shifts.append([0.0, 0.0, (k - (rings - 1) / 2) * lattice.rise])
    made = copied(subunit, torch.stack(turns), torch.tensor(shifts, dtype=torch.float64))
    return made, rings


def _image(lattice: HelicalLattice, k: int, s: int, radius: float) -> Tensor:  # (1, 3)
    angle = math.radians(lattice.twist_deg) * k + 2 * math.pi * s / lattice.starts
    x, y = radius * math.cos(angle), radius * math.sin(angle)
    return torch.tensor([[x, y, k * lattice.rise]], dtype=torch.float64)


def _about_z(angle: float) -> Tensor:  # (3, 3)
    return rotation_from_vector(torch.tensor([0.0, 0.0, angle], dtype=torch.float64))
