"""Files of truth that are written where `truth` asks for them."""

import logging
from pathlib import Path

import torch
from torch import Tensor

from difftem.io.mrc import write_mrc
from difftem.scene.files.cryolo import write_cbox
from difftem.scene.files.eman_box import write_eman_box
from difftem.scene.files.relion_picks import SUFFIX, write_relion_picks
from difftem.scene.files.relion_stack import write_relion_stack
from difftem.scene.files.topaz import write_topaz
from difftem.scene.volumes import scene_volumes
from difftem.simulation.truth_config import TruthConfig
from difftem.workflows.truth.imaged_scene import ImagedScene, stack_name
from difftem.workflows.truth.write_truth import write_labels

logger = logging.getLogger(__name__)

# What `simulate` may write.
ON_DEMAND = (
    *(f"micrograph{suffix}" for suffix in (SUFFIX, ".box", ".txt", ".cbox")),
    *("particle_stack.mrcs", "particle_stack.star", "instances.mrc", "instances.mrcs"),
    *("volume.mrc", "volume_labels.mrc"),
)
MARGIN = 1.5  # boxes, in diameters of the largest particle
MAX_VOXELS = 2**26  # of a volume whose voxels are not given


def write_on_demand(
    folder: Path,
    made: ImagedScene,
    image: str,
    micrograph: Tensor,
    wanted: TruthConfig,
    inside: str = "",
) -> None:
    """Write what a configuration asks for besides the tables.

    Parameters
    ----------
    folder : Path
        Where to; the tables are there.
    made : ImagedScene
        What is known.
    image : str
        Name of the file of images.
    micrograph : Tensor
        The first image, ``(y, x)``.
    wanted : TruthConfig
        What is asked for.
    inside : str
        As of `write_truth`.
    """
    if wanted.instances:
        write_labels(folder / stack_name("instances", made.tilts_deg), made, instances=True)
    if wanted.volumes:
        _write_volumes(folder, made, wanted)
    if not made.is_series:
        _write_picks(folder, made, Path(image).stem, wanted)
        if wanted.particle_stacks:
            size, particles = box_size(made, wanted), folder / "particles.star"
            stack = Path(image).stem.replace("micrograph", "particles")
            stack = stack if stack != "particles" else "particle_stack"
            if not write_relion_stack(folder, stack, inside, particles, micrograph, size):
                logger.warning(
                    "%s: no particle's box of %d pixels lies in the image: no particle stack",
                    image,
                    size,
                )


def box_size(made: ImagedScene, wanted: TruthConfig) -> int:
    """Side of boxes in pixels: as configured, or 1.5 diameters of the largest particle, even."""
    if wanted.box_size is not None:
        return wanted.box_size
    diameter = 2 * max(made.radii.values(), default=0.0) / made.pixel_size
    return max(2, 2 * round(MARGIN * diameter / 2))


def _write_picks(folder: Path, made: ImagedScene, stem: str, wanted: TruthConfig) -> None:
    """Write coordinates of the copies whose centre the image shows, for each picker asked for."""
    ny, nx = made.shape
    pixels = made.seen(0)[:, :2] / made.pixel_size + torch.tensor([nx // 2, ny // 2])
    last = torch.tensor([nx - 1, ny - 1])
    shown = ((pixels >= 0) & (pixels <= last)).all(1)
    pixels, size = pixels[shown], box_size(made, wanted)
    for picker in wanted.pickers:
        if picker == "relion":
            write_relion_picks(folder / f"{stem}{SUFFIX}", pixels)
        elif picker == "eman":
            write_eman_box(folder / f"{stem}.box", pixels, size)
        elif picker == "topaz":
            write_topaz(folder / f"{stem}.txt", stem, pixels)
        else:
            diameters = 2 * made.scene.radii(made.radii)[shown] / made.pixel_size
            write_cbox(folder / f"{stem}.cbox", pixels, size, diameters)


def _write_volumes(folder: Path, made: ImagedScene, wanted: TruthConfig) -> None:
    """Write density and labels of the sample at no tilt."""
    voxel_size = wanted.volume_voxel_size or _voxel_size(made)
    shape = _shape(made, voxel_size)
    density, owner = scene_volumes(made.scene, made.templates, shape, voxel_size)
    kinds = torch.cat([torch.zeros(1, dtype=torch.int64), made.scene.types() + 1]).int()
    number = owner if wanted.instances else kinds[owner.long()]
    what = "i = row i of particles.csv" if wanted.instances else "i = particle i of labels.mrc"
    volumes = (("volume", density, "potential beyond that of the ice, V"),
               ("volume_labels", number, f"0 = ice, {what}"))  # fmt: skip
    for name, values, label in volumes:
        first = [-(n // 2) * voxel_size for n in reversed(shape)]
        write_mrc(
            folder / f"{name}.mrc",
            values.float().numpy(),
            voxel_size,
            [label],
            is_volume=True,
            origin=(first[0], first[1], first[2]),
        )


def _voxel_size(made: ImagedScene) -> float:  # Å
    """Choose the pixel, or the least multiple of it that keeps the volume small."""
    times = 1
    while True:
        nz, ny, nx = _shape(made, times * made.pixel_size)
        if nz * ny * nx <= MAX_VOXELS:
            return times * made.pixel_size
        times += 1


def _shape(made: ImagedScene, voxel_size: float) -> tuple[int, int, int]:  # (z, y, x)
    """Of the volume that holds the scene's box: even, so that its middle is one of a voxel."""
    x, y, z = (max(2, 2 * round(side / voxel_size / 2)) for side in made.scene.box)
    return z, y, x
