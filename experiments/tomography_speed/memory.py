"""Peak memory of the command itself: ``python -m experiments.tomography_speed.memory``.

Each method runs in a process of its own, for one iteration: more take no more memory.
"""

import argparse
import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from difftem.io.mrc import write_mrc, write_rawtlt
from difftem.workflows.reconstruct.memory import reconstruct_bytes
from experiments._base.results import markdown_table, write_readme

COLUMNS = ("method", "peak [GB]", "predicted [GB]", "CPU time [s]")


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
        prog="python -m experiments.tomography_speed.memory",
        description="Measure the memory of a large reconstruction.",
    )
    parser.add_argument("--side", type=int, default=1024, help="pixels (default: 1024)")
    parser.add_argument("--thickness", type=int, default=256, help="voxels (default: 256)")
    parser.add_argument("--tilts", type=int, default=61, help="projections (default: 61)")
    parser.add_argument("--dry", action="store_true", help="print, and leave the README as it is")
    options = parser.parse_args(arguments)
    side, thick, n_tilts = options.side, options.thickness, options.tilts
    predicted = reconstruct_bytes(n_tilts, (thick, side, side), n_tilts * side**2) / 1e9
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        stack = Path(folder) / "s.mrc"
        noise = np.random.default_rng(0)
        images = noise.standard_normal((n_tilts, side, side), np.float32)
        write_mrc(stack, images, 2.0)
        write_rawtlt(stack.with_suffix(".rawtlt"), np.linspace(-60, 60, n_tilts))
        del images
        for method in ("wbp", "sirt"):
            peak, seconds = _run(stack, method, thick)
            rows.append((method, f"{peak / 1e9:.2f}", f"{predicted:.2f}", f"{seconds:.0f}"))
    title = f"{side} x {side} x {thick} voxels, {n_tilts} projections, one iteration, one thread:"
    text = f"{title}\n\n{markdown_table(COLUMNS, rows)}"
    print(text)
    if not options.dry:
        write_readme(Path(__file__).parent, "memory.py", text)
    return 0


def _run(stack: Path, method: str, thickness: int) -> tuple[float, float]:
    """Peak bytes and CPU seconds of one reconstruction."""
    command = [sys.executable, "-m", "difftem", "reconstruct", str(stack), "--tilt-axis", "90"]
    command += ["--thickness", str(thickness), "--method", method, "--iterations", "1"]
    command += ["--output", str(stack.with_name(f"{method}.mrc"))]
    process = subprocess.Popen(command, env={**os.environ, "OMP_NUM_THREADS": "1"})
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        sys.exit(f"the reconstruction ended with {process.returncode}")
    return 1024.0 * used.ru_maxrss, used.ru_utime + used.ru_stime


if __name__ == "__main__":
    sys.exit(main())
