"""Time every stage of this checkout beside the same stage of another one.

python -m experiments.simulator_speed.before_after OTHER [--repeats 5] [--cases platinum protein]

OTHER is a checkout of an earlier commit, from ``git worktree add OTHER COMMIT`` for one.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from tqdm import tqdm

from experiments._base.results import markdown_table
from experiments.simulator_speed.cases import CASES, SMOKE_CASES
from experiments.simulator_speed.difftem_stages import DifftemStages
from experiments.simulator_speed.gate import prepare
from experiments.simulator_speed.measure import Sample, summarise
from experiments.simulator_speed.metadata import metadata

HERE = Path(__file__).parents[2]
WARM_UP = 2
# Of each stage, since where a process has its memory makes it faster or slower for all its life.
PROCESSES = 3
COLUMNS = ("case", "stage", "before [s]", "after [s]", "after / before (quartiles)")


class Worker:
    """A process that runs the stages of one checkout whenever it is asked to."""

    def __init__(self, checkout: Path, case: str, folder: Path, *, smoke: bool) -> None:
        command = [sys.executable, "-P", str(Path(__file__).with_name("stage_server.py"))]
        self.checkout = checkout
        self._process = subprocess.Popen(
            [*command, case, str(folder), *(["--smoke"] if smoke else [])],
            cwd=checkout,
            env=os.environ | {"PYTHONPATH": str(checkout)},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def time(self, stage: str) -> Sample:
        """Run one stage once."""
        return Sample(**self._ask(stage))

    def __enter__(self) -> "Worker":
        if not Path(self._ask("package")["package"]).is_relative_to(self.checkout):
            self.__exit__()
            raise RuntimeError(f"{self.checkout}: its processes import another difftem")
        return self

    def __exit__(self, *error: object) -> None:
        self._process.communicate()

    def _ask(self, what: str) -> dict[str, Any]:
        """Ask for a stage or for the package, and wait for the answer."""
        given, taken = self._process.stdin, self._process.stdout
        if given is not None and taken is not None:
            given.write(f"{what}\n")
            given.flush()
            if line := taken.readline():
                answer: dict[str, Any] = json.loads(line)
                return answer
        raise RuntimeError(f"the process of {self.checkout} failed at {what!r}, see above")


def compare(
    other: Path, name: str, stages: Sequence[str], repeats: int, *, smoke: bool, bar: tqdm
) -> dict[str, Any]:
    """Time stages of one case in turn: other, this, this, other, ..., in fresh processes.

    Parameters
    ----------
    other : Path
        Checkout to compare with.
    name : str
        Of the case.
    stages : sequence of str
        Names.
    repeats : int
        Timed pairs of each pair of processes.
    smoke : bool
        Take the small case.
    bar : tqdm
        Progress.

    Returns
    -------
    dict
        By stage, ``before``, ``after``, and the quartiles of the ratios of the pairs.
    """
    case = (SMOKE_CASES if smoke else CASES)[name]
    found: dict[str, Any] = {}
    with tempfile.TemporaryDirectory() as folder:
        prepare(case).save(Path(folder))
        for stage in stages:
            if stage in ("micrograph", "gradient") and not case.with_gradient:
                continue
            bar.set_description(f"{name}: {stage}")
            pairs = []
            for _ in range(PROCESSES):
                with ExitStack() as stack:
                    workers = [
                        stack.enter_context(Worker(checkout, name, Path(folder), smoke=smoke))
                        for checkout in (other, HERE)
                    ]
                    for i in range(WARM_UP + repeats):
                        # Who comes second finds the caches full of the other's numbers.
                        order = (0, 1) if i % 2 else (1, 0)
                        times = {k: workers[k].time(stage) for k in order}
                        pairs += [[times[0], times[1]]] if i >= WARM_UP else []
                        bar.update()
            before, after = (summarise(list(each)) for each in zip(*pairs, strict=True))
            ratios = [new.wall / old.wall for old, new in pairs]
            quartiles = statistics.quantiles(ratios, n=4, method="inclusive")
            found[stage] = {"before": before, "after": after, "ratio": quartiles}
    return found


def table(result: dict[str, Any]) -> str:
    """Markdown of all stages."""
    rows = []
    for case, stages in result["cases"].items():
        for stage, entry in stages.items():
            low, middle, high = entry["ratio"]
            medians = (f"{entry[key]['wall_s']['median']:.3f}" for key in ("before", "after"))
            rows.append((case, stage, *medians, f"{middle:.2f} ({low:.2f}-{high:.2f})"))
    return markdown_table(COLUMNS, rows)


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
        prog="python -m experiments.simulator_speed.before_after",
        description="Time every stage of this checkout beside the same stage of another one.",
    )
    parser.add_argument("other", type=Path, help="checkout of an earlier commit")
    parser.add_argument("--repeats", type=int, default=5, help="timed pairs of each of 3 processes")
    parser.add_argument("--cases", nargs="+", choices=CASES, default=list(CASES))
    parser.add_argument(
        "--stages", nargs="+", choices=DifftemStages.stages, default=list(DifftemStages.stages)
    )
    parser.add_argument("--output", type=Path, help="JSON to write beside the table")
    parser.add_argument("--smoke", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    other = options.other.resolve()
    if not (other / "experiments" / "simulator_speed").is_dir():
        parser.error(f"{options.other} is no checkout of difftem with this experiment")
    if options.repeats < 1:
        parser.error(f"--repeats must be at least 1, got {options.repeats}")
    commit = subprocess.run(
        ["git", "rev-parse", "HEAD"], cwd=other, capture_output=True, text=True, check=False
    )
    result: dict[str, Any] = {
        "metadata": metadata(),
        "before": commit.stdout.strip() or "unknown",
        "settings": {"repeats": options.repeats, "processes": PROCESSES, "warm_up": WARM_UP},
        "cases": {},
    }
    with tqdm(unit="pair", disable=None) as bar:
        for name in options.cases:
            result["cases"][name] = compare(
                other, name, options.stages, options.repeats, smoke=options.smoke, bar=bar
            )
    print(table(result))
    if options.output:
        options.output.parent.mkdir(parents=True, exist_ok=True)
        options.output.write_text(json.dumps(result, indent=1, allow_nan=False) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
