"""Measure every case in fresh processes: ``python -m experiments.table1_scale.run --help``."""

import argparse
import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import torch
import yaml

from experiments.simulator_speed.metadata import metadata
from experiments.table1_scale.measure import CASES, device_named
from experiments.table1_scale.report import table

HERE = Path(__file__).parent
ROOT = HERE.parents[1]


def main(given: list[str] | None = None) -> None:
    """Run all cases and write the JSON file; arguments are those of the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--structures", type=Path, required=True, help="folder with 5ire, 6vxx and 2OM3"
    )
    parser.add_argument("--cases", nargs="*", help="names in cases.yaml; all without it")
    parser.add_argument("--repeats", type=int, default=3, help="processes for each number")
    parser.add_argument(
        "--device", choices=("cpu", "cuda"), default="cpu", help="computes the micrographs"
    )
    parser.add_argument("--output", type=Path, help=f"JSON file; {HERE.name}/results without it")
    arguments = parser.parse_args(given)
    gpu = None
    if device_named(arguments.device).type == "cuda":
        gpu = torch.cuda.get_device_name()
    wanted = yaml.safe_load(CASES.read_text("utf-8"))
    names = arguments.cases or list(wanted["cases"])
    runs: dict[str, list[dict[str, Any]]] = {}
    # Rounds over all cases, so that a slow minute of the machine does not fall on one of them.
    for round_ in range(arguments.repeats):
        for name in names:
            for count in wanted["cases"][name]["counts"]:
                key = f"{name} {count}"
                print(key, file=sys.stderr, flush=True)
                first = round_ == 0 and count == wanted["cases"][name]["counts"][0]
                made = _process(name, count, arguments, check=first and gpu is not None)
                runs.setdefault(key, []).append(made)
    about = metadata() | {"gpu": gpu}
    result = {"metadata": about, "published": wanted["published"], "runs": runs}
    label = f"cpu{about['cpu_count']}" if gpu is None else "gpu_" + "_".join(gpu.lower().split())
    output = arguments.output or HERE / "results" / f"{label}.json"
    output.write_text(json.dumps(result, indent=1) + "\n", "utf-8")
    print(table(result))


def _process(
    name: str, count: int, arguments: argparse.Namespace, *, check: bool
) -> dict[str, Any]:
    """One case in a process of its own; its whole time includes the start of Python."""
    command = [sys.executable, "-m", "experiments.table1_scale.measure", name, str(count)]
    command += ["--check"] if check else []
    start = time.perf_counter()
    done = subprocess.run(
        [*command, str(arguments.structures.resolve()), "--device", arguments.device],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        raise SystemExit(done.stderr)
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found | {"process_s": time.perf_counter() - start}


if __name__ == "__main__":
    main()
