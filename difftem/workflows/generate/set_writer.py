"""What every process of a run does: make items of the set and write them."""

import sys
from collections.abc import Iterable
from functools import cache, partial
from pathlib import Path
from typing import Any

import torch
from tqdm import tqdm

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
        torch.set_num_threads(config.threads or 1)  # the last bits of an item depend on it
        self.config, self.output = config, output
        self.microscope = SceneMicroscope(config, folders, say)
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
        item = self.microscope.take(index, _slices_bar if show_slices else None)
        write_item(self.output, item, self.config, dict(self.microscope.radii))


def _slices_bar(slices: Iterable[Any], number: int) -> Iterable[Any]:
    """Bar of one micrograph's slices."""
    return tqdm(slices, total=number, desc="slices", delay=1.0)
