"""What `difftem generate` can be told beside the scene."""

from dataclasses import dataclass

from difftem.cli.scene.config import SceneConfig


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
    devices
        Processes that share the work on this machine.
    num_nodes
        Machines that share it, started as Lightning's Trainer expects (SLURM, torchrun).
    """

    micrographs: int = 1
    devices: int = 1
    num_nodes: int = 1
