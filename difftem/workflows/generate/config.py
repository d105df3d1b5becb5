"""What `generate` can be told beside the scene."""

from dataclasses import dataclass

from difftem.simulation.config import Accelerator
from difftem.simulation.scene_config import SceneConfig


@dataclass(frozen=True)
class GenerateConfig(SceneConfig):
    """Many micrographs of scenes.

    Parameters
    ----------
    particles
        Kinds of particles.
    ice
        Vitreous ice around the particles.
    sampling
        Pixels and slices of the field.
    microscope
        Beam and objective lens.
    exposure
        Dose and tilts.
    stage
        Errors of the stage in a tilt series.
    detector
        Camera.
    variation
        What changes from micrograph to micrograph.
    seed
        Seed of all random numbers: micrograph i is the same whatever else is made.
    cache
        Folder for particle templates. Default: $DIFFTEM_CACHE or ~/.cache/difftem.
    micrographs
        Number of micrographs, or of tilt series; those that the output folder has are kept.
    accelerator
        Device that computes the images, 'cpu' or 'cuda'.
    devices
        Processes that share the work on this machine, one GPU each with 'cuda'.
    num_nodes
        Machines that share the work, started as Lightning expects (SLURM, torchrun).
    threads
        CPU threads of each process; the last bits of a micrograph depend on it. Default: those
        that the output folder's set was begun with, or the cores divided by devices.
    """

    micrographs: int = 1
    accelerator: Accelerator = "cpu"
    devices: int = 1
    num_nodes: int = 1
    threads: int | None = None
