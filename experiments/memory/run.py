"""Predicted and measured memory of ten runs, as a table that the README gets.

``python -m experiments.memory.run``
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from experiments._base.results import markdown_table, write_readme
from experiments.memory.cases import CASES, SMOKE
from experiments.memory.measure import measure

LEAST = 0.6
COLUMNS = ("run", "predicted [GB]", "peak [GB]", "peak / predicted", "within 0.6 and 1")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command.

    Parameters
    ----------
    arguments : sequence of str, optional
        Of the command line.

    Returns
    -------
    int
        Exit status: 1 if a prediction was too low, or too high.
    """
    parser = argparse.ArgumentParser(
        prog="python -m experiments.memory.run",
        description="Predict and measure the memory of ten runs.",
    )
    parser.add_argument("--smoke", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    rows, failed = [], False
    for case in SMOKE if options.smoke else CASES:
        found = measure(case)
        passes = LEAST <= found.ratio <= 1
        failed = failed or not passes
        numbers = (f"{found.predicted / 1e9:.2f}", f"{found.peak / 1e9:.2f}", f"{found.ratio:.2f}")
        rows.append((case.name, *numbers, "yes" if passes else "NO"))
    table = markdown_table(COLUMNS, rows)
    print(table)
    if not options.smoke:
        write_readme(Path(__file__).parent, "run.py", table)
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
