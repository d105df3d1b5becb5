"""From the configuration and chance to a scene: where every copy is and how it is turned."""

import math
from collections.abc import Callable, Mapping
from pathlib import Path

import torch
from torch import Tensor

from difftem.cli.scene.config import ParticleConfig, SceneConfig
from difftem.cli.simulate.specimen import locate
from difftem.data.scene.coordinates import read_coordinates
from difftem.data.scene.instances import Instances, Scene
from difftem.data.scene.neighbours import outside
from difftem.data.scene.orientations import orientations
from difftem.data.scene.packing import Fill, number_of_copies, pack
from difftem.data.scene.regions import IceFilm, Region, layer
from difftem.units import angstrom_to_nm, nm_to_angstrom

ICE_MARGIN = 50.0  # Å on either side of the thickest particle, where no thickness is given
DENSITIES = ("per_um3", "micromolar", "fraction")


def ice_thickness(config: SceneConfig, radii: Mapping[str, float]) -> float:  # Å
    """Thickness of the ice in Å, as configured or as the largest particle needs it."""
    if config.ice.thickness_nm is not None:
        return nm_to_angstrom(config.ice.thickness_nm)
    return 2 * (max(radii.values(), default=0.0) + ICE_MARGIN)


def place_particles(
    config: SceneConfig,
    radii: Mapping[str, float],
    thickness: float,  # Å
    folders: list[Path],
    generator: torch.Generator,
    say: Callable[[str], None],
) -> Scene:
    """Put every particle where its coordinates, or chance, put it.

    Parameters
    ----------
    config : SceneConfig
        Its particles, ice and sampling are used.
    radii : mapping of str to float
        Of the particles' bounding spheres in Å.
    thickness : float
        Of the ice in Å.
    folders : list of Path
        Where to look for coordinate files.
    generator : torch.Generator
        Source of randomness.
    say : callable
        Told in one line of copies that overlap or lie outside.

    Returns
    -------
    Scene
        In the field's frame, its origin in the middle.

    Raises
    ------
    ValueError
        If the particles do not fit, with the number that did.
    """
    width, height = (n * config.sampling.pixel_size for n in config.sampling.size)
    region = _region(config, width, height, thickness)
    given: list[Instances] = []
    obstacles: list[tuple[Tensor, float]] = []
    fills, random = [], []
    for particle in config.particles:
        radius = radii[particle.name]
        if particle.coordinates is not None:
            read = _from_file(particle, config, folders)
            given.extend(read)
            obstacles.extend((each.positions, radius) for each in read)
            continue
        fills.append(Fill(region, radius, _number(particle, region, radius), particle.name))
        random.append(particle)
    places = pack(fills, generator, nm_to_angstrom(config.ice.gap_nm), obstacles)
    for particle, positions in zip(random, places, strict=True):
        turned = orientations(len(positions), particle.orientations, generator)
        given.append(Instances(particle.name, positions.double(), turned.double()))
    scene = Scene(tuple(given), (width, height, thickness))
    if obstacles:
        _warn(scene, radii, (width, height), say)
    return scene


def _region(config: SceneConfig, width: float, height: float, thickness: float) -> Region:
    """Where random copies go: the ice of a hole, or the field's part of an even film."""
    ice = config.ice
    if ice.hole_diameter_nm is None:
        return layer(width, height, thickness, cut_at_edges=ice.cut_at_edges)
    edge = thickness if ice.edge_thickness_nm is None else nm_to_angstrom(ice.edge_thickness_nm)
    return IceFilm(nm_to_angstrom(ice.hole_diameter_nm), thickness, edge)


def _number(particle: ParticleConfig, region: Region, radius: float) -> int:
    """How many copies of a particle are wanted."""
    densities = {name: getattr(particle, name) for name in DENSITIES}
    chosen = {name: value for name, value in densities.items() if value is not None}
    if len(chosen) + (particle.count is not None) != 1:
        raise ValueError(
            f"particle {particle.name!r}: give exactly one of count, {', '.join(DENSITIES)} and "
            "coordinates"
        )
    if particle.count is not None:
        if particle.count < 1:
            raise ValueError(f"particle {particle.name!r}: count must be at least 1")
        return particle.count
    ((name, value),) = chosen.items()
    if not (math.isfinite(value) and value > 0):
        raise ValueError(f"particle {particle.name!r}: {name} must be positive, got {value}")
    if name == "fraction":
        return max(1, number_of_copies(region, fraction=value, radius=radius))
    if name == "per_um3":
        return max(1, number_of_copies(region, per_um3=value))
    return max(1, number_of_copies(region, micromolar=value))


def _from_file(
    particle: ParticleConfig, config: SceneConfig, folders: list[Path]
) -> tuple[Instances, ...]:
    """Read the copies of a coordinate file; all are this particle."""
    nx, ny = config.sampling.size
    read = read_coordinates(
        locate(str(particle.coordinates), folders),
        particle=particle.name,
        pixel_size=config.sampling.pixel_size,
        shape=(ny, nx),
    )
    return tuple(Instances(particle.name, each.positions, each.rotations) for each in read)


def _warn(
    scene: Scene,
    radii: Mapping[str, float],
    field: tuple[float, float],
    say: Callable[[str], None],
) -> None:
    """Count the copies that a file put on top of each other or outside."""
    overlapping = scene.overlaps(dict(radii))
    if overlapping:
        say(f"warning: {overlapping} pairs of particles overlap")
    sizes = scene.radii(dict(radii))
    beyond = outside(scene.positions(), sizes, (*field, math.inf))
    if beyond.entirely:
        say(f"warning: {beyond.entirely} particles lie outside the field and are not seen")
    deep = scene.positions()[:, 2].abs() + sizes > scene.box[2] / 2 + 1.0
    if bool(deep.any()):
        say(
            f"warning: {int(deep.sum())} particles reach out of the ice of "
            f"{angstrom_to_nm(scene.box[2]):.0f} nm"
        )
