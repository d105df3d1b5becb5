"""Run stages by name from standard input, with the package that the environment points to.

`before_after` starts this file by its path, so that an older checkout need not have it: what it
imports comes from ``PYTHONPATH``. For each name it prints wall and CPU time as a line of JSON.
"""

import json
import sys
from pathlib import Path

import difftem
from experiments.simulator_speed.cases import CASES, SMOKE_CASES
from experiments.simulator_speed.difftem_stages import DifftemStages
from experiments.simulator_speed.inputs import Inputs
from experiments.simulator_speed.measure import time_call


def main() -> None:
    """Serve until standard input ends."""
    name, folder, *smoke = sys.argv[1:]
    case = (SMOKE_CASES if smoke else CASES)[name]
    for line in sys.stdin:
        stage = line.strip()
        if stage == "package":
            print(json.dumps({"package": difftem.__file__}), flush=True)
            continue
        stages = DifftemStages(case, Inputs.load(Path(folder), stage))
        print(json.dumps(time_call(getattr(stages, stage))._asdict()), flush=True)


if __name__ == "__main__":
    main()
