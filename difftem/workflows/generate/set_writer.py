"""What every process of a run does: make items of the set and write them."""

from pathlib import Path

import torch

from difftem.modules.simulator import Progress
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

    Raises
    ------
    ValueError
        For bad input, in one line.
    """

    def __init__(self, config: GenerateConfig, output: Path) -> None:
        self.config, self.output = config, output
        self.microscope = SceneMicroscope(config)
        self.microscope.device = torch.device(config.accelerator)

    def make(self, index: int, progress: Progress | None = None) -> None:
        """Make one item unless it is there.

        Parameters
        ----------
        index : int
            Its number.
        progress : callable, optional
            As of `Simulator.exit_wave`.
        """
        if not is_finished(self.output, index):
            item = self.microscope.take(index, progress)
            write_item(self.output, item, self.config, dict(self.microscope.radii))
