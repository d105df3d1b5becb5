"""Which fields of a scene mean something where; others are refused, not passed over."""

import dataclasses
from pathlib import Path
from typing import Any

from difftem.simulation.scene_config import IceConfig, ParticleConfig, StageConfig

BUNDLED, VIRION, PHANTOM = "apoferritin", "sars-cov-2", "phantom"
MAPS = (".mrc", ".map")
_ATOMS = ("solvent", "assembly", "hydrogens")
# What each kind of source knows, of the fields below.
_KNOWN = {
    "a structure": _ATOMS,
    "a map": ("voxel_size",),
    VIRION: ("parts", *_ATOMS),
    PHANTOM: ("phantom",),
}
_OF_SOURCES = ("parts", "solvent", "assembly", "hydrogens", "voxel_size", "phantom")


def source_kind(source: str) -> str:
    """Kind of a particle's source: 'a structure', 'a map', or one of those that are built.

    Parameters
    ----------
    source : str
        As configured.

    Returns
    -------
    str
        Key of the table above.
    """
    if source in (VIRION, PHANTOM):
        return source
    is_map = Path(source.removesuffix(".gz")).suffix.lower() in MAPS
    return "a map" if is_map else "a structure"


def check_particle_fields(particle: ParticleConfig) -> None:
    """Refuse a field that is set and does not apply to this particle.

    Parameters
    ----------
    particle : ParticleConfig
        Its defaults count as not set.

    Raises
    ------
    ValueError
        In one line that names particle, field and what it would apply to.
    """
    changed = _changed(particle)
    kind = source_kind(particle.source)
    for name in _OF_SOURCES:
        if name in changed and name not in _KNOWN[kind]:
            others = [other for other, known in _KNOWN.items() if name in known]
            raise ValueError(
                f"particle {particle.name!r}: {name} does not apply to {kind}, only to "
                f"{' and '.join(others)}"
            )
    if particle.coordinates is None and particle.image is not None:
        raise ValueError(f"particle {particle.name!r}: image applies with coordinates only")
    if particle.coordinates is not None and "orientations" in changed:
        raise ValueError(
            f"particle {particle.name!r}: orientations does not apply with coordinates, whose file "
            "has the angles"
        )


def check_ice_fields(ice: IceConfig) -> None:
    """Refuse the edge of a hole that is not there, and edges of the field where there is one.

    Parameters
    ----------
    ice : IceConfig
        Of the scene.

    Raises
    ------
    ValueError
        In one line.
    """
    if ice.hole_diameter_nm is None and ice.edge_thickness_nm is not None:
        raise ValueError("ice.edge_thickness_nm applies with ice.hole_diameter_nm only")
    if ice.hole_diameter_nm is not None and not ice.cut_at_edges:
        raise ValueError("ice.cut_at_edges does not apply with ice.hole_diameter_nm")


def check_stage(stage: StageConfig, n_tilts: int, ice: IceConfig) -> None:
    """Refuse errors of a stage that do not fit the tilts or the ice.

    Parameters
    ----------
    stage : StageConfig
        Of the scene.
    n_tilts : int
        Images of the series.
    ice : IceConfig
        Of the scene.

    Raises
    ------
    ValueError
        In one line.
    """
    changed = _changed(stage)
    if changed and n_tilts == 1:
        raise ValueError(
            f"stage.{min(changed)} applies to tilt series only: exposure.tilts_deg has one tilt"
        )
    shifting = changed & {"shifts", "shift_error"}
    if shifting and ice.hole_diameter_nm is not None:
        raise ValueError(
            f"stage.{min(shifting)} does not apply with ice.hole_diameter_nm: the hole would stay "
            "where it is"
        )
    for name in ("shifts", "rotations_deg"):
        given = getattr(stage, name)
        if given is not None and len(given) != n_tilts:
            raise ValueError(
                f"stage.{name} must have {n_tilts} values, one for each tilt, got {len(given)}"
            )
    for name in ("shift_error", "rotation_error_deg", "tilt_error_deg"):
        if getattr(stage, name) < 0:
            raise ValueError(f"stage.{name} must not be negative, got {getattr(stage, name)}")


def _changed(config: Any) -> set[str]:
    """Fields that are not at their defaults."""
    default = type(config)()
    return {
        field.name
        for field in dataclasses.fields(config)
        if getattr(config, field.name) != getattr(default, field.name)
    }
