"""Recipe of Pt particles on CeO2."""

import math
from dataclasses import dataclass, fields

SHAPES = ("octahedron", "cuboctahedron", "wulff", "twin", "irregular")
_OXIDE = 3.0  # Å that are seen of it at least


@dataclass(frozen=True)
class NanoparticleRecipe:
    """Ranges from which models are drawn; a class whose range ends at 0 does not occur.

    Ranges are drawn evenly, both ends included.

    Parameters
    ----------
    shapes
        Outlines, all alike: octahedron (truncated), cuboctahedron, wulff, twin (a Wulff shape with
        one twin plane inside), irregular.
    twinned_share
        Share of particles in twin orientation on the oxide, turned by 180° about [111]; the others
        are parallel to it.
    diameter
        Width in profile of the whole outline in Å, before the oxide and the defects cut it.
    truncation
        Of the octahedron: 0 keeps its corners, 1 is the cuboctahedron.
    buried
        Share of the outline's height that the oxide cuts off.
    lattice_pt
        Edge of the cubic cell of Pt in Å; 3.924 is bulk, small particles on CeO2 are wider.
    missing_corners
        Share of atoms with six neighbours or fewer that are missing.
    missing_columns
        Number of columns at the particle's edges that are missing.
    adatom_columns
        Number of columns that are added on its surface, of one atom to as many as have room.
    step_share
        Share of particles with one step: a part of an outermost layer is missing.
    thickness
        Of the oxide along the beam in Å.
    support_step_share
        Share of oxides with a step of one O-Ce-O layer beside the particle, towards it or away.
    oxygen_vacancies
        Share of the outermost oxygen atoms that are missing.
    interface_distance
        From the outermost Ce layer to the nearest Pt layer in Å.
    interface_y
        y of the outermost Ce layer in Å, the oxide beyond it; moved to larger y where a particle
        would come nearer than `headroom` to the field's edge at low y.
    particle_x
        x of the particle's middle in Å.
    headroom
        Vacuum above the particle in Å.
    tilt_deg
        About x and about y, drawn each for itself in degrees; atoms are stored untilted.
    static_disorder
        Standard deviation of each coordinate of each atom in Å.
    b_pt, b_ce, b_o
        B-factors in Å².
    field
        Side in Å of the square that the oxide fills below its surface at any tilt to 5°.

    Raises
    ------
    ValueError
        If a value is not possible.
    """

    shapes: tuple[str, ...] = SHAPES
    twinned_share: float = 0.6
    diameter: tuple[float, float] = (10.0, 30.0)
    truncation: tuple[float, float] = (0.0, 0.75)
    buried: tuple[float, float] = (0.1, 0.6)
    lattice_pt: tuple[float, float] = (3.92, 3.99)
    missing_corners: tuple[float, float] = (0.0, 0.3)
    missing_columns: tuple[int, int] = (0, 3)
    adatom_columns: tuple[int, int] = (0, 3)
    step_share: float = 0.3
    thickness: tuple[float, float] = (30.0, 60.0)
    support_step_share: float = 0.4
    oxygen_vacancies: tuple[float, float] = (0.0, 0.2)
    interface_distance: tuple[float, float] = (2.39, 2.69)
    interface_y: tuple[float, float] = (-2.0, 8.0)
    particle_x: tuple[float, float] = (-4.0, 4.0)
    headroom: float = 10.0
    tilt_deg: tuple[float, float] = (-4.0, 4.0)
    static_disorder: float = 0.03
    b_pt: float = 0.4
    b_ce: float = 0.4
    b_o: float = 0.6
    field: float = 56.0

    def __post_init__(self) -> None:
        """Check every value."""
        object.__setattr__(self, "shapes", tuple(self.shapes))
        unknown = [each for each in self.shapes if each not in SHAPES]
        if unknown or not self.shapes:
            named = unknown[0] if unknown else "none"
            raise ValueError(f"shapes must be among {', '.join(SHAPES)}, got {named}")
        for each in fields(self):
            value = getattr(self, each.name)
            if each.name == "shapes":
                continue
            low, high = _LIMITS[each.name]
            if isinstance(each.default, tuple):
                object.__setattr__(self, each.name, _checked_range(each.name, value, low, high))
            elif not _is_number(value) or not low <= value <= high:
                raise ValueError(f"{each.name} must be {low:g} to {high:g}, got {value}")
        least = max(self.headroom + self.diameter[1], 2 * self.interface_y[1]) + _OXIDE
        if self.field < least:
            raise ValueError(
                f"field must be at least {least:g} Å for headroom, diameter and interface_y, got "
                f"{self.field:g}"
            )


_LIMITS = {
    "twinned_share": (0, 1),
    "diameter": (8, 40),
    "truncation": (0, 1),
    "buried": (0, 0.8),
    "lattice_pt": (3.7, 4.2),
    "missing_corners": (0, 1),
    "missing_columns": (0, 20),
    "adatom_columns": (0, 20),
    "step_share": (0, 1),
    "thickness": (8, 200),
    "support_step_share": (0, 1),
    "oxygen_vacancies": (0, 1),
    "interface_distance": (2.2, 4),
    "interface_y": (-20, 20),
    "particle_x": (-20, 20),
    "headroom": (0, 30),
    "tilt_deg": (-5, 5),
    "static_disorder": (0, 0.2),
    "b_pt": (0, 5),
    "b_ce": (0, 5),
    "b_o": (0, 5),
    "field": (20, 200),
}


def _is_number(value: object) -> bool:
    """Whether a value is a finite number."""
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _checked_range(
    name: str, value: tuple[float, float], low: float, high: float
) -> tuple[float, float]:
    """Return a range as a tuple, or say what is wrong with it."""
    pair = tuple(value) if isinstance(value, tuple | list) else ()
    if len(pair) != 2 or not all(map(_is_number, pair)):
        raise ValueError(f"{name} must be two numbers, lowest and highest, got {value}")
    if not low <= pair[0] <= pair[1] <= high:
        raise ValueError(
            f"{name} must be two numbers from {low:g} to {high:g}, the lower first, got "
            f"{pair[0]:g} to {pair[1]:g}"
        )
    if name.endswith("_columns") and any(each != int(each) for each in pair):
        raise ValueError(f"{name} must be whole numbers, got {pair[0]:g} to {pair[1]:g}")
    return pair
