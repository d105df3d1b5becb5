"""Largest absolute values of the numbers in a configuration that have no other limit."""

import math

MAX_SHIFT = 3.0  # longer sides of the field
USUAL_PATH_NM = 300.0  # in ice at 300 kV
MAX_PATHS = 20.0  # 2e-9 of the electrons
_TURNS, _MANY = (3600.0, " degrees"), (10_000_000, " copies")
# By the name of a field, wherever it is, with its unit. Beyond lies a mistake, more work than
# anyone wants, or what float32 does not hold.
LARGEST: dict[str, tuple[float, str]] = {
    "astigmatism_angle_deg": _TURNS,
    "phase_shift_deg": _TURNS,
    "tilt_axis_deg": _TURNS,
    "rotations_deg": _TURNS,
    "rotation_deg": _TURNS,
    "angle_deg": _TURNS,
    "beam_tilt_mrad": (100.0, " mrad"),
    "aberrations": (1e12, " Å"),
    "exposures": (100_000, ""),
    "count": _MANY,
    "per_um3": (1e9, " 1/µm³"),
    "micromolar": (1e6, " µM"),
    "fraction": (1.0, ""),
    "size": (65_536, " pixels"),
    "size_nm": (1e4, " nm"),
    "contrast": (1e3, " V"),
    "smoothness": (100.0, ""),
    "potential_band_limit": (1.0, ""),
    "micrographs": (1_000_000, ""),
    "devices": (1024, ""),
    "num_nodes": (10_000, ""),
    "threads": (1024, ""),
}


def check_number(key: str, name: str, value: float) -> None:
    """Refuse numbers that are not finite, and those that no field of that name has.

    Parameters
    ----------
    key : str
        Dotted name, for the message.
    name : str
        Of the field, without section and place in a list.
    value : float
        As given.

    Raises
    ------
    ValueError
        Naming the key, what is allowed with its unit, and the value.
    """
    if isinstance(value, float) and not math.isfinite(value):
        raise ValueError(f"{key} must be a finite number, got {value}")
    if name in LARGEST:
        most, unit = LARGEST[name]
        if abs(value) > most:
            where = "within" if value < 0 else "at most"
            raise ValueError(f"{key} must be {where} {most:g}{unit}, got {number_text(value)}")


def check_shifts(shifts: list[tuple[float, float]] | None, error: float, side: float) -> None:
    """Refuse shifts of a stage that take the whole field out of sight, far away.

    What the field sees at any tilt is placed and projected: the work grows with their square.

    Parameters
    ----------
    shifts : list of tuple of float or None
        Of each tilt, Å.
    error : float
        Standard deviation of random ones, Å.
    side : float
        Longer side of the field, Å.
    """
    most = MAX_SHIFT * side
    given = {f"stage.shifts[{i}]": max(map(abs, each)) for i, each in enumerate(shifts or ())}
    for key, value in (given | {"stage.shift_error": error}).items():
        if value > most:
            raise ValueError(
                f"{key} must be within {MAX_SHIFT:g} times the field's longer side, {most:g} Å, "
                f"got {value:g} Å"
            )


def check_transmission(key: str, thickness_nm: float | None, mean_free_path_nm: float) -> None:
    """Refuse ice behind which there is nothing to see."""
    paths = (thickness_nm or 0.0) / mean_free_path_nm
    if paths > MAX_PATHS:
        raise ValueError(
            f"{key} must be at most {MAX_PATHS:g} mean free paths of {mean_free_path_nm:g} nm "
            f"(ice.mean_free_path_nm), got {thickness_nm:g} nm: no electron gets through"
        )


def number_text(value: float) -> str:
    """Write a number, a whole one of any size, in few characters."""
    if isinstance(value, int):
        text = str(value)
        return text if len(text) < 20 else f"{text[:6]}... ({len(text)} digits)"
    return f"{value:g}"
