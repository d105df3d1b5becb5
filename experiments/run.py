"""Run a study: ``python -m experiments.run experiments/mtf_recovery/runs.yaml``.

A study is a YAML file of axes; each axis has named values, each value names configurations, options
of ``difftem fit``, or both. Every combination is a run in the folder ``runs/STUDY/a/b/c``. A run
that is there is not repeated, so a study that was stopped goes on.

A comparison of denoisers is a YAML file of axes that names its ``program``, which gets the options
that follow: ``python -m experiments.run experiments/denoise_dose/config.yaml --wandb``.
"""

import argparse
import itertools
import json
import multiprocessing
import os
import re
import shutil
import sys
import time
import traceback
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

import yaml

DONE = "done.json"


@dataclass(frozen=True)
class Run:
    """One combination.

    Attributes
    ----------
    name : str
        Values of the axes, joined by slashes.
    arguments : list of str
        Of ``difftem fit``.
    folder : Path
        Where its files go.
    """

    name: str
    arguments: list[str]
    folder: Path


def read_study(path: Path, root: Path) -> list[Run]:
    """Expand a study.

    Parameters
    ----------
    path : Path
        YAML file.
    root : Path
        Folder of all studies' runs.

    Returns
    -------
    list of Run
        In the order of the file, the last axis fastest.
    """
    study = yaml.safe_load(path.read_text("utf-8"))
    axes: list[dict[str, Any]] = []
    for values in study["axes"].values():
        if "seeds" in values:
            key = values["option"]
            values = {f"seed{i}": {"options": {key: i}} for i in range(values["seeds"])}
        axes.append(values)
    runs = []
    for names in itertools.product(*axes):
        chosen = [axis[name] or {} for axis, name in zip(axes, names, strict=True)]
        configs = [path.parent / c for value in chosen for c in value.get("configs", [])]
        options = dict(study.get("options", {}))
        for value in chosen:
            options |= value.get("options", {})
        arguments = [part for config in configs for part in ("--config", str(config))]
        for key, value in options.items():
            arguments += [f"--{key}", value if isinstance(value, str) else json.dumps(value)]
        name = "/".join(str(each) for each in names)
        runs.append(Run(name, arguments, root / study["name"] / name))
    return runs


def execute(run: Run) -> str | None:
    """Make a run unless it is done; return what went wrong.

    Parameters
    ----------
    run : Run
        From `read_study`.

    Returns
    -------
    str or None
        Last line of the error.
    """
    import torch

    from difftem.cli.fit import main

    if (run.folder / DONE).is_file():
        return None
    shutil.rmtree(run.folder, ignore_errors=True)
    torch.set_num_threads(1)
    where = {"save_dir": str(run.folder.parent), "name": run.folder.name, "version": ""}
    csv_logger = {"class_path": "lightning.pytorch.loggers.CSVLogger", "init_args": where}
    report = {"class_path": "difftem.callbacks.LogReport", "init_args": {"figures": False}}
    quiet = [
        f"--trainer.logger={json.dumps([csv_logger])}",
        f"--trainer.callbacks={json.dumps([report])}",
        "--trainer.enable_progress_bar=false",
        "--trainer.enable_checkpointing=false",
    ]
    start = time.perf_counter()
    try:
        main(["fit", *run.arguments, *quiet])
    except Exception:
        return traceback.format_exc().splitlines()[-1]
    seconds = round(time.perf_counter() - start, 3)
    (run.folder / DONE).write_text(json.dumps({"seconds": seconds}) + "\n", "utf-8")
    return None


def run_program(name: str, options: list[str]) -> int:
    """Run the program that a file of axes names, with its own options."""
    program = import_module(name)
    sys.argv = [name, *options]
    return int(program.main() or 0)


def main() -> None:
    """Run what is missing of a study."""
    from tqdm import tqdm

    study = Path(sys.argv[1]) if len(sys.argv) > 1 else None
    if study is not None and study.is_file():
        program = yaml.safe_load(study.read_text("utf-8")).get("program")
        if program is not None:
            raise SystemExit(run_program(program, sys.argv[2:]))
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("study", type=Path, help="YAML file")
    parser.add_argument("--only", default="", help="regular expression that names must match")
    parser.add_argument("--jobs", type=int, default=1, help="processes, of one thread each")
    parser.add_argument("--root", type=Path, default=Path("runs"), help="folder of the runs")
    arguments = parser.parse_args()
    everything = read_study(arguments.study, arguments.root)
    runs = [run for run in everything if re.search(arguments.only, run.name)]
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    failed = 0
    with multiprocessing.get_context("spawn").Pool(arguments.jobs) as pool:
        results = pool.imap(execute, runs)
        for run, error in zip(runs, tqdm(results, total=len(runs), desc="runs"), strict=True):
            if error is not None:
                failed += 1
                tqdm.write(f"{run.name}: {error}", file=sys.stderr)
    if failed:
        raise SystemExit(f"{failed} of {len(runs)} runs failed")


if __name__ == "__main__":
    main()
