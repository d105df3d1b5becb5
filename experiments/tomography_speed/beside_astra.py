"""Error and CPU time of SIRT beside ASTRA's: ``... --astra VENV/bin/python``.

``python -m venv VENV && VENV/bin/pip install astra-toolbox`` makes such an environment.
"""

import argparse
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from difftem.tomography.reconstruction import SirtOptions, sirt
from experiments._base.results import markdown_table, write_readme
from experiments.tomography_speed.ellipsoids import projections, volume

FOLDER = Path(__file__).parent
COLUMNS = ("SIRT of", "projector", "error", "CPU time [s]")


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
        prog="python -m experiments.tomography_speed.beside_astra",
        description="Reconstruct the phantom with both programs, on one thread.",
    )
    parser.add_argument("--astra", metavar="PYTHON", help="of an environment that has astra")
    parser.add_argument("--side", type=int, default=63, help="voxels, odd (default: 63)")
    parser.add_argument("--tilts", type=int, default=61, help="projections (default: 61)")
    parser.add_argument("--iterations", type=int, default=50, help="of SIRT (default: 50)")
    parser.add_argument("--dry", action="store_true", help="print, and leave the README as it is")
    options = parser.parse_args(arguments)
    torch.set_num_threads(1)
    tilts = torch.deg2rad(torch.linspace(-60, 60, options.tilts, dtype=torch.float64))
    images, truth = projections(options.side, tilts).float(), volume(options.side)
    started = time.process_time()
    found = sirt(images, tilts, options.side, SirtOptions(options.iterations, lowest=0.0)).volume
    rows = [_row("difftem", "strip", found, truth, time.process_time() - started)]
    if options.astra is not None:
        made = _astra(options.astra, images, tilts, options.iterations)
        name = f"ASTRA {made['version']}"
        for kind in ("strip", "linear"):
            seconds = float(made[f"{kind}_seconds"])
            rows.append(_row(name, kind, torch.from_numpy(made[kind]), truth, seconds))
    title = f"{options.side}³ voxels, {options.tilts} projections, {options.iterations} iterations:"
    text = f"{title}\n\n{markdown_table(COLUMNS, rows)}"
    print(text)
    if not options.dry:
        write_readme(FOLDER, "beside_astra.py", text)
    return 0


def _astra(python: str, images: Tensor, tilts: Tensor, iterations: int) -> dict[str, np.ndarray]:
    """Run the script of the other program."""
    with tempfile.TemporaryDirectory() as folder:
        source, target = Path(folder) / "in.npz", Path(folder) / "out.npz"
        np.savez(source, images=images.numpy(), tilts=tilts.numpy(), iterations=iterations)
        command = [python, FOLDER / "astra_sirt.py", source, target]
        done = subprocess.run(command, capture_output=True, text=True)
        if done.returncode:
            sys.exit(f"{python} ended with {done.returncode}: {done.stderr.strip()[-300:]}")
        with np.load(target) as made:
            return dict(made)


def _row(
    program: str, projector: str, found: Tensor, truth: Tensor, seconds: float
) -> tuple[str, ...]:
    error = float((found - truth).norm() / truth.norm())
    return program, projector, f"{error:.4f}", f"{seconds:.1f}"


if __name__ == "__main__":
    sys.exit(main())
