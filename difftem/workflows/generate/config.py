"""What `difftem generate` can be told beside the scene."""

from dataclasses import dataclass

from difftem.simulation.device import Accelerator
from difftem.simulation.scene_config import SceneConfig


@dataclass(frozen=True)
class GenerateConfig(SceneConfig):
    """Many micrographs of scenes.

    Parameters
    ----------
    particles
        Kinds of particles.
    ice
        Around them.
    sampling
        Pixels and slices.
    microscope
        Beam and lens.
    exposure
        Tilts and dose; the dose is that of each tilt.
    stage
        Errors of the tilts.
    detector
        Camera.
    variation
        What differs between micrographs.
    seed
        Of all random numbers: micrograph i is the same whatever else is made.
    cache
        Folder for particle templates. Default: $DIFFTEM_CACHE or ~/.cache/difftem.
    micrographs
        How many; those that the output folder has are kept.
    accelerator
        What computes: 'cpu' or 'cuda'.
    devices
        Processes that share the work on this machine, one GPU each with 'cuda'.
    num_nodes
        Machines that share it, started as Lightning's Trainer expects (SLURM, torchrun).
    threads
        CPU threads of each process; the last bits of a micrograph depend on it. Default: those
        that the output folder's set was begun with, or the cores divided by devices.
    """

    micrographs: int = 1
    accelerator: Accelerator = "cpu"
    devices: int = 1
    num_nodes: int = 1
    threads: int | None = None
