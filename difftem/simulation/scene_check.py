"""Impossible configurations of scenes, refused in one line."""

import dataclasses
import math
from collections.abc import Iterator

from difftem.simulation.scene_config import ParticleConfig, PhantomConfig, SceneConfig
from difftem.simulation.scene_fields import check_ice_fields, check_particle_fields, check_stage

MAX_DEFOCUS_UM = 1000.0
MAX_SLICES = 100_000
PIXEL_SIZES = (0.05, 100.0)  # Å; outside, the unit was mistaken
DENSITIES = ("per_um3", "micromolar", "fraction")


def check(config: SceneConfig) -> None:
    """Refuse impossible configurations.

    Parameters
    ----------
    config : SceneConfig
        To check.

    Raises
    ------
    ValueError
        In one line that names the key.
    """
    for key, value in flattened(dataclasses.asdict(config)):
        if isinstance(value, float) and not math.isfinite(value):
            raise ValueError(f"{key} must be a finite number, got {value}")
    _check_particles(config.particles)
    _check_sampling(config)
    check_ice_fields(config.ice)
    exposure = config.exposure
    if not exposure.tilts_deg:
        raise ValueError("exposure.tilts_deg must not be empty")
    steep = [tilt for tilt in exposure.tilts_deg if not -80 <= tilt <= 80]
    if steep:
        raise ValueError(f"exposure.tilts_deg must lie between -80 and 80 degrees, got {steep[0]}")
    if exposure.exposures != 1:
        raise ValueError("exposure.exposures must be 1 here; ask for more micrographs instead")
    check_stage(config.stage, len(exposure.tilts_deg), config.ice)
    variation = dataclasses.asdict(config.variation)
    for name, limits in variation.items():
        if limits is not None and not limits[0] <= limits[1]:
            raise ValueError(f"variation.{name} must be [low, high], got {list(limits)}")
    defocus = config.variation.defocus_um or (config.microscope.defocus_um,)
    if max(map(abs, defocus)) > MAX_DEFOCUS_UM:
        raise ValueError(
            f"microscope.defocus_um must be within {MAX_DEFOCUS_UM:g} µm, got "
            f"{max(defocus, key=abs):g}; 1.5 means 1.5 µm"
        )
    lengths = ("thickness_nm", "mean_free_path_nm", "hole_diameter_nm", "edge_thickness_nm")
    positive = {f"ice.{name}": getattr(config.ice, name) for name in lengths}
    positive["exposure.dose_e_per_a2"] = exposure.dose_e_per_a2
    for name in ("dose_e_per_a2", "ice_thickness_nm"):
        if variation[name] is not None:
            positive[f"variation.{name}"] = variation[name][0]
    for key, value in positive.items():
        if value is not None and not value > 0:
            raise ValueError(f"{key} must be positive, got {value}")
    if config.ice.gap_nm < 0:
        raise ValueError(f"ice.gap_nm must not be negative, got {config.ice.gap_nm}")


def flattened(values: object, prefix: str = "") -> Iterator[tuple[str, object]]:
    """List what nested mappings and lists hold under dotted keys: ``particles[0].count``."""
    if isinstance(values, dict):
        for name, value in values.items():
            yield from flattened(value, f"{prefix}.{name}" if prefix else str(name))
    elif isinstance(values, list | tuple):
        for i, value in enumerate(values):
            yield from flattened(value, f"{prefix}[{i}]")
    else:
        yield prefix, values


def _check_particles(particles: list[ParticleConfig]) -> None:
    """Check names and how many there are."""
    names = [each.name for each in particles]
    if not names:
        raise ValueError("particles must not be empty")
    for name in names:
        if names.count(name) > 1:
            raise ValueError(f"two particles are called {name!r}; names must differ")
        # They stand in file headers, and as keys of torch.nn.ModuleDict.
        if not (name.isascii() and name.replace("-", "").replace("_", "").isalnum()):
            raise ValueError(
                f"particle name {name!r} must be ASCII letters, digits, - and _ with one letter or "
                "digit"
            )
    for each in particles:
        wanted = {name: getattr(each, name) for name in ("count", *DENSITIES)}
        given = {name: value for name, value in wanted.items() if value is not None}
        if len(given) + (each.coordinates is not None) != 1:
            found = ", ".join([*given, *(["coordinates"] if each.coordinates else [])]) or "none"
            raise ValueError(
                f"particle {each.name!r}: give exactly one of {', '.join(wanted)} and coordinates, "
                f"got {found}"
            )
        for name, value in given.items():
            if not value > 0:
                raise ValueError(f"particle {each.name!r}: {name} must be positive, got {value}")
        check_particle_fields(each)
        _check_phantom(each.name, each.phantom)


def _check_phantom(name: str, phantom: PhantomConfig) -> None:
    """Check the shape of a random particle."""
    if not min(phantom.size_nm) > 0:
        raise ValueError(
            f"particle {name!r}: phantom.size_nm must be positive, got {list(phantom.size_nm)}"
        )
    if phantom.contrast == 0:
        raise ValueError(f"particle {name!r}: phantom.contrast must not be 0")
    if phantom.smoothness < 0:
        raise ValueError(
            f"particle {name!r}: phantom.smoothness must not be negative, got {phantom.smoothness}"
        )


def _check_sampling(config: SceneConfig) -> None:
    """Check pixels and slices."""
    sampling = config.sampling
    nx, ny = sampling.size
    if min(nx, ny) < 16:
        raise ValueError(f"sampling.size must be at least 16 x 16 pixels, got {nx} x {ny}")
    if not PIXEL_SIZES[0] <= sampling.pixel_size <= PIXEL_SIZES[1]:
        raise ValueError(
            f"sampling.pixel_size must be within {PIXEL_SIZES[0]:g} and {PIXEL_SIZES[1]:g} Å, "
            f"got {sampling.pixel_size:g}"
        )
    if not sampling.slice_thickness_nm > 0:
        raise ValueError(
            f"sampling.slice_thickness_nm must be positive, got {sampling.slice_thickness_nm}"
        )
    thickness = config.ice.thickness_nm
    if thickness is not None and thickness / sampling.slice_thickness_nm > MAX_SLICES:
        raise ValueError(
            f"sampling.slice_thickness_nm of {sampling.slice_thickness_nm:g} cuts {thickness:g} nm "
            f"of ice into more than {MAX_SLICES} slices"
        )
    if sampling.padding is not None and sampling.padding < 0:
        raise ValueError(f"sampling.padding must not be negative, got {sampling.padding} pixels")
