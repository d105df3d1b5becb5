"""Settings that may be given in another unit: `microscope.defocus_nm` for `defocus_um`."""

import dataclasses
import math
import typing
from collections.abc import Mapping, Sequence
from typing import Any

from difftem.simulation.paths import Config

NM_PER_UM = 1e3
MAX_DEFOCUS_NM, MAX_DOSE = 1e6, 1e9
# Key in the other unit, and the key that is worked with. The second has a default.
ALTERNATIVES = {
    "microscope.defocus_nm": "microscope.defocus_um",
    "exposure.dose_e_per_pixel": "exposure.dose_e_per_a2",
}


def overruled(kind: type[Any], levels: Sequence[tuple[str, Mapping[str, Any]]]) -> dict[str, Any]:
    """Find settings that a later file or option gives in another unit.

    Parameters
    ----------
    kind : type
        Dataclass of the configuration.
    levels : sequence of tuple
        What is put before a message (``FILE: ``), and nested values; the last one wins.

    Returns
    -------
    dict
        Nested defaults of the overruled settings, which they must go back to.

    Raises
    ------
    ValueError
        If one file, or the options, give a setting in both units.
    """
    back: dict[str, Any] = {}
    for key, known in _pairs(kind):
        defaults = {each: _default(kind, each) for each in (key, known)}
        last = None
        for where, values in levels:
            given = [k for k, default in defaults.items() if _get(values, k) not in (None, default)]
            if len(given) > 1:
                raise ValueError(f"{where}{_both(key, known)}")
            last = given[0] if given else last
        if last is not None:
            other = known if last == key else key
            section, _, name = other.partition(".")
            back.setdefault(section, {})[name] = defaults[other]
    return back


def merged(kind: type[Any], values: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    """Put values over others, at any depth of a configuration's sections."""
    hints, found = typing.get_type_hints(kind), dict(values)
    for name, value in over.items():
        inside = dataclasses.is_dataclass(hints.get(name)) and isinstance(value, Mapping)
        found[name] = merged(hints[name], values.get(name, {}), value) if inside else value
    return found


def settled(config: Config) -> Config:
    """Turn what is given in another unit into the one that is worked with.

    Parameters
    ----------
    config : dataclass
        With ``microscope``, ``exposure`` and ``sampling``.

    Returns
    -------
    dataclass
        Of the same type; the other units' settings are None.

    Raises
    ------
    ValueError
        If a setting is given in both units, or is impossible.
    """
    pixel_size = getattr(getattr(config, "sampling", None), "pixel_size", math.nan)  # Å
    # One that is impossible is refused by its own name later.
    area = pixel_size**2 if pixel_size > 0 else 1.0
    divisors = {"defocus_nm": NM_PER_UM, "dose_e_per_pixel": area}
    for key, known in _pairs(type(config)):
        section, _, name = key.partition(".")
        part, target = getattr(config, section), known.partition(".")[2]
        value = getattr(part, name)
        if value is None:
            continue
        if getattr(part, target) != _default(type(config), known):
            raise ValueError(_both(key, known))
        if not math.isfinite(value):
            raise ValueError(f"{key} must be a finite number, got {value}")
        if name == "dose_e_per_pixel" and not 0 < value <= MAX_DOSE:
            raise ValueError(f"{key} must be positive, at most {MAX_DOSE:g}, got {value:g}")
        if name == "defocus_nm" and abs(value) > MAX_DEFOCUS_NM:
            raise ValueError(f"{key} must be within {MAX_DEFOCUS_NM:g} nm, got {value:g}")
        changes: dict[str, Any] = {name: None, target: value / divisors[name]}
        config = dataclasses.replace(config, **{section: dataclasses.replace(part, **changes)})
    return config


def _both(key: str, known: str) -> str:
    return f"{key} and {known} are one setting in two units; give one of them"


def _pairs(kind: type[Any]) -> list[tuple[str, str]]:
    """Pairs of keys of the sections that a dataclass has."""
    names = {each.name for each in dataclasses.fields(kind)}
    return [pair for pair in ALTERNATIVES.items() if pair[0].partition(".")[0] in names]


def _get(values: Mapping[str, Any], key: str) -> Any:
    """Value under a dotted key, or None."""
    section, _, name = key.partition(".")
    inside = values.get(section)
    return inside.get(name) if isinstance(inside, Mapping) else None


def _default(kind: type[Any], key: str) -> Any:
    """Default of a dotted key of a dataclass."""
    section, _, name = key.partition(".")
    return getattr(getattr(kind(), section), name)
