"""Which fields of a particle mean something where; others are refused, not passed over."""

from pathlib import Path

from difftem.simulation.config import PHANTOM, VIRION
from difftem.simulation.limits import changed
from difftem.simulation.preferred_config import check_preferred
from difftem.simulation.scene_config import ParticleConfig

# What only files of coordinates need.
OF_COORDINATES = ("image", "coordinates_pixel_size", "tomogram_size")
MAPS = (".mrc", ".map", ".ccp4", ".rec")
_ATOMS = (
    "solvent",
    "assembly",
    "model",
    "hydrogens",
    "altlocs",
    "waters",
    "selection",
    "b_factor",
    "default_b_factor",
    "occupancy",
)
# What each kind of source knows, of the fields below.
_KNOWN = {
    "a structure": ("rotation_deg", *_ATOMS),
    "a map": ("voxel_size",),
    VIRION: ("parts", *_ATOMS),
    PHANTOM: ("phantom",),
}
_OF_SOURCES = ("parts", "rotation_deg", *_ATOMS, "voxel_size", "phantom")


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
    path = Path(source)
    unpacked = path.with_suffix("") if path.suffix.lower() in (".gz", ".bz2") else path
    is_map = unpacked.suffix.lower() in MAPS
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
    given = changed(particle)
    kind = source_kind(particle.source)
    for name in _OF_SOURCES:
        if name in given and name not in _KNOWN[kind]:
            others = [other for other, known in _KNOWN.items() if name in known]
            raise ValueError(
                f"particle {particle.name!r}: {name} does not apply to {kind}, only to "
                f"{' and '.join(others)}"
            )
    for name in OF_COORDINATES:
        if particle.coordinates is None and getattr(particle, name) is not None:
            raise ValueError(f"particle {particle.name!r}: {name} applies with coordinates only")
    check_preferred(f"particle {particle.name!r}: ", particle.orientations, particle.preferred)
    if particle.coordinates is not None and "orientations" in given:
        raise ValueError(
            f"particle {particle.name!r}: orientations does not apply with coordinates, whose file "
            "has the angles"
        )
