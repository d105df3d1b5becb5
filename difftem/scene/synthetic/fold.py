"""Atoms of made-up protein: helices and sheets packed into domains, with side chains.

Not a fold that exists, but one that scatters like one: backbones of ideal helices and strands,
packed as closely as in proteins, so that density, composition, and the peaks of the spectrum at
1/10 and 1/4.7 Å are those of proteins.

References
----------
Pauling, Corey & Branson, PNAS 37 (1951) 205 (helix); Chothia, Levitt & Richardson, J. Mol. Biol.
145 (1981) 215 (helices pack at about 10 Å); Senko, Beu & McLafferty, J. Am. Soc. Mass Spectrom. 6
(1995) 229 (mean composition).
"""

import math
from collections.abc import Callable

import torch
from torch import Tensor

from difftem.atoms import Atoms
from difftem.functional.pose import random_rotations
from difftem.scene.matter import PROTEIN_RESIDUE
from difftem.scene.synthetic.draw import Draw

RESIDUE_VOLUME = PROTEIN_RESIDUE.volume  # Å³
RESIDUE_DALTON = 111.1254
DOMAIN_RESIDUES = 140.0  # of a typical domain
_STRETCH = 1.9  # domain's ball in radii of an equal volume: cells are no balls

# Along the axis, around it in degrees, and from it in Å: N, CA, C, O of an α helix.
_HELIX_RISE, _HELIX_TURN = 1.5, 100.0
_HELIX_SPACING = math.sqrt(RESIDUE_VOLUME / _HELIX_RISE / (math.sqrt(3) / 2))
_HELIX = ((7, -0.9, -27.0, 1.55), (6, 0.0, 0.0, 2.28), (6, 1.1, 26.0, 1.68), (8, 2.3, 22.0, 2.0))
# Along a strand, across its sheet, and off the sheet in Å.
_STRAND_RISE, _STRAND_SPACING = 3.3, 4.8
_SHEET_SPACING = RESIDUE_VOLUME / _STRAND_RISE / _STRAND_SPACING
_STRAND = ((7, -1.2, 0.2, -0.3), (6, 0.0, 0.0, 0.9), (6, 1.2, -0.2, 0.3), (8, 1.2, -1.4, 0.5))
_SIDE = (1.6, 2.6, 3.4, 4.1)  # Å from Cα, outwards
_SIDE_OCCUPIED = 0.953  # of these, for 3.81 atoms beside the backbone
_SIDE_ELEMENTS = {6: 0.7712, 7: 0.0939, 8: 0.1252, 16: 0.0109}  # completes the mean residue
_HYDROGENS = 3  # entries that stand for all hydrogen of a residue

Inside = Callable[[Tensor], Tensor]  # (n, 3) Å to (n,) bool


def fold(
    inside: Inside,
    center: Tensor,  # (3,) Å
    reach: float,
    draw: Draw,
    helical: float = 0.5,
    b_factor: float = 40.0,
) -> Atoms:
    """Fill a shape with protein.

    Parameters
    ----------
    inside : callable
        Tells which of some points ``(n, 3)`` in Å belong to the shape.
    center : Tensor
        Of a ball that holds the shape, ``(3,)`` in Å.
    reach : float
        Its radius in Å.
    draw : Draw
        Source of randomness.
    helical : float
        Share of the domains that is of helices; the others are of sheets.
    b_factor : float
        Mean of the atoms' in Å².

    Returns
    -------
    Atoms
        C, N, O, S and hydrogen, whose entries stand for 2.6 atoms each.

    Raises
    ------
    ValueError
        If nothing is inside.
    """
    points = _ball(center, reach, draw, 2000)
    within = points[inside(points)]
    share = len(within) / len(points)
    residues = max(share * 4 / 3 * math.pi * reach**3 / RESIDUE_VOLUME, 1.0)
    if len(within) == 0:
        raise ValueError(f"the shape holds none of {len(points)} points within {reach:.0f} Å")
    n_domains = max(1, min(round(residues / DOMAIN_RESIDUES), len(within)))
    seeds = within[:n_domains]
    if n_domains == 1:
        seeds, extent = within.mean(0, keepdim=True), reach
        extent = min(reach, float((within - seeds).norm(dim=-1).max()) + 5)
    else:
        each = residues / n_domains * RESIDUE_VOLUME
        extent = _STRETCH * (3 * each / (4 * math.pi)) ** (1 / 3)
    parts = []
    for i, seed in enumerate(seeds):
        make = _helices if draw.chance(helical) else _strands
        axes, side = make(extent, draw)
        turn = random_rotations(1, draw.generator)[0]
        places = axes @ turn.mT + seed
        keep = inside(places)
        if n_domains > 1:
            keep &= torch.cdist(places, seeds).argmin(-1) == i
        if bool(keep.any()):
            parts.append(_atoms(places[keep], side[keep] @ turn.mT, draw))
    if not parts:
        raise ValueError(f"the shape is too small to hold a residue, {residues:.1f} fit")
    positions = torch.cat([each for each, _, _ in parts])
    numbers = torch.cat([each for _, each, _ in parts])
    occupancies = torch.cat([each for _, _, each in parts])
    spread = torch.exp(0.4 * draw.normal(len(numbers)))
    b = (b_factor * spread).clamp(max=400.0)
    return Atoms(positions.float(), numbers, b.float(), occupancies.float())


def _ball(center: Tensor, reach: float, draw: Draw, n: int) -> Tensor:  # (n, 3)
    direction = draw.normal(n, 3)
    direction = direction / direction.norm(dim=-1, keepdim=True)
    return center + reach * draw.numbers(n, 1) ** (1 / 3) * direction


def _helices(extent: float, draw: Draw) -> tuple[Tensor, Tensor]:  # (n, 3), (n, 5, 3)
    """Cα places of parallel helices within a ball, and backbone and side vector from each."""
    steps = math.ceil(extent / _HELIX_SPACING)
    i, j = torch.meshgrid(*(torch.arange(-steps, steps + 1).double(),) * 2, indexing="ij")
    x, y = _HELIX_SPACING * (i + 0.5 * j).flatten(), _HELIX_SPACING * (0.866 * j).flatten()
    near = torch.hypot(x, y) < extent
    feet = torch.stack([x[near], y[near]], -1)
    n = len(feet)
    feet = feet + 0.4 * draw.normal(n, 2)
    lean = 0.12 * draw.normal(n, 2)
    k = torch.arange(-math.ceil(extent / _HELIX_RISE), math.ceil(extent / _HELIX_RISE)).double()
    phase = 2 * math.pi * draw.numbers(n, 1) + math.radians(_HELIX_TURN) * k
    height = _HELIX_RISE * (k + draw.numbers(n, 1))

    def at(along: float, around: float, out: float) -> Tensor:  # (n, k, 3)
        angle, z = phase + math.radians(around), height + along
        across = feet[:, None] + lean[:, None] * z[..., None]
        return torch.stack(
            [across[..., 0] + out * angle.cos(), across[..., 1] + out * angle.sin(), z], -1
        )

    alpha = at(0.0, 0.0, 2.28)
    vectors = [at(z, turn, r) - alpha for _, z, turn, r in _HELIX]
    vectors.append(torch.stack([phase.cos(), phase.sin(), torch.full_like(phase, -0.5)], -1))
    return _cut(alpha, vectors, extent)


def _strands(extent: float, draw: Draw) -> tuple[Tensor, Tensor]:  # (n, 3), (n, 5, 3)
    """Cα places of layered sheets within a ball, and backbone and side vector from each."""
    across, layers = (math.ceil(extent / each) for each in (_STRAND_SPACING, _SHEET_SPACING))
    k = torch.arange(-math.ceil(extent / _STRAND_RISE), math.ceil(extent / _STRAND_RISE)).double()
    i, j = torch.meshgrid(
        torch.arange(-across, across + 1).double(),
        torch.arange(-layers, layers + 1).double(),
        indexing="ij",
    )
    x, y = _STRAND_SPACING * i.flatten()[:, None], _SHEET_SPACING * j.flatten()[:, None]
    n = len(x)
    z = _STRAND_RISE * (k + 0.3 * draw.numbers(n, 1))
    twist = math.radians(draw.uniform(-4, 0)) / _STRAND_SPACING * x  # strand against strand
    sign = torch.where(k % 2 == 0, 1.0, -1.0).expand(n, -1)
    x, y = x + 0 * z, y + 0.3 * draw.normal(n, 1) + 0 * z

    def at(along: float, sideways: float, off: float) -> Tensor:  # (n, k, 3)
        height = y + off * sign
        depth = z + along
        return torch.stack(
            [
                x + sideways,
                height * twist.cos() - depth * twist.sin(),
                height * twist.sin() + depth * twist.cos(),
            ],
            -1,
        )

    alpha = at(0.0, 0.0, 0.9)
    vectors = [at(a, b, c) - alpha for _, a, b, c in _STRAND]
    vectors.append(torch.stack([torch.zeros_like(sign), sign, torch.zeros_like(sign)], -1))
    return _cut(alpha, vectors, extent)


def _cut(alpha: Tensor, vectors: list[Tensor], extent: float) -> tuple[Tensor, Tensor]:
    """Keep what is within the ball."""
    places, side = alpha.flatten(0, 1), torch.stack(vectors, -2).flatten(0, 1)
    near = places.norm(dim=-1) < extent
    return places[near], side[near]


def _atoms(places: Tensor, side: Tensor, draw: Draw) -> tuple[Tensor, Tensor, Tensor]:
    """Positions, atomic numbers and occupancies of residues at their Cα."""
    n = len(places)
    backbone = places[:, None] + side[:, :4]
    numbers = torch.tensor([z for z, *_ in _HELIX]).repeat(n, 1)
    out = torch.tensor(_SIDE, dtype=torch.float64)
    wander = 0.7 * draw.normal(n, len(_SIDE), 3).cumsum(1)
    chain = places[:, None] + side[:, 4:] * out[:, None] + wander
    weights = torch.tensor(list(_SIDE_ELEMENTS.values()), dtype=torch.float64)
    drawn = torch.multinomial(weights, n * len(_SIDE), True, generator=draw.generator)
    elements = torch.tensor(list(_SIDE_ELEMENTS))[drawn].reshape(n, -1)
    there = draw.numbers(n, len(_SIDE)) < _SIDE_OCCUPIED
    hydrogen = chain[:, :_HYDROGENS] + 0.8 * draw.normal(n, _HYDROGENS, 3)
    each = dict(PROTEIN_RESIDUE.formula)[1] / _HYDROGENS
    positions = torch.cat([backbone.flatten(0, 1), chain[there], hydrogen.flatten(0, 1)])
    atoms = torch.cat(
        [numbers.flatten(), elements[there], torch.ones(n * _HYDROGENS, dtype=torch.long)]
    )
    occupancies = torch.where(atoms == 1, each, 1.0)
    return positions, atoms, occupancies
