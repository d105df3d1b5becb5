"""The templates of a set as MRC volumes that lie over the files they were made of."""

import csv
import io
import logging
from pathlib import Path

import torch

from difftem.io.files import replacing
from difftem.io.mrc import write_mrc
from difftem.simulation.config import VIRION
from difftem.simulation.copies import read_turned
from difftem.simulation.particle_fields import source_kind
from difftem.simulation.scene_config import ParticleConfig, SceneConfig
from difftem.simulation.templates import make_template
from difftem.workflows.generate.folder import TEMPLATES

TABLE = "templates.csv"


def write_templates(output: Path, config: SceneConfig) -> None:
    """Write the template of each particle, and where in the frame of its source its center is.

    ``templates/<name>.mrc`` holds the potential in V beyond that of the ice. Its origin (header
    words 50 to 52) is where the first voxel lies in the source's coordinates, as ChimeraX reads
    it. A reconstruction of n voxels of p Å from the written poses has its middle, voxel n // 2, at
    the center, which ``templates/templates.csv`` has, too: its origin is center - (n // 2) p.
    Of a particle with rotation_deg the source is to be turned by that first.

    Parameters
    ----------
    output : Path
        Folder of the set; what is there already is kept.
    config : SceneConfig
        Of the set.
    """
    folder = output / TEMPLATES
    if (folder / TABLE).exists():
        return
    folder.mkdir(exist_ok=True)
    before = logging.root.manager.disable
    logging.disable(logging.INFO)  # what the sources hold was said when they were read first
    try:
        _write(folder, config)
    finally:
        logging.disable(before)


def _write(folder: Path, config: SceneConfig) -> None:
    """Write all templates and their table."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    columns = ["particle", "source", "center_x", "center_y", "center_z", "voxel_size", "radius"]
    writer.writerow([*columns, *(f"rotation_{name}_deg" for name in ("phi", "theta", "psi"))])
    for particle in config.particles:
        template = make_template(particle, config)
        center = source_center(particle)
        # The first voxel, from the point that is placed.
        first = [
            at - n // 2 * template.voxel_size - middle
            for at, n, middle in zip(
                center, reversed(template.values.shape), template.center, strict=True
            )
        ]
        write_mrc(
            folder / f"{particle.name}.mrc",
            template.values.real.float().numpy(),
            template.voxel_size,
            ["potential beyond that of the ice, V"],
            overwrite=True,
            is_volume=True,
            origin=(first[0], first[1], first[2]),
        )
        numbers = (*center, template.voxel_size, template.radius, *particle.rotation_deg)
        source = Path(particle.source).name
        writer.writerow([particle.name, source, *(f"{value:.9g}" for value in numbers)])
    with replacing(folder / TABLE, overwrite=True) as temporary:  # last: it says all are there
        temporary.write_text(text.getvalue(), encoding="utf-8")


def source_center(particle: ParticleConfig) -> tuple[float, float, float]:  # Å
    """Find the point of a particle's source, once that is turned, that is placed in scenes."""
    if source_kind(particle.source) != "a structure" or particle.source == VIRION:
        return 0.0, 0.0, 0.0
    low, high = read_turned(particle.structure(), particle.rotation_deg).bounds()
    x, y, z = ((low + high) / 2).to(torch.float64).tolist()
    return x, y, z
