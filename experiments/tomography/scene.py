"""Rods and virions: their tilt series, as `difftem generate` makes them, and their true volumes."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

import difftem
from difftem.io.mrc import read_mrc
from difftem.scene.assembly import Copies
from difftem.scene.files.coordinates import read_coordinates, write_coordinates_csv
from difftem.scene.poses import ParticlePoses, Scene
from difftem.scene.templates.template import Template
from difftem.scene.virion import sars_cov_2
from difftem.scene.volumes import scene_volumes
from difftem.simulation.config import VIRION
from difftem.simulation.microscope import build_beam
from difftem.simulation.settings import configured
from difftem.simulation.templates import VIRION_SEED, make_template
from difftem.units import um_to_angstrom
from difftem.workflows.generate.config import GenerateConfig
from experiments._base.score_cache import digest
from experiments.tomography.rods import lying_rods, pieces, scene_box

_SIMULATED = (
    *("source", "parts", "phantom", "count", "rods", "size", "pixel_size", "defocus_um", "ice_nm"),
    *("tilts_deg", "dose_e_per_a2", "camera"),
)


@dataclass(frozen=True, eq=False)
class TrueSeries:
    """A tilt series of which everything is known.

    Attributes
    ----------
    folder : Path
        As `difftem generate` has left it, with ``tomograms.star``.
    images : Tensor
        Electrons, ``(n_tilts, y, x)``.
    noise_free : Tensor
        Expected electrons, of the same shape.
    tilts_deg : Tensor
        ``(n_tilts,)``.
    truth : Tensor
        Potential beyond that of ice in V, on the voxels of a reconstruction, ``(z, y, x)``.
    particles : ParticlePoses
        Those whose orientation is looked for; places in Å from voxel n // 2.
    template : Template
        Of these, real.
    pixel_size : float
        Å; of voxels too.
    first_zero : float
        Of the contrast transfer function in 1/Å, without the small part of amplitude contrast.
    """

    folder: Path
    images: Tensor
    noise_free: Tensor
    tilts_deg: Tensor
    truth: Tensor
    particles: ParticlePoses
    template: Template
    pixel_size: float
    first_zero: float


def settings_of(scene: dict[str, Any], config: dict[str, Any], structures: Path) -> dict[str, Any]:
    """Make the settings of `difftem generate` for a scene, but for its seed and where rods lie."""
    particle: dict[str, Any] = {"name": "particle"}
    for key in ("source", "parts"):
        if key in scene:
            file = structures / scene[key]
            particle[key] = str(file.resolve()) if file.is_file() else scene[key]
    for key in ("count", "phantom"):
        if key in scene:
            particle[key] = scene[key]
    first, last, step = config["tilts_deg"]
    return {
        "particles": [particle],
        "ice": {"thickness_nm": scene["ice_nm"]},
        "sampling": {"size": [scene["size"]] * 2, "pixel_size": scene["pixel_size"]},
        "microscope": {"defocus_um": scene["defocus_um"]},
        "exposure": {
            "dose_e_per_a2": config["dose_e_per_a2"],
            "tilts_deg": [float(tilt) for tilt in range(first, last + 1, step)],
        },
        "detector": {"preset": config["camera"]},
    }


def true_series(
    scene: dict[str, Any], config: dict[str, Any], seed: int, structures: Path, runs: Path
) -> TrueSeries:
    """Simulate a series, or read it where it was simulated before, and make its true volume."""
    settings = settings_of(scene, config, structures)
    both = config | scene
    folder = runs / f"series_{digest([both.get(name) for name in _SIMULATED], seed)}"
    if "rods" in scene:
        places = runs / f"{folder.name}.csv"
        runs.mkdir(parents=True, exist_ok=True)
        write_coordinates_csv(places, lying_rods(scene, seed), overwrite=True)
        settings["particles"][0]["coordinates"] = str(places.resolve())
    generated = configured(GenerateConfig, settings | {"seed": seed}, {})
    (item,) = difftem.generate(folder, config=generated).items
    images, noise_free = (
        torch.from_numpy(read_mrc(item / name).data.copy()).float()
        for name in (f"micrograph_{item.name}.mrcs", "noise_free.mrcs")
    )
    (poses,) = read_coordinates(item / "particles.csv")
    template = _real(make_template(generated.particles[0], generated))
    shape = (scene["thickness"], scene["size"], scene["size"])
    box = scene_box(scene)
    truth, _ = scene_volumes(
        Scene((poses,), box), {"particle": template}, shape, scene["pixel_size"]
    )
    particles = poses
    if "rods" in scene:
        particles, template = pieces(poses, template, scene)
    elif scene["source"] == VIRION:
        particles, template = _spikes(poses, generated, scene, structures)
    particles = _inside(particles, scene)
    wavelength = float(build_beam(generated.microscope).wavelength)
    return TrueSeries(
        item,
        images,
        noise_free,
        torch.tensor(generated.exposure.tilts_deg, dtype=torch.float64),
        truth,
        particles,
        template,
        scene["pixel_size"],
        (wavelength * um_to_angstrom(scene["defocus_um"])) ** -0.5,
    )


def _real(template: Template) -> Template:
    """Leave absorption out."""
    return Template(
        template.values.real.float(), template.voxel_size, template.radius, template.center
    )


def _spikes(
    poses: ParticlePoses, config: GenerateConfig, scene: dict[str, Any], structures: Path
) -> tuple[ParticlePoses, Template]:
    """Spikes of all virions, which are copies of one, and their template."""
    density = config.ice.density_g_per_cm3
    generator = torch.Generator().manual_seed(VIRION_SEED)
    virion = sars_cov_2(generator, ice_density_g_per_cm3=density, name=VIRION)
    (standing,) = (part.instances for part in virion.parts if isinstance(part, Copies))
    moved = [
        standing.moved(rotation, place)
        for rotation, place in zip(poses.rotations, poses.positions, strict=True)
    ]
    alone = settings_of(
        {key: value for key, value in scene.items() if key != "parts"}
        | {"source": scene["parts"], "count": 1},
        {"tilts_deg": [0, 0, 1], "dose_e_per_a2": 1.0, "camera": "ideal"},
        structures,
    )
    one = configured(GenerateConfig, alone, {})
    spikes = ParticlePoses(
        standing.particle,
        torch.cat([each.positions for each in moved]),
        torch.cat([each.rotations for each in moved]),
    )
    return spikes, _real(make_template(one.particles[0], one))


def _inside(poses: ParticlePoses, scene: dict[str, Any]) -> ParticlePoses:
    """Those whose surroundings lie in the field and in the volume."""
    radius = scene["particle"]["radius"] + scene["pixel_size"]
    sides = torch.tensor([scene["size"], scene["size"], scene["thickness"]]).double()
    room = scene["pixel_size"] * sides / 2 - radius
    return poses.select((poses.positions.abs() < room).all(1))
