"""Random packing without overlap, and how many copies a density means."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.spatial import KDTree
from torch import Tensor

from difftem.constants.physical import AVOGADRO_CONSTANT
from difftem.scene.regions import BoxRegion, Region, filled, jammed

Points = NDArray[np.float64]  # (n, 3) Å

# Tries that a packing may take: random addition slows down without end as it nears its limit.
TRIES_PER_COPY = 1000
TRIES_PER_COPY_BEYOND = 30  # for a density beyond the limit, just to say how far it comes
LEAST_TRIES = 50_000
_BATCHES = (256, 100_000)  # fewest and most tries at once
_PER_MICROMOLAR = AVOGADRO_CONSTANT / 1e21  # copies in 1 µm³ at 1 µM
_A3_PER_UM3 = 1e12


@dataclass(frozen=True)
class PackingRequest:
    """What `pack` is asked to place.

    Attributes
    ----------
    region : Region
        Where.
    radius : float
        Of a copy's bounding sphere in Å.
    number : int
        How many copies.
    name : str
        What to call them in a message.
    """

    region: Region
    radius: float
    number: int
    name: str = ""

    def __post_init__(self) -> None:
        """Check size and number."""
        if not (math.isfinite(self.radius) and self.radius >= 0):
            raise ValueError(f"radius must be 0 Å or more, got {self.radius} Å")
        if self.number < 0:
            raise ValueError(f"number of copies must be 0 or more, got {self.number}")


def pack(
    requests: Sequence[PackingRequest],
    generator: torch.Generator,
    gap: float = 0.0,
    obstacles: Sequence[tuple[Tensor, float]] = (),
) -> list[Tensor]:  # each (n, 3)
    """Put spheres of several sizes at random without overlap, the largest first.

    Random sequential addition: a place is drawn evenly over the region and kept if it is free.

    Parameters
    ----------
    requests : sequence of PackingRequest
        What goes where.
    generator : torch.Generator
        Source of randomness; the same seed gives the same places.
    gap : float
        Least space between two spheres in Å.
    obstacles : sequence of (Tensor, float)
        Centres ``(n, 3)`` and radius in Å of spheres that are there already.

    Returns
    -------
    list of Tensor
        Centres in Å, float64, ``(number, 3)``, in the order of `requests`.

    Raises
    ------
    ValueError
        If they do not fit, with the number that did and the density reached.

    References
    ----------
    Zhang & Torquato, Phys. Rev. E 88 (2013) 053312: equal spheres jam at a volume fraction of
    0.384, discs at 0.547.
    """
    there = [(points.double().numpy(), radius) for points, radius in obstacles if len(points)]
    places: dict[int, Tensor] = {}
    for i in sorted(range(len(requests)), key=lambda i: -requests[i].radius):
        points = _add(requests[i], there, generator, gap)
        places[i] = torch.from_numpy(points)
        if len(points):
            there.append((points, requests[i].radius))
    return [places[i] for i in range(len(requests))]


def number_of_copies(
    region: Region,
    *,
    per_um3: float | None = None,
    micromolar: float | None = None,
    per_um2: float | None = None,
    fraction: float | None = None,
    radius: float | None = None,
) -> int:
    """Say how many copies a density means; exactly one of the densities is given.

    Parameters
    ----------
    region : Region
        Where they go.
    per_um3 : float, optional
        Copies in 1 µm³ of a volume.
    micromolar : float, optional
        Concentration in µM in a volume.
    per_um2 : float, optional
        Copies on 1 µm² of a surface, or of a box as seen along z.
    fraction : float, optional
        Of the volume that is filled, or of the surface that is covered; needs `radius`.
    radius : float, optional
        Of a copy in Å.

    Returns
    -------
    int
        Rounded to the nearest whole number.

    Raises
    ------
    ValueError
        If none or several densities are given, or one is negative or does not suit the region.
    """
    densities = {
        "per_um3": per_um3,
        "micromolar": micromolar,
        "per_um2": per_um2,
        "fraction": fraction,
    }
    given = {name: value for name, value in densities.items() if value is not None}
    if len(given) != 1:
        raise ValueError(f"give one of {', '.join(densities)}, got {', '.join(given) or 'none'}")
    ((name, value),) = given.items()
    if not (math.isfinite(value) and value >= 0):
        raise ValueError(f"{name} must be 0 or more, got {value}")
    if name == "fraction":
        if radius is None or not radius > 0:
            raise ValueError(f"a fraction needs a positive radius, got {radius} Å")
        return round(value / filled(region, radius, 1)) if region.size > 0 else 0
    if name == "per_um2":
        if not (region.flat or isinstance(region, BoxRegion)):
            raise ValueError(f"per_um2 needs a surface or a box, got {region}")
        area = region.size
        if isinstance(region, BoxRegion) and not region.flat:
            area /= region.depth
        return round(value * area / 1e8)
    if region.flat:
        raise ValueError(f"{name} needs a volume, got {region}")
    factor = _PER_MICROMOLAR if name == "micromolar" else 1.0
    return round(value * factor * region.size / _A3_PER_UM3)


def _add(
    request: PackingRequest,
    there: list[tuple[Points, float]],
    generator: torch.Generator,
    gap: float,
) -> Points:
    """Places of one request beside the spheres that are there."""
    region, radius, number = request.region, request.radius, request.number
    own = 2 * radius + gap
    trees = [(KDTree(points), r) for points, r in there]
    placed = np.zeros((0, 3))
    hopeless = filled(region, radius, number) > jammed(region)
    per_copy = TRIES_PER_COPY_BEYOND if hopeless else TRIES_PER_COPY
    budget = max(per_copy * number, LEAST_TRIES)
    tries, rate = 0, 1.0
    # Candidates beyond what fits would meet each other in far too many pairs.
    most = math.ceil(jammed(region) / filled(region, radius, 1)) if hopeless else 0
    while len(placed) < number:
        missing = number - len(placed)
        # Free room only shrinks: what this rate cannot reach is out of reach.
        if tries >= budget or rate * (budget - tries) < missing / 2:
            raise ValueError(_full(request, len(placed)))
        drawable = max(most - len(placed), 1) if hopeless else missing
        n = int(np.clip(drawable / rate, *_BATCHES))
        drawn = region.draw(n, radius, generator).numpy()
        tries += n
        free = drawn
        for tree, other in [*trees, (KDTree(placed), radius)]:
            free = _without(free, tree, other + radius + gap)
        kept = free[_sequential(free, own)]
        # A try that found nothing still says that less than one in n does.
        rate = max(len(kept), 0.5) / n
        placed = np.concatenate([placed, kept[:missing]])
    return placed


def _without(candidates: Points, tree: KDTree, distance: float) -> Points:
    """Candidates that are at least a distance from all points of a tree."""
    nearest, _ = tree.query(candidates, distance_upper_bound=distance)
    return candidates[np.isinf(nearest)]


def _sequential(candidates: Points, distance: float) -> NDArray[np.bool_]:
    """Mask of the candidates that stay if each comes after those before it."""
    alive = np.ones(len(candidates), dtype=bool)
    if distance > 0:
        # The tree finds those at the very distance too.
        below = np.nextafter(distance, 0)
        pairs = KDTree(candidates).query_pairs(below, output_type="ndarray")
        for first, second in pairs[np.lexsort(pairs.T[::-1])].tolist():
            if alive[first]:
                alive[second] = False
    return alive


def _full(request: PackingRequest, placed: int) -> str:
    """Say how far a packing came and what to do."""
    region, radius = request.region, request.radius
    name = request.name or f"{2 * radius:.0f} Å"
    wanted, reached = (filled(region, radius, n) for n in (request.number, placed))
    what = "covering" if region.flat else "filling"
    return (
        f"only {placed} of {request.number} copies of {name} fit without overlap into {region} "
        f"({what} {reached:.0%} of the {wanted:.0%} asked for; random packing ends below "
        f"{jammed(region):.0%}); use fewer copies, a larger field or thicker ice"
    )
