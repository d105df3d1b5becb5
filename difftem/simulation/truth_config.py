"""What files of truth can be asked for: the same for `simulate` and `generate`."""

from dataclasses import dataclass, field
from typing import Literal

Picker = Literal["relion", "eman", "topaz", "cryolo"]


@dataclass(frozen=True)
class TruthConfig:
    """Files of truth that are written besides the tables and the label images.

    Parameters
    ----------
    pickers
        Coordinates in the formats of particle pickers, any of 'relion' (_truth.star), 'eman'
        (.box), 'topaz' (.txt) and 'cryolo' (.cbox); of particles whose centre is in the image. Not
        for tilt series. Default: none.
    particle_stacks
        Cut the particles out of each micrograph, grey values as they are, into a stack (.mrcs)
        with a STAR file. Not for tilt series.
    box_size
        Side in pixels of pickers' boxes and of cut-out particles. Default: 1.5 times the diameter
        of the largest particle.
    instances
        Write instances.mrc, too: label images in which each particle has a number of its own,
        that of its row in particles.csv; in the label volume as well.
    volumes
        Write the sample at no tilt as volumes: volume.mrc, the potential in V beyond that of the
        ice, and volume_labels.mrc.
    volume_voxel_size
        Voxel size of these volumes in Å. Default: the pixel size, or the least multiple of it with
        which a volume has no more than 67 million voxels.
    """

    pickers: list[Picker] = field(default_factory=list)
    particle_stacks: bool = False
    box_size: int | None = None
    instances: bool = False
    volumes: bool = False
    volume_voxel_size: float | None = None
