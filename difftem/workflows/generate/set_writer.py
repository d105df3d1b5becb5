"""What every process of a run does: make items of the set and write them."""

from contextlib import nullcontext
from pathlib import Path

import torch

from difftem.simulation.messages import ACCOUNTS, collected
from difftem.simulation.run import slices_bar
from difftem.simulation.scene_microscope import SceneMicroscope
from difftem.workflows.generate.config import GenerateConfig
from difftem.workflows.generate.item import is_finished, write_item


class SetWriter:
    """Make items of a set and write them; the templates are there when it is.

    Parameters
    ----------
    config : GenerateConfig
        What to make.
    output : Path
        Folder of the set.
    processes : int
        As of `SceneMicroscope`.

    Raises
    ------
    ValueError
        For bad input, in one line.
    """

    def __init__(self, config: GenerateConfig, output: Path, processes: int = 1) -> None:
        torch.set_num_threads(config.threads or 1)  # the last bits of an item depend on it
        self.config, self.output = config, output
        with collected(ACCOUNTS) as self.inputs:
            self.microscope = SceneMicroscope(
                config, processes if config.accelerator == "cpu" else 0
            )
        self.microscope.device = torch.device(config.accelerator)

    def make(self, index: int, show_slices: bool = False) -> None:
        """Make one item unless it is there.

        Parameters
        ----------
        index : int
            Its number.
        show_slices : bool
            Whether a bar counts its slices, if it takes long.
        """
        if is_finished(self.output, index):
            return
        with slices_bar() if show_slices else nullcontext() as progress:
            item = self.microscope.take(index, progress)
        radii = dict(self.microscope.radii)
        templates = self.microscope.templates() if self.config.truth.volumes else {}
        write_item(self.output, item, self.config, radii, self.inputs, templates)
