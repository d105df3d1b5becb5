"""Scenes to a set of micrographs on disk, with their truth."""

import logging
import os
import shutil
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from difftem.io.errors import input_error
from difftem.simulation.advice import band_advice
from difftem.simulation.device import accelerator_device
from difftem.simulation.messages import collected, only_warnings
from difftem.simulation.scene_check import check_scene
from difftem.simulation.settings import configured
from difftem.workflows.generate.cluster import join_cluster
from difftem.workflows.generate.config import GenerateConfig
from difftem.workflows.generate.folder import claimed_folder, finished_items
from difftem.workflows.generate.item import is_finished, item_folder
from difftem.workflows.generate.processes import make_items
from difftem.workflows.generate.summary import write_summary

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class MicrographSet:
    """A set of micrographs on disk.

    Attributes
    ----------
    folder : Path
        Of the set; ``generate.yaml`` in it makes the set again.
    items : list of Path
        Folder of each micrograph or tilt series, with its images and truth.
    made : int
        How many of them this run made.
    seconds : float
        That this took.
    messages : list of str
        Warnings and notes.
    """

    folder: Path
    items: list[Path]
    made: int
    seconds: float
    messages: list[str]

    def figure(self) -> Any:
        """Draw the first images on one sheet.

        Returns
        -------
        matplotlib.figure.Figure
            The figure.
        """
        from difftem.workflows.generate.sheet import draw_sheet

        return draw_sheet(self.items)

    def show(self) -> None:
        """Show `figure` in a window or a notebook."""
        from difftem.simulation.preview import show_figure

        show_figure(self.figure())

    def save(self, folder: str | Path) -> Path:
        """Copy the set to another folder, which must not exist yet.

        Parameters
        ----------
        folder : str or Path
            To make.

        Returns
        -------
        Path
            The folder.

        Raises
        ------
        InputError
            If the folder exists or cannot be written.
        """
        place = Path(folder)
        if place.exists():
            raise input_error(place, "exists; choose another folder")
        try:
            shutil.copytree(self.folder, place)
        except OSError as error:
            raise input_error(place, f"cannot be written: {error.strerror or error}") from error
        return place


def generate(
    output: str | Path,
    *,
    config: GenerateConfig | str | Path | None = None,
    overwrite: bool = False,
    **settings: Any,
) -> MicrographSet:
    """Generate micrographs of scenes of many particles, as the command ``difftem generate`` does.

    A run that was interrupted goes on where it was when it is called again; a larger number of
    micrographs extends the set. Micrograph i depends on the seed and i alone.

    Parameters
    ----------
    output : str or Path
        Folder of the set: to make, or to go on with.
    config : GenerateConfig or str or Path, optional
        To start from; a YAML file by its path. Default: the defaults of every setting.
    overwrite : bool
        Remove what an earlier run made.
    **settings
        Any field of `difftem.workflows.generate.config.GenerateConfig` by its name, with its
        section's before it where two sections have one of that name: ``particles`` (mappings, or
        `ParticleConfig`), ``micrographs``, ``ice_thickness_nm``, ``size`` (x, y in pixels),
        ``pixel_size`` (Å), ``defocus_um``, or ``variation_defocus_um`` for a range, ``tilts_deg``,
        ``seed``, ``devices`` ... ``difftem generate --help`` lists all.

    Returns
    -------
    MicrographSet
        ``.show()`` draws the first ones; ``.items`` are their folders.

    Raises
    ------
    ValueError
        For bad input, in one line.

    Examples
    --------
    >>> import difftem, tempfile
    >>> folder = tempfile.mkdtemp()
    >>> blobs = {"name": "blob", "source": "phantom", "phantom": {"size_nm": [8, 8, 8]}, "count": 5}
    >>> made = difftem.generate(folder, particles=[blobs], size=(64, 64), pixel_size=4.0)
    >>> sorted(path.name for path in made.items[0].iterdir())[:3]
    ['labels.mrc', 'micrograph_000000.mrc', 'micrographs.star']
    """
    configuration = configured(GenerateConfig, config, settings)
    _check(configuration)
    threads = torch.get_num_threads()
    try:
        with collected() as messages:
            return _generate(configuration, Path(output), overwrite, messages)
    finally:
        torch.set_num_threads(threads)


def _generate(
    config: GenerateConfig, output: Path, overwrite: bool, messages: list[str]
) -> MicrographSet:
    """Make what is missing, then the tables of the whole set."""
    if (advice := band_advice(config.sampling, config.microscope)) is not None:
        logger.info(advice)
    cores = torch.get_num_threads()
    share = cores if "OMP_NUM_THREADS" in os.environ else max(1, cores // config.devices)
    others = join_cluster(config)
    start = time.perf_counter()
    if others is not None and others.global_rank > 0:
        with only_warnings():  # the first process says what is the same in all
            make_items(config, output, [], others)
        return MicrographSet(output, [], 0, time.perf_counter() - start, messages)
    with claimed_folder(output, config, overwrite, share) as settled:
        pending = [i for i in range(settled.micrographs) if not is_finished(output, i)]
        make_items(settled, output, pending, others)
        seconds = time.perf_counter() - start
        items = finished_items(output)
        missing = sorted(set(range(settled.micrographs)).difference(items))
        if missing:
            raise ChildProcessError(
                f"{len(missing)} micrographs are missing, the first is {missing[0]}, because a "
                "process of another machine has ended; the same command makes them"
            )
        write_summary(output, items, settled)
    folders = [item_folder(output, index) for index in items]
    return MicrographSet(output, folders, len(pending), seconds, messages)


def _check(config: GenerateConfig) -> None:
    """Refuse impossible configurations before a folder is made."""
    for name in ("micrographs", "devices", "num_nodes", "threads"):
        value = getattr(config, name)
        if value is not None and value < 1:
            raise ValueError(f"{name} must be at least 1, got {value}")
    accelerator_device(config.accelerator)
    check_scene(config)
