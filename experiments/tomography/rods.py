"""Rods of segments end to end, and the pieces of them whose direction is looked for."""

import math
from typing import Any

import torch
from torch import Tensor

from difftem.functional.pose import rotation_from_euler
from difftem.scene.poses import ParticlePoses, Scene
from difftem.scene.templates.template import Template
from difftem.scene.volumes import scene_volumes
from difftem.units import nm_to_angstrom

_WIDER = 1.6  # of the field: rods that tilts bring into view
_TRIES = 20_000


def lying_rods(scene: dict[str, Any], seed: int) -> Scene:
    """Straight rods, segments end to end, that rise out of the plane and do not touch."""
    rods = scene["rods"]
    generator = torch.Generator().manual_seed(seed)
    width, height, depth = scene_box(scene)
    box = torch.tensor([_WIDER * width, height, depth - 2 * rods["radius"]], dtype=torch.float64)
    steps = rods["period"] * (torch.arange(rods["segments"]) - (rods["segments"] - 1) / 2).double()
    lines: list[Tensor] = []
    turns: list[Tensor] = []
    for _ in range(_TRIES):
        shares = torch.rand(6, generator=generator, dtype=torch.float64)
        azimuth, turn = 2 * math.pi * shares[:2]
        rise = math.radians(rods["rising_deg"]) * (2 * shares[2] - 1)
        rotation = rotation_from_euler(
            torch.stack([turn, math.pi / 2 - rise, azimuth + math.pi / 2])
        )
        line = box * (shares[3:] - 0.5) + steps[:, None] * rotation[:, 2]
        ends = line[:, 2].abs().max() + rods["period"] / 2 * abs(float(rise.sin()))
        apart = 2 * rods["radius"] + rods["gap"]
        clear = all(float(torch.cdist(line, other).min()) > apart for other in lines)
        if 2 * float(ends) < float(box[2]) and clear:
            lines.append(line)
            turns.append(rotation.expand(len(line), 3, 3))
        if len(lines) == rods["number"]:
            break
    else:
        raise ValueError(f"only {len(lines)} of {rods['number']} rods lie free")
    poses = ParticlePoses("particle", torch.cat(lines), torch.cat(turns))
    return Scene((poses,), (width, height, depth))


def pieces(
    poses: ParticlePoses, template: Template, scene: dict[str, Any]
) -> tuple[ParticlePoses, Template]:
    """Take pieces of rods around every so many segments, and a template as long as they are.

    Parameters
    ----------
    poses : ParticlePoses
        Of all segments, as `lying_rods` has them.
    template : Template
        Of one.
    scene : dict
        Of the configuration.
    """
    number, segments = scene["particle"]["segments"], scene["rods"]["segments"]
    first = torch.arange(number // 2, segments - number // 2, number)
    which = (torch.arange(0, len(poses), segments)[:, None] + first).flatten()
    period = scene["rods"]["period"]
    along = period * (torch.arange(number) - number // 2).double()
    piece = ParticlePoses(
        "particle",
        torch.stack([0 * along, 0 * along, along], 1),
        torch.eye(3, dtype=torch.float64).expand(number, 3, 3),
    )
    reach = number * period / 2 + template.radius
    n = 2 * math.ceil(reach / template.voxel_size)
    whole, _ = scene_volumes(
        Scene((piece,), (2 * reach,) * 3),
        {"particle": template},
        (n, n, n),
        template.voxel_size,
    )
    return poses.select(which), Template(whole, template.voxel_size, reach)


def scene_box(scene: dict[str, Any]) -> tuple[float, float, float]:
    """Width, height and depth of a scene in Å."""
    side = scene["size"] * scene["pixel_size"]
    return side, side, nm_to_angstrom(scene["ice_nm"])
