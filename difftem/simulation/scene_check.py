"""Impossible configurations of scenes, refused in one line."""

from difftem.io.image_stack import check_format
from difftem.simulation.config import VIRION
from difftem.simulation.limits import check_common
from difftem.simulation.particle_fields import check_particle_fields
from difftem.simulation.scene_config import (
    ParticleConfig,
    PhantomConfig,
    SceneConfig,
)
from difftem.simulation.variation_check import check_variation

DENSITIES = ("per_um3", "micromolar", "fraction")


def check_scene(config: SceneConfig) -> None:
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
    check_common(config)
    check_format(config.files.format)
    _check_particles(config.particles)
    if config.exposure.exposures != 1:
        raise ValueError("exposure.exposures must be 1 here; ask for more micrographs instead")
    if config.exposure.focus_series_um is not None:
        raise ValueError(
            "exposure.focus_series_um applies to difftem simulate only; variation.defocus_um gives "
            "every micrograph a defocus of its own"
        )
    table = config.sampling.table
    if table not in (None, "peng") and any(each.solvent == "floor" for each in config.particles):
        raise ValueError(
            f"sampling.table must be peng or left out for particles of solvent 'floor', got {table}"
        )
    check_variation(config)
    if not config.ice.present:
        for each in config.particles:
            if each.solvent not in (None, "none") or each.source == VIRION:
                what = VIRION if each.source == VIRION else f"solvent {each.solvent!r}"
                raise ValueError(
                    f"particle {each.name!r}: {what} does not apply without ice (ice.present)"
                )


def _check_particles(particles: list[ParticleConfig]) -> None:
    """Check names and how many there are."""
    names = [each.name for each in particles]
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
