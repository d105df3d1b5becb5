"""The setting: clean scenes of virus fragments, made once, and exposures of them."""

import math
from pathlib import Path
from typing import Any

import numpy as np
import torch
import yaml
from torch import Tensor

from difftem.functional.pose import rotation_from_euler
from difftem.io.errors import InputError
from difftem.modules import LorentzianMTF
from difftem.scene.files.coordinates import write_coordinates_csv
from difftem.scene.poses import ParticlePoses, Scene
from difftem.scene.synthetic.draw import Draw
from difftem.simulation.scene_config import SceneConfig
from difftem.simulation.scene_microscope import SceneMicroscope
from difftem.simulation.settings import configured
from experiments._base.score_cache import digest
from experiments._base.truth_scores import Exposed

HERE = Path(__file__).parent
VERSION = 1  # of `make_image`: another one makes all scenes anew
_QUARTER = math.pi / 2


def setting() -> dict[str, Any]:
    """Specimen, microscope and camera."""
    found: dict[str, Any] = yaml.safe_load((HERE / "config.yaml").read_text("utf-8"))
    return found["setting"]


def clean_scene(
    structures: Path, folder: Path, seed: int | None = None
) -> tuple[Tensor, str]:  # (y, x) intensity over its mean, key
    """Make a scene of the setting, or read it; without a seed the one that is scored."""
    chosen = setting()
    source = structures / chosen["structure"]
    if not source.is_file():
        raise InputError(
            f"{structures}: no {chosen['structure']} (PDB): name its folder by --structures"
        )
    shaping = {k: v for k, v in chosen.items() if k not in ("contrast", "mtf")}
    key = digest(shaping, seed, VERSION)
    path = folder / f"scene_{'scored' if seed is None else seed}_{key}.npy"
    if not path.is_file():
        folder.mkdir(parents=True, exist_ok=True)
        np.save(path, make_image(source.resolve(), seed, folder).numpy())
    image = torch.from_numpy(np.load(path))
    return 1 + chosen["contrast"] * (image - 1), digest(key, chosen["contrast"], chosen["mtf"])


def make_image(source: Path, seed: int | None, folder: Path) -> Tensor:  # (y, x)
    """Simulate a scene without noise and without a camera, its mean 1."""
    chosen = setting()
    path = folder / f"fragments_{'scored' if seed is None else seed}.csv"
    write_coordinates_csv(path, fragments(seed), overwrite=True)
    particle = {"name": "particle", "source": str(source), "coordinates": str(path)}
    configuration = configured(
        SceneConfig,
        {
            "particles": [particle],
            "ice": {"thickness_nm": chosen["ice_nm"]},
            "sampling": {"size": [chosen["size"]] * 2, "pixel_size": chosen["pixel_size"]},
            "microscope": chosen["microscope"],
            "exposure": {"dose_e_per_pixel": 1.0},
            "detector": {"preset": "ideal"},
            "seed": 0,
        },
        {},
    )
    image = SceneMicroscope(configuration).take(0).noise_free[0]
    return (image / image.mean()).float()


def fragments(seed: int | None) -> Scene:
    """Place fragments as the paper's file does, or at random: upright, lying, or any way."""
    chosen = setting()
    side, number = chosen["size"] * chosen["pixel_size"], len(chosen["places_nm"])
    if seed is None:
        places = 10 * torch.tensor(chosen["places_nm"], dtype=torch.float64)
        angles = torch.tensor(chosen["euler_deg"], dtype=torch.float64).deg2rad()
    else:
        draw = Draw(torch.Generator().manual_seed(seed))
        room = side / 2 - 10 * chosen["margin_nm"]
        points: list[Tensor] = []
        while len(points) < number:
            point = torch.tensor([draw.uniform(-room, room) for _ in range(2)])
            if all(float((point - each).norm()) > 10 * chosen["apart_nm"] for each in points):
                points.append(point)
        places = torch.cat([torch.stack(points).double(), torch.zeros(number, 1)], 1)
        angles = torch.tensor([_orientation(draw) for _ in range(number)], dtype=torch.float64)
    poses = ParticlePoses("particle", places.double(), rotation_from_euler(angles))
    return Scene((poses,), (side, side, 10 * chosen["ice_nm"]))


def _orientation(draw: Draw) -> list[float]:
    """Euler angles of a fragment whose axis is the beam's, across it, or neither."""
    first, last = (draw.uniform(0, 2 * math.pi) for _ in range(2))
    tilt = draw.choice([0.0, _QUARTER, math.acos(draw.uniform(-1, 1))])
    return [first, tilt, last]


def electrons_per_pixel(dose_e_per_nm2: float) -> float:
    """Of one projection."""
    return dose_e_per_nm2 * (setting()["pixel_size"] / 10) ** 2


def expose(
    clean: Tensor,  # (y, x)
    electrons: float,
    projections: int,
    seed: int,
) -> Exposed:
    """Count electrons in projections, and whiten: the camera blurs counts, and whitening undoes it.

    The truth is the whitened signal of one projection; scores are taken behind the camera's blur.
    """
    generator = torch.Generator().manual_seed(seed)
    root = math.sqrt(electrons)
    rate = (electrons * clean.clamp(min=0.0)).expand(projections, -1, -1)
    counts = torch.poisson(rate, generator=generator)
    chosen = setting()
    blur = LorentzianMTF(**chosen["mtf"]).transfer((clean.shape[-2], clean.shape[-1]), clean)
    return Exposed(
        (counts - electrons) / root,
        electrons,
        (clean - 1) * root,
        chosen["pixel_size"],
        blur.detach(),
    )
