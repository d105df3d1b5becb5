"""The CeO2 below a particle, which is at larger y: a slab with an O-terminated (111) surface."""

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from difftem.scene.nanoparticle.lattice import Floats, Whole, fluorite_columns
from difftem.scene.synthetic.draw import Draw

CEO2_EDGE = 5.411  # Å
_STEP_GAP = 1.5, 10.0  # Å between particle and step
_FOOT = 5.0  # Å of the particle's height that a step is next to
LAYER = CEO2_EDGE / math.sqrt(3)  # Å from Ce to Ce


class SupportSites(NamedTuple):
    """Atoms of the oxide, without disorder; the uppermost full layer has its Ce at y = 0."""

    positions: Floats  # (n, 3) Å
    atomic_numbers: Whole  # (n,)
    columns: Whole  # (n,), from 0
    layers: Whole  # (n,), 0 is the one below the particle, -1 above it
    exposed: NDArray[np.bool_]  # (n,), oxygen above the Ce of the surface


class SupportStep(NamedTuple):
    """A step beside the particle."""

    height: int  # 1 up, -1 down, in O-Ce-O layers
    edge: float  # x in Å
    side: int  # 1: beyond it to the right


def draw_step(share: float, particle: Floats, draw: Draw) -> SupportStep | None:
    """Draw a step beside a particle whose lower part has x and y in Å, up or down, left or right.

    All is drawn whether or not there is a step.
    """
    there, height = draw.chance(share), draw.choice((1, -1))
    side, gap = draw.choice((1, -1)), draw.uniform(*_STEP_GAP)
    low = particle[particle[:, 1] > particle[:, 1].max() - _FOOT]
    edge = float((side * low[:, 0]).max()) + gap
    return SupportStep(height, side * edge, side) if there else None


def cut_support(
    thickness: float,  # Å
    half_width: float,  # Å
    depth: float,  # Å
    step: SupportStep | None,
    draw: Draw,
) -> SupportSites:
    """Cut the slab.

    Parameters
    ----------
    thickness : float
        Along the beam, about z = 0, in Å.
    half_width : float
        In Å; x from minus to plus this.
    depth : float
        In Å below the uppermost full layer.
    step : SupportStep, optional
        Step of the surface.
    draw : Draw
        Of the lattice's phase along x and z.

    Returns
    -------
    SupportSites
        Column by column.
    """
    shift = draw.uniform(0.0, CEO2_EDGE * math.sqrt(6) / 4)
    phase = draw.uniform(0.0, CEO2_EDGE / math.sqrt(2))
    reach = half_width + CEO2_EDGE
    places, oxygen, phases, layers = fluorite_columns(
        CEO2_EDGE, (-reach, reach), (-LAYER - 1, depth)
    )
    places = places + np.array([shift, 0.0])
    first = np.zeros(len(places), np.int64)
    if step is not None:
        beyond = step.side * (places[:, 0] - step.edge) > 0
        first = np.where(beyond, -step.height, 0)
    keep = (layers >= first) & (np.abs(places[:, 0]) <= half_width)
    top = oxygen & (layers == first) & (places[:, 1] < layers * LAYER)
    places, oxygen, phases, layers, top = (
        each[keep] for each in (places, oxygen, phases, layers, top)
    )
    period = CEO2_EDGE / math.sqrt(2)
    most = math.ceil(thickness / 2 / period) + 2
    heights = period * np.arange(-most, most + 1)
    z = phases[:, None] + phase + heights
    column, place = np.nonzero(np.abs(z) <= thickness / 2)
    positions = np.concatenate([places[column], z[column, place][:, None]], axis=1)
    numbers = np.where(oxygen[column], 8, 58)
    return SupportSites(positions, numbers, column, layers[column], top[column])


def missing_oxygen(sites: SupportSites, share: float, draw: Draw) -> NDArray[np.bool_]:
    """Draw which of the exposed oxygen atoms are missing, shape ``(n,)``."""
    return sites.exposed & (draw.numbers(len(sites.exposed)).numpy() < share)
