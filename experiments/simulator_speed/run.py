"""Time every stage of difftem beside abTEM's.

python -m experiments.simulator_speed.run [--repeats 9] [--output results.json]
                                          [--cases platinum protein] [--peers abtem|none]
"""

import argparse
import json
import os
import sys
import tempfile
from collections.abc import Callable, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from tqdm import tqdm

from experiments.simulator_speed import peak_memory
from experiments.simulator_speed.abtem_stages import AbtemStages, Settings, candidates
from experiments.simulator_speed.cases import CASES, SMOKE_CASES, Case
from experiments.simulator_speed.difftem_stages import DifftemStages
from experiments.simulator_speed.gate import GateError, check, prepare
from experiments.simulator_speed.inputs import Inputs
from experiments.simulator_speed.measure import interleave, ratio, summarise
from experiments.simulator_speed.metadata import metadata

RESULTS = Path(__file__).parent / "results"
WARM_UP = 2
PILOT_REPEATS = 3


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command.

    Parameters
    ----------
    arguments : sequence of str, optional
        Of the command line.

    Returns
    -------
    int
        Exit status: 1 if a correctness check failed.
    """
    options = _parse(arguments)
    cases = SMOKE_CASES if options.smoke else CASES
    peer = options.peers == "abtem"
    if peer and find_spec("abtem") is None:
        print("abTEM is not installed (pip install difftem[peers]): left out", file=sys.stderr)
        peer = False
    result: dict[str, Any] = {
        "metadata": metadata(),
        "settings": {"repeats": options.repeats, "warm_up": WARM_UP, "smoke": options.smoke},
        "cases": {},
    }
    with tqdm(unit="call", disable=None) as bar:
        for name in options.cases:
            try:
                result["cases"][name] = run_case(
                    name, cases[name], peer, options.repeats, options.smoke, bar
                )
            except GateError as error:
                print(error, file=sys.stderr)
                return 1
    options.output.parent.mkdir(parents=True, exist_ok=True)
    options.output.write_text(json.dumps(result, indent=1, allow_nan=False) + "\n")
    print(options.output)
    return 0


def run_case(
    name: str, case: Case, peer: bool, repeats: int, smoke: bool, bar: tqdm
) -> dict[str, Any]:
    """Check and measure one case.

    Parameters
    ----------
    name, case
        From the registry.
    peer : bool
        Run abTEM too.
    repeats : int
        Timed calls of each stage.
    smoke : bool
        Whether the case is a small one.
    bar : tqdm
        Progress.

    Returns
    -------
    dict
        What was checked and measured.

    Raises
    ------
    GateError
        If a check fails; nothing is timed then.
    """
    bar.set_description(f"{name}: correctness")
    inputs = prepare(case)
    ours = DifftemStages(case, inputs)
    figures = check(ours, AbtemStages(case, inputs) if peer else None)
    names = [s for s in ours.stages if case.with_gradient or s not in ("micrograph", "gradient")]
    stages: dict[str, dict[str, Any]] = {stage: {} for stage in names}
    settings: dict[str, Settings] = {}
    if peer:
        bar.set_description(f"{name}: settings of abTEM")
        for stage in AbtemStages.stages:
            settings[stage], pilot = _best_settings(case, inputs, stage, bar.update)
            stages[stage]["abtem_settings"] = settings[stage]._asdict()
            stages[stage]["abtem_pilot_wall_s"] = pilot
    for group in _groups(names):
        bar.set_description(f"{name}: {', '.join(group)}")
        calls = {(stage, "difftem"): getattr(ours, stage) for stage in group}
        for stage in group:
            if stage in settings:
                theirs = AbtemStages(case, inputs, settings[stage])
                calls[stage, "abtem"] = getattr(theirs, stage)
        for (stage, program), samples in interleave(calls, repeats, WARM_UP, bar.update).items():
            stages[stage][program] = summarise(samples)
    with tempfile.TemporaryDirectory() as folder:
        inputs.save(Path(folder))
        # Starting a process takes seconds: the smoke test does it for one stage.
        for stage, entry in [("chain", stages["chain"])] if smoke else stages.items():
            for program in ("difftem", "abtem"):
                if program in entry:
                    bar.set_description(f"{name}: memory of {program} {stage}")
                    own = settings[stage]._asdict() if program == "abtem" else {}
                    arguments = (program, name, stage, Path(folder), own | {"smoke": smoke})
                    entry[program] |= peak_memory.measure(*arguments)
                    bar.update()
    for entry in stages.values():
        if "abtem" in entry:
            entry["ratio"] = ratio(entry["difftem"], entry["abtem"])
    result = {"case": case.describe(), "gate": figures, "stages": stages}
    if case.with_gradient:
        gradient = stages["gradient"]["difftem"]
        result["gradient_over"] = {
            stage: ratio(gradient, stages[stage]["difftem"]) for stage in ("micrograph", "chain")
        }
    return result


def _groups(names: list[str]) -> list[tuple[str, ...]]:
    """Stages that take turns: each beside the peer's, the gradient beside its forward pass."""
    alone = [(stage,) for stage in names if stage not in ("micrograph", "gradient")]
    return alone + ([("micrograph", "gradient")] if "gradient" in names else [])


def _best_settings(
    case: Case, inputs: Inputs, stage: str, tick: Callable[[], Any]
) -> tuple[Settings, dict[str, float]]:
    """Fastest settings of abTEM for a stage, and the median wall time of each."""
    calls = {
        str(tuple(settings)): getattr(AbtemStages(case, inputs, settings), stage)
        for settings in candidates(stage)
    }
    samples = interleave(calls, PILOT_REPEATS, 1, tick)
    medians = {key: summarise(each)["wall_s"]["median"] for key, each in samples.items()}
    best = min(candidates(stage), key=lambda settings: medians[str(tuple(settings))])
    return best, medians


def _parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m experiments.simulator_speed.run",
        description="Time every stage of difftem beside abTEM's, with a correctness gate.",
    )
    default = RESULTS / f"cpu{os.cpu_count()}.json"
    parser.add_argument("--repeats", type=_positive, default=9, help="timed calls of each stage")
    parser.add_argument("--output", type=Path, default=default, help="JSON to write")
    parser.add_argument("--cases", nargs="+", choices=CASES, default=list(CASES))
    parser.add_argument("--peers", choices=("abtem", "none"), default="abtem")
    parser.add_argument("--smoke", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    if options.smoke and options.output == default:
        parser.error("--smoke needs --output: its times are no result")
    return options


def _positive(text: str) -> int:
    if int(text) < 1:
        raise ValueError(text)
    return int(text)


if __name__ == "__main__":
    sys.exit(main())
