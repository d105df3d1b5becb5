"""Peak memory of one stage, in a process of its own: one stage cannot hide another's.

`measure` starts this file as ``IMPLEMENTATION CASE STAGE FOLDER SETTINGS``; it prints JSON.
"""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from difftem.simulation.peak_memory import peak_memory_bytes
from experiments.simulator_speed.cases import CASES, SMOKE_CASES, Case
from experiments.simulator_speed.inputs import Inputs

ROOT = Path(__file__).parents[2]


def measure(
    implementation: str, case: str, stage: str, folder: Path, settings: dict[str, object]
) -> dict[str, float]:
    """Run one stage once in a fresh process.

    Parameters
    ----------
    implementation : {"difftem", "abtem"}
        Whose stage.
    case, stage : str
        Names.
    folder : Path
        Where `Inputs.save` wrote.
    settings : dict
        ``smoke``, and abTEM's settings.

    Returns
    -------
    dict
        Peak resident memory ``peak_mb``, and ``baseline_mb`` after the imports, in MB (1e6 bytes).
    """
    command = [sys.executable, "-m", __spec__.name, implementation, case, stage, str(folder)]
    done = subprocess.run(
        [*command, json.dumps(settings)], cwd=ROOT, capture_output=True, text=True, check=False
    )
    if done.returncode != 0:
        raise RuntimeError(f"{implementation} {stage} of {case} failed:\n{done.stderr}")
    result: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return result


def peak_mb() -> float:
    """High-water mark of this process's resident memory, in MB."""
    return peak_memory_bytes() / 1e6


def main() -> None:
    """Measure the stage that the command line names and print the result."""
    implementation, case_name, stage, folder, settings_json = sys.argv[1:]
    settings = json.loads(settings_json)
    case = (SMOKE_CASES if settings.pop("smoke") else CASES)[case_name]
    make = _abtem if implementation == "abtem" else _difftem
    baseline, stages = make(case, Path(folder), stage, settings)
    getattr(stages, stage)()
    print(json.dumps({"baseline_mb": round(baseline, 1), "peak_mb": round(peak_mb(), 1)}))


def _difftem(case: Case, folder: Path, stage: str, settings: dict) -> tuple[float, Any]:
    from experiments.simulator_speed.difftem_stages import DifftemStages

    del settings
    baseline = peak_mb()
    return baseline, DifftemStages(case, Inputs.load(folder, stage))


def _abtem(case: Case, folder: Path, stage: str, settings: dict) -> tuple[float, Any]:
    import abtem  # noqa: F401  # part of the baseline

    from experiments.simulator_speed.abtem_stages import AbtemStages, Settings

    baseline = peak_mb()
    return baseline, AbtemStages(case, Inputs.load(folder, stage), Settings(**settings))


if __name__ == "__main__":
    main()
