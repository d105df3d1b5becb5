"""Clean micrographs of the held-out kinds, made once by the simulator and kept."""

import math
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from difftem.functional.pose import rotation_from_euler
from difftem.scene.files.coordinates import write_coordinates_csv
from difftem.scene.poses import ParticlePoses, Scene
from difftem.simulation.scene_config import SceneConfig
from difftem.simulation.scene_microscope import SceneMicroscope
from difftem.simulation.settings import configured
from experiments._base.score_cache import digest

VERSION = 1  # of `make_image`: another one makes all scenes anew
_SHAPING = ("arrangement", "phantom", "rod_gap", "rod_radius", "rod_period")  # keys that count


@dataclass(frozen=True)
class CleanScene:
    """What is in a micrograph and how it is imaged; pixel size in Å."""

    kind: str
    source: str
    pixel_size: float
    defocus_um: float
    ice_nm: float
    number: int  # of particles, or of rods
    size: int
    seed: int
    camera: str

    @property
    def name(self) -> str:
        """In tables."""
        return f"{self.kind} {self.pixel_size:g} Å"


def scenes(config: dict[str, Any], structures: Path) -> list[CleanScene]:
    """All scenes of kinds whose files are there, or of what stands in for them."""
    return [
        CleanScene(
            kind,
            source,
            one["pixel_size"],
            one["defocus_um"],
            one["ice_nm"],
            one["rods" if config["kinds"][kind]["arrangement"] == "rods" else "copies"],
            config["size"],
            config["scene_seed"] + number,
            config["cameras"][(number + row) % len(config["cameras"])],
        )
        for row, (kind, source) in enumerate(found_kinds(config, structures).items())
        for number, one in enumerate(config["scenes"])
    ]


def found_kinds(config: dict[str, Any], structures: Path) -> dict[str, str]:
    """File of each wanted kind that is there; of what stands in, where one is missing."""
    names = {kind: config["kinds"][kind]["file"] for kind in config["kinds_wanted"]}
    found = {
        kind: str((structures / file).resolve())
        for kind, file in names.items()
        if (structures / file).is_file()
    }
    if len(found) == len(names):
        return found
    return found | {kind: config["kinds"][kind]["file"] for kind in config["absent"]}


def clean_image(
    scene: CleanScene, config: dict[str, Any], folder: Path
) -> tuple[Tensor, str]:  # (y, x), key
    """Noise-free intensity over its mean, from a file if it was made before."""
    shown = asdict(scene) | {"source": Path(scene.source).name}
    del shown["camera"]  # comes later
    key = digest(shown, [config.get(name) for name in _SHAPING], VERSION)
    path = folder / f"{scene.name.replace(' ', '_')}_{key}.npy"
    if not path.is_file():
        folder.mkdir(parents=True, exist_ok=True)
        np.save(path, make_image(scene, config, folder).numpy())
    return torch.from_numpy(np.load(path)), key


def make_image(scene: CleanScene, config: dict[str, Any], folder: Path) -> Tensor:  # (y, x)
    """Simulate a scene without noise and without a camera."""
    particle: dict[str, Any] = {"name": "particle", "source": scene.source}
    if config["arrangement"] == "rods":
        path = folder / f"rods_{scene.seed}_{scene.pixel_size:g}.csv"
        write_coordinates_csv(path, rods(scene, config), overwrite=True)
        particle["coordinates"] = str(path)
    else:
        particle["count"] = scene.number
    if scene.source == "phantom":
        particle["phantom"] = config["phantom"]
    configuration = configured(
        SceneConfig,
        {
            "particles": [particle],
            "ice": {"thickness_nm": scene.ice_nm},
            "sampling": {"size": [scene.size, scene.size], "pixel_size": scene.pixel_size},
            "microscope": {"defocus_um": scene.defocus_um},
            "exposure": {"dose_e_per_pixel": 1.0},
            "detector": {"preset": "ideal"},
            "seed": scene.seed,
        },
        {},
    )
    image = SceneMicroscope(configuration).take(0).noise_free[0]
    return (image / image.mean()).float()


def rods(scene: CleanScene, config: dict[str, Any]) -> Scene:
    """Straight rods through the field, made of segments end to end, that do not touch."""
    generator = torch.Generator().manual_seed(scene.seed)
    side = scene.size * scene.pixel_size
    apart = 2 * config["rod_radius"] + config["rod_gap"]
    lines: list[tuple[Tensor, Tensor]] = []
    for _ in range(10_000):
        angle, turn, x, y = torch.rand(4, generator=generator).tolist()
        angle = math.pi * angle
        along = torch.tensor([math.cos(angle), math.sin(angle)])
        middle = side * (torch.tensor([x, y]) - 0.5)
        points = middle + torch.arange(-1.0, 1.0, 0.02)[:, None] * 1.5 * side * along
        points = points[(points.abs() < side / 2).all(1)]
        clear = all(float(torch.cdist(points, other).min()) > apart for other, _ in lines)
        if len(points) > 5 and clear:
            lines.append((points, torch.tensor([angle, 2 * math.pi * turn])))
        if len(lines) == scene.number:
            break
    places, turns = [], []
    for points, (angle, turn) in lines:
        along = torch.stack([torch.cos(angle), torch.sin(angle)])
        steps = torch.arange(-1.5 * side, 1.5 * side, config["rod_period"])
        segments = points.mean(0) + steps[:, None] * along
        segments = segments[(segments.abs() < side / 2 + 2 * config["rod_radius"]).all(1)]
        places.append(torch.cat([segments, torch.zeros(len(segments), 1)], 1))
        turns.append(_lying(angle, turn).expand(len(segments), 3, 3))
    poses = ParticlePoses("particle", torch.cat(places).double(), torch.cat(turns).double())
    return Scene((poses,), (side, side, 10 * scene.ice_nm))


def _lying(angle: Tensor, turn: Tensor) -> Tensor:  # (3, 3)
    """Rotation that lays the z axis along a direction of the image, after a turn about itself."""
    quarter = torch.tensor(math.pi / 2)
    return rotation_from_euler(torch.stack([turn, quarter, angle + quarter]).double())
