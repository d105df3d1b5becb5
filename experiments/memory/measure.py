"""One run in a process of its own: what it predicts of its memory, and what it takes.

``python -m experiments.memory.measure COMMAND ...`` prints both in bytes, as JSON.
"""

import json
import logging
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import NamedTuple

from experiments.memory.cases import MemoryCase

ROOT = Path(__file__).parents[2]


class Memory(NamedTuple):
    """Bytes of a run."""

    predicted: float
    peak: float

    @property
    def ratio(self) -> float:
        """Peak over prediction: at most 1, and not far below."""
        return self.peak / self.predicted


class _Predictions(logging.Handler):
    """Keep the largest prediction that is logged."""

    def __init__(self) -> None:
        super().__init__(logging.INFO)
        self.largest = 0.0

    def emit(self, record: logging.LogRecord) -> None:
        """Keep it."""
        self.largest = max(self.largest, getattr(record, "needed_bytes", 0.0))


def measure(case: MemoryCase) -> Memory:
    """Run a case.

    Parameters
    ----------
    case : MemoryCase
        What to run.

    Returns
    -------
    Memory
        Of the fresh process that ran it.

    Raises
    ------
    RuntimeError
        If the run failed.
    """
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "experiments.memory.measure"]
        done = subprocess.run(
            [*command, *case.command(Path(folder))],
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=False,
        )
    if done.returncode != 0:
        raise RuntimeError(f"{case.name} failed: {done.stderr.strip()}")
    found = json.loads(done.stdout.splitlines()[-1])
    return Memory(found["predicted"], found["peak"])


def main(arguments: list[str]) -> int:
    """Run a command here; its exit status."""
    from difftem.cli.main import main as difftem
    from difftem.simulation import memory
    from difftem.simulation.peak_memory import peak_memory_bytes

    memory.LARGE_BYTES = 0.0  # small runs say it too
    predictions = _Predictions()
    logging.getLogger("difftem").addHandler(predictions)
    status = difftem(arguments)
    print(json.dumps({"predicted": predictions.largest, "peak": peak_memory_bytes()}))
    return status


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
