"""`difftem generate`: scenes of many particles, any number of micrographs, resumable."""

import os
import sys
import time
from pathlib import Path
from typing import Any

import torch

from difftem.cli.parsing import parse
from difftem.cli.preload import preload
from difftem.simulation.device import accelerator_device
from difftem.simulation.scene_check import check
from difftem.workflows.generate.cluster import join_cluster
from difftem.workflows.generate.config import GenerateConfig
from difftem.workflows.generate.folder import claimed_folder, finished_items
from difftem.workflows.generate.item import is_finished
from difftem.workflows.generate.processes import make_items
from difftem.workflows.generate.summary import write_summary

DESCRIPTION = """Generate micrographs of scenes of many particles, with their truth.

CONFIG is a YAML file; without it, micrographs show apoferritin. Every field can be overridden on
the command line (--ice.thickness_nm 60), and --print_config writes a complete file to start from.
--particles.help says what a particle can have. Units are in the names and below; coordinates are
Å, angles degrees.

  particles:
    - {name: apoferritin, source: apoferritin, count: 40}
    - {name: ribosome, source: 4v6x.cif.gz, micromolar: 0.2}
  sampling: {size: [1024, 1024], pixel_size: 2.0}
  variation: {defocus_um: [0.8, 2.5]}
  micrographs: 100
  devices: 8

Writes a folder 000000, 000001, ... for each micrograph: micrograph.mrc, noise_free.mrc, labels.mrc
(float32), particles.star and particles.csv (where every particle is), item.json, preview.png; for
tilt series also RELION's tomograms.star. Above them are generate.yaml, summary.csv, preview.png,
particles.star and tomograms.star of the whole set. A run that was interrupted goes on where it was
when the same command is given again; a larger number of micrographs extends the set."""


def main(arguments: list[str]) -> None:
    """Run the command.

    Parameters
    ----------
    arguments : list of str
        What follows ``difftem generate``.

    Raises
    ------
    ValueError
        For bad input, in one line.
    """
    config, options = parse("difftem generate", DESCRIPTION, GenerateConfig, arguments)
    _check(config)
    output, folders = Path(options.output), options.folders
    cores = torch.get_num_threads()
    share = cores if "OMP_NUM_THREADS" in os.environ else max(1, cores // config.devices)
    try:
        others = join_cluster(config)
        if others is not None and others.global_rank > 0:
            make_items(config, folders, output, [], others)
            return
        with claimed_folder(output, config, folders, options.overwrite, share) as settled:
            _generate(settled, folders, output, others)
    except KeyboardInterrupt:
        done = len(finished_items(output))
        print(
            f"difftem: error: interrupted, {output} has {done} of {config.micrographs} "
            "micrographs; the same command makes the others",
            file=sys.stderr,
        )
        raise SystemExit(130) from None


def _generate(config: GenerateConfig, folders: list[Path], output: Path, others: Any) -> None:
    """Make what is missing, then the tables of the whole set."""
    pending = [i for i in range(config.micrographs) if not is_finished(output, i)]
    if pending:
        preload()
    start = time.perf_counter()
    make_items(config, folders, output, pending, others)
    seconds = time.perf_counter() - start
    items = finished_items(output)
    missing = sorted(set(range(config.micrographs)).difference(items))
    if missing:
        raise ChildProcessError(
            f"{len(missing)} micrographs are missing, the first is {missing[0]}, because a process "
            "of another machine has ended; the same command makes them"
        )
    write_summary(output, items)
    made = f"{len(pending)} made in {seconds / len(pending):.2f} s each" if pending else "none made"
    print(f"wrote {output}: {len(items)} micrographs, {made}")


def _check(config: GenerateConfig) -> None:
    """Refuse impossible configurations before a folder is made."""
    for name in ("micrographs", "devices", "num_nodes", "threads"):
        value = getattr(config, name)
        if value is not None and value < 1:
            raise ValueError(f"{name} must be at least 1, got {value}")
    accelerator_device(config.accelerator)
    check(config)
