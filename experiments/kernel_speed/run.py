"""Check the ops, then time them, in plain PyTorch and as Triton kernels.

python -m experiments.kernel_speed.run [--device cuda] [--ops transmit chain] [--repeats 20]
                                       [--table1 FOLDER]
"""

import argparse
import json
import os
import subprocess
import sys
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

import torch

from experiments.kernel_speed.cases import CASES, CHECKED, ON_CPU, ON_GPU
from experiments.kernel_speed.measure import CheckError, bandwidth, check, time_case
from experiments.simulator_speed.metadata import metadata

ROOT = Path(__file__).parents[2]
RESULTS = Path(__file__).parent / "results"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command.

    Parameters
    ----------
    arguments : sequence of str, optional
        Of the command line.

    Returns
    -------
    int
        Exit status: 1 if an op failed its check.
    """
    options = _parse(arguments)
    device = torch.device(options.device)
    names = ["torch", "triton"] if device.type == "cuda" else ["torch"]
    if device.type == "cpu":
        print("PyTorch only: Triton needs a GPU to be timed", file=sys.stderr)
    sizes = {op: [size] for op, size in CHECKED.items()} if options.smoke else _sizes(device)
    result: dict[str, Any] = {
        "metadata": metadata() | _about(device),
        "settings": {"repeats": options.repeats, "smoke": options.smoke},
        "bandwidth": bandwidth(device),
        "errors": {},
        "times": [],
    }
    output = options.output or RESULTS / f"{_slug(result['metadata']['device'])}.json"
    output.parent.mkdir(parents=True, exist_ok=True)
    failed = False
    for op in options.ops:
        for name in names:
            try:
                result["errors"][f"{name} {op}"] = check(op, name, device)
                for size in sizes[op]:
                    print(f"{name} {op} {size}", file=sys.stderr, flush=True)
                    entry = time_case(op, size, name, device, options.repeats)
                    result["times"].append({"op": op, "size": str(size), "by": name} | entry)
            except (CheckError, RuntimeError) as error:  # one op's compiler or memory, say
                print(f"{name} {op}: {error}", file=sys.stderr)
                failed = True
            # After each: what comes later may take all of the time that there is.
            output.write_text(json.dumps(result, indent=1, allow_nan=False) + "\n")
    print(output)
    if options.table1 is not None:
        failed |= _table1(options.table1, options.device, output) != 0
    return int(failed)


def _sizes(device: torch.device) -> dict[str, list[Any]]:
    return ON_GPU if device.type == "cuda" else ON_CPU


def _about(device: torch.device) -> dict[str, Any]:
    """Name and memory of the device, and the version of Triton."""
    if device.type != "cuda":
        name = str(metadata()["cpu"])
        return {"device": f"{name}, {os.cpu_count()} cores", "triton": None}
    properties = torch.cuda.get_device_properties(device)
    return {
        "device": properties.name,
        "memory_gb": round(properties.total_memory / 1e9, 1),
        "cuda": torch.version.cuda,
        "triton": version("triton"),
    }


def _table1(structures: Path, device: str, output: Path) -> int:
    """Run the scenes of Table 1 on the same device, into a file beside."""
    command = [sys.executable, "-m", "experiments.table1_scale.run", "--device", device]
    beside = output.resolve().with_name(f"{output.stem}_table1.json")
    where = ["--structures", str(structures.resolve()), "--output", str(beside)]
    # On a GPU one process takes several micrographs.
    repeats = ["--repeats", "1"] if device == "cuda" else []
    return subprocess.run([*command, *where, *repeats], cwd=ROOT, check=False).returncode


def _slug(name: str) -> str:
    words = "".join(c if c.isalnum() else " " for c in name.lower()).split()
    return "_".join(word for word in words if word not in ("r", "tm"))


def _parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m experiments.kernel_speed.run", description=__doc__.splitlines()[0]
    )
    default = "cuda" if torch.cuda.is_available() else "cpu"
    parser.add_argument("--device", choices=("cpu", "cuda"), default=default)
    parser.add_argument("--ops", nargs="+", choices=CASES, default=list(CASES))
    parser.add_argument("--repeats", type=_positive, default=20, help="timed calls of each op")
    parser.add_argument("--output", type=Path, help="JSON file; results/DEVICE.json without it")
    parser.add_argument(
        "--table1",
        type=Path,
        metavar="FOLDER",
        help="also run experiments.table1_scale on the device, with the structures in FOLDER",
    )
    parser.add_argument("--smoke", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    if options.device == "cuda" and not torch.cuda.is_available():
        parser.error("--device cuda: there is no CUDA device")
    if options.table1 is not None and not options.table1.is_dir():
        parser.error(f"--table1: no folder {options.table1}")
    if options.smoke and options.output is None:
        parser.error("--smoke needs --output: its times are no result")
    return options


def _positive(text: str) -> int:
    if int(text) < 1:
        raise ValueError(text)
    return int(text)


if __name__ == "__main__":
    sys.exit(main())
