"""Time, memory and error of SIRT and weighted back-projection, as a table that the README gets.

``python -m experiments.tomography_speed.run``
"""

import argparse
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import torch

from difftem.simulation.peak_memory import peak_memory_bytes
from difftem.tomography.reconstruction import SirtOptions, sirt, weighted_back_projection
from difftem.workflows.reconstruct.memory import reconstruct_bytes
from experiments._base.results import markdown_table, write_readme
from experiments.tomography_speed.ellipsoids import projections, volume

COLUMNS = ("method", "time [s]", "CPU time [s]", "error", "residual", "peak / predicted [GB]")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command.

    Parameters
    ----------
    arguments : sequence of str, optional
        Of the command line.

    Returns
    -------
    int
        Exit status.
    """
    parser = argparse.ArgumentParser(
        prog="python -m experiments.tomography_speed.run",
        description="Reconstruct a phantom of ellipsoids from -60 to 60 degrees.",
    )
    parser.add_argument("--side", type=int, default=256, help="voxels (default: 256)")
    parser.add_argument("--tilts", type=int, default=61, help="projections (default: 61)")
    parser.add_argument("--iterations", type=int, default=50, help="of SIRT (default: 50)")
    parser.add_argument("--threads", type=int, default=2, help="of PyTorch (default: 2)")
    parser.add_argument("--dry", action="store_true", help="print, and leave the README as it is")
    options = parser.parse_args(arguments)
    torch.set_num_threads(options.threads)
    table = markdown_table(COLUMNS, rows(options.side, options.tilts, options.iterations))
    title = (
        f"{options.side}³ voxels, {options.tilts} projections, {options.iterations} iterations, "
        f"{options.threads} thread{'s' * (options.threads > 1)}:"
    )
    print(f"{title}\n\n{table}")
    if not options.dry:
        write_readme(Path(__file__).parent, "run.py", f"{title}\n\n{table}")
    return 0


def rows(side: int, n_tilts: int, iterations: int) -> list[tuple[str, ...]]:
    """Measure both methods, the one that takes less memory first.

    Parameters
    ----------
    side : int
        Voxels along each axis.
    n_tilts : int
        Projections, from -60 to 60 degrees.
    iterations : int
        Of SIRT.

    Returns
    -------
    list of tuple of str
        Of `COLUMNS`; the error is the root mean square over that of the phantom.
    """
    truth = volume(side)
    tilts = torch.deg2rad(torch.linspace(-60, 60, n_tilts, dtype=torch.float64))
    images = projections(side, tilts).float()
    predicted = reconstruct_bytes(n_tilts, (side, side, side), images.numel())
    measured = []
    for name in ("wbp", "sirt"):
        started, busy, end = time.perf_counter(), time.process_time(), ""
        if name == "wbp":
            found = weighted_back_projection(images, tilts, side)
        else:
            iterated = sirt(images, tilts, side, SirtOptions(iterations, lowest=0.0))
            found, end = iterated.volume, f"{iterated.residuals[-1]:.4f}"
        seconds, cpu = time.perf_counter() - started, time.process_time() - busy
        error = float((found - truth).norm() / truth.norm())
        memory = f"{peak_memory_bytes() / 1e9:.2f} / {predicted / 1e9:.2f}"
        measured.append((name, f"{seconds:.1f}", f"{cpu:.1f}", f"{error:.3f}", end, memory))
    return measured


if __name__ == "__main__":
    sys.exit(main())
