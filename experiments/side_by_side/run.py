"""Run the scripts: ``python -m experiments.side_by_side.run --cryojax VENV/bin/python``.

Without an interpreter that has cryoJAX its scripts are counted but not run, and nothing is written.
"""

import argparse
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from tqdm import tqdm

import difftem
from experiments._base.results import markdown_table, save_results, write_readme
from experiments.side_by_side import agreement
from experiments.side_by_side.counting import count
from experiments.side_by_side.inputs import true_mtf, write_inputs

FOLDER = Path(__file__).parent
PROGRAMS = {"difftem": "difftem", "abtem": "abTEM", "cryojax": "cryoJAX"}
PACKAGES = {"difftem": ["torch"], "abtem": ["abtem", "ase"], "cryojax": ["cryojax", "jax"]}


class Task(NamedTuple):
    """Something that all programs are asked for."""

    title: str
    results: list[str]  # names that a script leaves
    compare: Callable[[Any, Any], float] | None = None  # of the first of these


TASKS = {
    "micrograph": Task(
        "Micrograph of a structure", ["noise_free", "micrograph"], agreement.correlation
    ),
    "focus": Task("Focus series of one exit wave", ["series"], agreement.of_series),
    "gradient": Task("Gradient by the atoms' positions", ["gradient"], agreement.of_gradients),
    "mtf": Task("MTF from a flat field", ["mtf", "standard_error"]),
}


def script(program: str, task: str) -> Path:
    """Path of a script; it does not exist where the program does not offer the task."""
    return FOLDER / f"{program}_{task}.py"


def run_script(python: str, program: str, task: str, folder: Path) -> dict[str, np.ndarray]:
    """Run a script in the folder of its inputs.

    Parameters
    ----------
    python : str
        Interpreter that has the program.
    program, task : str
        Keys of `PROGRAMS` and `TASKS`.
    folder : Path
        From `experiments.side_by_side.inputs.write_inputs`.

    Returns
    -------
    dict of str to ndarray
        What the task leaves, images as ``(..., y, x)``.

    Raises
    ------
    RuntimeError
        With the output of the script, if it fails.
    """
    output = folder / f"{program}_{task}.npz"
    command = [python, FOLDER / "probe.py", script(program, task), output, *TASKS[task].results]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(f"{script(program, task).name} failed:\n{done.stderr}")
    with np.load(output) as arrays:
        made = {name: arrays[name] for name in arrays.files}
    if program == "abtem":  # x first
        made = {name: np.swapaxes(array, -1, -2) for name, array in made.items()}
    return made


def versions(python: str, program: str) -> dict[str, str]:
    """Versions of the packages of a program in an interpreter."""
    code = "import sys, importlib.metadata as m; print(*map(m.version, sys.argv[1:]))"
    command = [python, "-c", code, *PACKAGES[program]]
    printed = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    return dict(zip(PACKAGES[program], printed.split(), strict=True))


def compare(made: dict[str, dict[str, Any]], task: str) -> dict[str, float]:
    """Say how results of one task agree: with difftem's, or an MTF with the truth."""
    ours = made["difftem"]
    if task == "mtf":
        truth = true_mtf(torch.linspace(0, 0.5, len(ours["mtf"]))).numpy()
        return {
            "largest error": float(np.abs(ours["mtf"] - truth).max()),
            "largest standard error": float(ours["standard_error"].max()),
        }
    name, measure = TASKS[task].results[0], TASKS[task].compare
    assert measure is not None
    others = [program for program in made if program != "difftem"]
    return {program: measure(ours[name], made[program][name]) for program in others}


def render(results: dict[str, Any]) -> str:
    """Write the table and the versions as Markdown."""
    rows = []
    for key, task in TASKS.items():
        row, result = [task.title], results["tasks"][key]
        for program in PROGRAMS:
            counted = result["counts"].get(program)
            cell = "{lines} lines, {names} names, {settings} settings"
            row.append(cell.format(**counted) if counted else "not offered")
        said = [f"{PROGRAMS.get(k, k)} {v:.3f}" for k, v in result["agreement"].items()]
        rows.append([*row, ", ".join(said) or "not run"])
    table = markdown_table(["task", *PROGRAMS.values(), "agreement"], rows)
    packages = ", ".join(f"{name} {version}" for name, version in results["versions"].items())
    return f"{table}\n\nRun with {packages}."


def main() -> None:
    """Run, compare, count; print the table and write it."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--cryojax", metavar="PYTHON", help="interpreter that has cryoJAX")
    pythons = {"difftem": sys.executable, "abtem": sys.executable}
    given = parser.parse_args().cryojax
    if given:
        pythons["cryojax"] = str(Path(given).absolute())
    results: dict[str, Any] = {"versions": {"difftem": difftem.__version__}, "tasks": {}}
    for program, python in pythons.items():
        results["versions"] |= versions(python, program)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_inputs(folder)
        for task in tqdm(TASKS, desc="tasks"):
            offered = [program for program in PROGRAMS if script(program, task).is_file()]
            made = {p: run_script(pythons[p], p, task, folder) for p in offered if p in pythons}
            sources = {p: script(p, task).read_text("utf-8") for p in offered}
            results["tasks"][task] = {
                "counts": {p: count(source)._asdict() for p, source in sources.items()},
                "agreement": compare(made, task),
            }
    text = render(results)
    print(text)
    if given:
        save_results(FOLDER, "table", results)
        write_readme(FOLDER, "run.py", text)


if __name__ == "__main__":
    main()
