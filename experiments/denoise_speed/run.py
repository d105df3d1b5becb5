"""Seconds and memory of `difftem denoise` on a large micrograph, as a table for the README.

``python -m experiments.denoise_speed.run``
"""

import argparse
import json
import logging
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from difftem.baselines.topaz import run_topaz
from difftem.baselines.topaz_environment import find_topaz
from experiments._base.results import markdown_table, save_results, write_readme

ROOT = Path(__file__).parents[2]
CROP = ROOT.parent / "shared/data/micrographs/krios_falcon3EC_300kV_crop2048.mrc"
METHODS = ("sbd", "wiener", "gaussian", "vst", "average")
COLUMNS = ("method", "pixels", "seconds", "CPU seconds", "predicted [GB]", "peak [GB]")


class _Largest(logging.Handler):
    """Keep the largest prediction of memory that is logged."""

    def __init__(self) -> None:
        super().__init__(logging.INFO)
        self.needed = 0.0

    def emit(self, record: logging.LogRecord) -> None:
        """Keep it."""
        self.needed = max(self.needed, getattr(record, "needed_bytes", 0.0))


def make_image(path: Path, side: int) -> None:
    """Write a micrograph: the Falcon crop and its mirror images; without it counts of flat light.

    Parameters
    ----------
    path : Path
        MRC file to write, 16 bits.
    side : int
        Pixels.
    """
    import mrcfile

    if CROP.is_file():
        with mrcfile.open(CROP) as mrc:
            crop = mrc.data[:side, :side]
        reach = -(-side // len(crop) + 1)
        image = np.pad(crop, (0, reach * len(crop)), mode="symmetric")[:side, :side]
    else:
        image = np.random.default_rng(0).poisson(1000, (side, side)).astype(np.uint16)
    with mrcfile.new(path, np.ascontiguousarray(image)) as mrc:
        mrc.voxel_size = 0.667


def measure(arguments: Sequence[str]) -> dict[str, float]:
    """Run a command in a fresh process.

    Parameters
    ----------
    arguments : sequence of str
        Of ``difftem``.

    Returns
    -------
    dict of str to float
        Seconds of the clock and of the processor, bytes that were predicted and taken.

    Raises
    ------
    RuntimeError
        If it failed.
    """
    command = [sys.executable, "-m", "experiments.denoise_speed.run", "--here", *arguments]
    start = time.perf_counter()
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise RuntimeError(done.stderr.strip().splitlines()[-1])
    found: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return {"seconds": time.perf_counter() - start, **found}


def topaz_seconds(image: Path, folder: Path) -> float | None:
    """Seconds of Topaz on the same image with its own weights; None where it is not installed."""
    try:
        executable = find_topaz()
    except ValueError:
        return None
    start = time.perf_counter()
    run_topaz(executable, ["denoise", image.name, "-o", str(folder), "-d", "-1"], str(image.parent))
    return time.perf_counter() - start


def run_here(arguments: list[str]) -> int:
    """Run a command in this process; print what it took."""
    from difftem.cli.main import main as difftem
    from difftem.simulation import memory
    from difftem.simulation.peak_memory import peak_memory_bytes

    memory.LARGE_BYTES = 0.0
    largest = _Largest()
    logging.getLogger("difftem").addHandler(largest)
    status = difftem(arguments)
    times = os.times()
    cpu = times.user + times.system
    print(json.dumps({"cpu": cpu, "predicted": largest.needed, "peak": peak_memory_bytes()}))
    return status


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command."""
    parser = argparse.ArgumentParser(prog="python -m experiments.denoise_speed.run")
    parser.add_argument("--methods", nargs="+", default=METHODS, help="to time")
    parser.add_argument("--side", type=int, default=4096, help="of the image, pixels")
    parser.add_argument("--more", nargs="+", default=[], help="options of difftem denoise")
    parser.add_argument("--smoke", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    rows: list[dict[str, Any]] = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        make_image(folder / "in.mrc", options.side)
        for method in options.methods:
            words = ["denoise", f"{folder}/in.mrc", "--output", f"{folder}/out.mrc", "--overwrite"]
            more = [f"--{word}" for word in options.more]
            found = measure([*words, "--method", method, *more])
            rows.append({"method": method, "side": options.side, **found})
        seconds = topaz_seconds(folder / "in.mrc", folder / "topaz")
    table = markdown_table(COLUMNS, [_row(each) for each in rows])
    table += f"\n\nTopaz: {'not installed' if seconds is None else f'{seconds:.0f} s'}."
    print(table)
    if not options.smoke:
        folder = Path(__file__).parent
        save_results(folder, f"side{options.side}", {"rows": rows, "topaz_seconds": seconds})
        write_readme(folder, "run.py", table)
    return 0


def _row(found: dict[str, Any]) -> list[str]:
    """Cells of a line."""
    numbers = [f"{found['seconds']:.1f}", f"{found['cpu']:.1f}"]
    numbers += [f"{found[name] / 1e9:.2f}" for name in ("predicted", "peak")]
    return [found["method"], f"{found['side']}²", *numbers]


if __name__ == "__main__":
    if sys.argv[1:2] == ["--here"]:
        sys.exit(run_here(sys.argv[2:]))
    sys.exit(main())
