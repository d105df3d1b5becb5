"""What `generate` can be told beside the scene."""

from dataclasses import dataclass

from difftem.simulation.config import Accelerator
from difftem.simulation.scene_config import SceneConfig


@dataclass(frozen=True)
class GenerateConfig(SceneConfig):
    """Settings of a set of micrographs.

    Besides the fields of `SceneConfig`:

    Parameters
    ----------
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
