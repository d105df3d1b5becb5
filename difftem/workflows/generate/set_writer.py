"""What every process of a run does: make items of the set and write them."""

import sys
from functools import cache, partial
from pathlib import Path

import torch
from tqdm import tqdm

from difftem.modules.specimen_simulator import Progress
from difftem.simulation.scene_microscope import SceneMicroscope
from difftem.workflows.generate.config import GenerateConfig
from difftem.workflows.generate.item import is_finished, write_item


class SetWriter:
    """Make items of a set and write them; the templates are there when it is.

    Parameters
    ----------
    config : GenerateConfig
        What to make.
    folders : list of Path
        Where to look for relative paths.
    output : Path
        Folder of the set.

    Raises
    ------
    ValueError
        For bad input, in one line.
    """

    def __init__(self, config: GenerateConfig, folders: list[Path], output: Path) -> None:
        # Each line once, without tearing a bar; a lock would outlive a process that is killed.
        say = cache(partial(tqdm.write, file=sys.stderr, nolock=True))
        self.config, self.output = config, output
        self.microscope = SceneMicroscope(config, folders, say)
        self.microscope.device = torch.device(config.accelerator)

    def make(self, index: int, progress: Progress | None = None) -> None:
        """Make one item unless it is there.

        Parameters
        ----------
        index : int
            Its number.
        progress : callable, optional
            As of `SpecimenSimulator.intensity`.
        """
        if not is_finished(self.output, index):
            item = self.microscope.take(index, progress)
            write_item(self.output, item, self.config, dict(self.microscope.radii))
