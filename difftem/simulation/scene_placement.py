"""From the configuration and chance to a scene: where every copy is and how it is turned."""

import dataclasses
import logging
import math
from collections.abc import Mapping

import torch
from torch import Tensor

from difftem.scene.files.coordinates import read_coordinates
from difftem.scene.neighbours import outside
from difftem.scene.orientations import Preference, orientations
from difftem.scene.packing import PackingRequest, number_of_copies, pack
from difftem.scene.poses import ParticlePoses, Scene
from difftem.scene.regions import BoxRegion, FilmRegion, Region, layer
from difftem.simulation.scene_config import ParticleConfig, SceneConfig
from difftem.simulation.stage import SPREADS, stage_reach
from difftem.units import angstrom_to_nm, nm_to_angstrom

logger = logging.getLogger(__name__)

ICE_MARGIN = 50.0  # Å on either side of the thickest particle, where no thickness is given


def ice_thickness(config: SceneConfig, radii: Mapping[str, float]) -> float:  # Å
    """Thickness of the ice in Å, as configured or as the largest particle needs it."""
    if config.ice.thickness_nm is not None:
        return nm_to_angstrom(config.ice.thickness_nm)
    return 2 * (max(radii.values(), default=0.0) + ICE_MARGIN)


def read_places(config: SceneConfig) -> dict[str, tuple[ParticlePoses, ...]]:
    """Read the coordinate files of a scene, by name of the particle; random ones are not in it."""
    nx, ny = config.sampling.size
    names = {particle.name for particle in config.particles}
    given = {}
    for particle in config.particles:
        if particle.coordinates is not None:
            read = read_coordinates(
                particle.coordinates,
                particle=particle.name,
                pixel_size=config.sampling.pixel_size,
                shape=(ny, nx),
                image=particle.image,
                coordinates_pixel_size=particle.coordinates_pixel_size,
                tomogram_size=particle.tomogram_size,
            )
            # A file that names particles of this scene means its rows; another one means all.
            own = [each for each in read if each.particle == particle.name]
            if not own and names & {each.particle for each in read}:
                raise ValueError(
                    f"{particle.coordinates}: has no {particle.name!r}, only "
                    f"{', '.join(each.particle for each in read)}"
                )
            given[particle.name] = tuple(
                ParticlePoses(particle.name, each.positions, each.rotations) for each in own or read
            )
    return given


def place_particles(
    config: SceneConfig,
    radii: Mapping[str, float],
    thickness: float,  # Å
    given: Mapping[str, tuple[ParticlePoses, ...]],
    generator: torch.Generator,
) -> Scene:
    """Put every particle where its coordinates (`read_places`), or chance, put it.

    `radii` are those of bounding spheres in Å, the scene's origin is the middle of the field. A
    ValueError says how many fit, if not all do.
    """
    width, height = (n * config.sampling.pixel_size for n in config.sampling.size)
    region = _region(config, width, height, thickness)
    share = region.size / (width * height * thickness) if isinstance(region, BoxRegion) else 1.0
    instances: list[ParticlePoses] = []
    obstacles: list[tuple[Tensor, float]] = []
    requests, random = [], []
    for particle in config.particles:
        radius = radii[particle.name]
        if particle.name in given:
            instances.extend(given[particle.name])
            obstacles.extend((each.positions, radius) for each in given[particle.name])
            continue
        requests.append(
            PackingRequest(region, radius, _number(particle, region, radius, share), particle.name)
        )
        random.append(particle)
    places = pack(requests, generator, nm_to_angstrom(config.ice.gap_nm), obstacles)
    for particle, positions in zip(random, places, strict=True):
        preference = Preference(**dataclasses.asdict(particle.preferred))
        turned = orientations(
            len(positions), particle.orientations, generator, preference=preference
        )
        instances.append(ParticlePoses(particle.name, positions.double(), turned.double()))
    scene = Scene(tuple(instances), (width, height, thickness))
    if obstacles:
        _warn(scene, radii, (width, height), config.ice.present)
    return scene


def numbers_of_copies(
    config: SceneConfig,
    radii: Mapping[str, float],
    thickness: float,  # Å
    given: Mapping[str, tuple[ParticlePoses, ...]],
) -> dict[str, int]:
    """Count the copies that `place_particles` would place in ice of a thickness in Å."""
    width, height = (n * config.sampling.pixel_size for n in config.sampling.size)
    region = _region(config, width, height, thickness)
    share = region.size / (width * height * thickness) if isinstance(region, BoxRegion) else 1.0
    numbers = {}
    for particle in config.particles:
        if particle.name in given:
            numbers[particle.name] = sum(len(each.positions) for each in given[particle.name])
        else:
            numbers[particle.name] = _number(particle, region, radii[particle.name], share)
    return numbers


def _region(config: SceneConfig, width: float, height: float, thickness: float) -> Region:
    """Where random copies go: the ice of a hole, or what the tilts show of an even film."""
    ice = config.ice
    if ice.hole_diameter_nm is None:
        steepest = max(abs(tilt) for tilt in config.exposure.tilts_deg)
        steepest = math.radians(min(85.0, steepest + SPREADS * config.stage.tilt_error_deg))
        axis = math.radians(config.exposure.tilt_axis_deg)
        reach = stage_reach(config, width, height)
        width, height = width + 2 * reach, height + 2 * reach
        along_x, along_y = abs(math.sin(axis)), abs(math.cos(axis))  # across the tilt axis
        across = along_x * width + along_y * height
        seen = (across + thickness * math.sin(steepest)) / math.cos(steepest)
        width, height = width + along_x * (seen - across), height + along_y * (seen - across)
        return layer(width, height, thickness, cut_at_edges=ice.cut_at_edges is not False)
    edge = thickness if ice.edge_thickness_nm is None else nm_to_angstrom(ice.edge_thickness_nm)
    return FilmRegion(nm_to_angstrom(ice.hole_diameter_nm), thickness, edge)


def _number(particle: ParticleConfig, region: Region, radius: float, share: float) -> int:
    """How many copies of a particle are wanted, at least one; `check` saw that there is a wish."""
    if particle.count is not None:
        return max(1, round(particle.count * share))
    if particle.fraction is not None:
        return max(1, number_of_copies(region, fraction=particle.fraction, radius=radius))
    return max(
        1, number_of_copies(region, per_um3=particle.per_um3, micromolar=particle.micromolar)
    )


def _warn(
    scene: Scene,
    radii: Mapping[str, float],
    field: tuple[float, float],
    in_ice: bool,
) -> None:
    """Count the copies that a file put on top of each other or outside."""
    overlapping = scene.overlaps(dict(radii))
    if overlapping:
        logger.warning("pairs of particles that overlap: %d", overlapping)
    sizes = scene.radii(dict(radii))
    beyond = outside(scene.positions(), sizes, (*field, math.inf))
    if beyond.entirely:
        logger.warning("particles outside the field, which are not seen: %d", beyond.entirely)
    deep = scene.positions()[:, 2].abs() + sizes > scene.box[2] / 2 + 1.0
    if in_ice and bool(deep.any()):
        logger.warning(
            "particles that reach out of the ice of %.0f nm: %d",
            angstrom_to_nm(scene.box[2]),
            int(deep.sum()),
        )
