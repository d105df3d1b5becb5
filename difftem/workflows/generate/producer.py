"""What every process of a run does: make items of the set."""

import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import torch
from tqdm import tqdm

from difftem.modules.specimen_simulator import Progress
from difftem.simulation.scene_microscope import SceneMicroscope
from difftem.workflows.generate.config import GenerateConfig
from difftem.workflows.generate.item import is_finished, write_item


@dataclass
class Reporter:
    """Say each line once, on standard error, without tearing a progress bar."""

    said: set[str] = field(default_factory=set)

    def __call__(self, line: str) -> None:
        """Say a line unless it was said."""
        if line not in self.said:
            self.said.add(line)
            tqdm.write(line, file=sys.stderr)


class SceneProducer:
    """Make and write items; copies of it work in several processes.

    Parameters
    ----------
    config : GenerateConfig
        What to make.
    folders : list of Path
        Where to look for relative paths.
    output : Path
        Folder of the set.
    say : callable
        Told what happens in one line; picklable.
    """

    def __init__(
        self,
        config: GenerateConfig,
        folders: list[Path],
        output: Path,
        say: Callable[[str], None],
    ) -> None:
        self.config, self.folders, self.output, self.say = config, folders, output, say
        self.microscope: SceneMicroscope | None = None

    def __getstate__(self) -> dict[str, object]:
        """Leave the templates behind: a copy reads them from the cache, or makes its own."""
        return {**self.__dict__, "microscope": None}

    def __setstate__(self, state: dict[str, object]) -> None:
        """Arrive in a process that Lightning started."""
        self.__dict__.update(state)
        # One of tqdm's own would be shared with other processes, and outlive a killed one.
        tqdm.set_lock(threading.RLock())
        quiet_lightning()

    def prepare(self, device: torch.device) -> None:
        """Make or read the templates.

        Parameters
        ----------
        device : torch.device
            That is going to compute.
        """
        if self.microscope is None:
            self.microscope = SceneMicroscope(self.config, self.folders, self.say)
        self.microscope.device = device

    def make(self, index: int, progress: Progress | None = None) -> None:
        """Make one item unless it is there.

        Parameters
        ----------
        index : int
            Its number.
        progress : callable, optional
            As of `SpecimenSimulator.intensity`.
        """
        if self.microscope is None:
            raise RuntimeError("prepare comes before make")
        if is_finished(self.output, index):
            return
        item = self.microscope.take(index, progress)
        write_item(self.output, item, self.config, dict(self.microscope.radii))


def quiet_lightning() -> None:
    """Keep what Lightning and PyTorch say about themselves to themselves."""
    import logging
    import warnings

    for name in ("lightning.pytorch", "lightning.fabric", "torch.multiprocessing.spawn"):
        logging.getLogger(name).setLevel(logging.ERROR)
    warnings.filterwarnings("ignore", module=r"lightning\.")
    warnings.filterwarnings("ignore", message=r".*isinstance\(treespec, LeafSpec\).*")
