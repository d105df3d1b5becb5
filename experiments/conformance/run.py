"""Check everything and print one table: ``python -m experiments.conformance.run``."""

import sys
import tempfile
from collections.abc import Iterable
from pathlib import Path

from tqdm import tqdm

import difftem
from experiments._base.results import markdown_table, write_readme
from experiments.conformance import abtem_checks, detector_checks, lens_checks, scene_checks
from experiments.conformance.check import Check

COLUMNS = ["check", "", "truth", "number", "must be", "passes"]


def run_checks() -> list[Check]:
    """Run all checks, those with abTEM where it is installed.

    Returns
    -------
    list of Check
        In the order of the beam path's subjects.
    """
    with tempfile.TemporaryDirectory() as name:
        sources = (
            lens_checks.checks(),
            scene_checks.checks(Path(name)),
            detector_checks.checks(),
            abtem_checks.checks(),
        )
        with tqdm(desc="checks", unit="check", disable=None) as bar:
            made = []
            for check in (each for source in sources for each in source):
                made.append(check)
                bar.update()
    return made


def render(made: Iterable[Check]) -> str:
    """Write checks as a Markdown table."""
    rows = [
        [
            each.subject,
            each.what,
            each.truth,
            f"{each.number:.5g} {each.unit}".strip(),
            f"{each.target:g} ± {each.tolerance:.2g}",
            "yes" if each.passes else "NO",
        ]
        for each in made
    ]
    return markdown_table(COLUMNS, rows)


def main() -> int:
    """Print the table and write it; exit code 1 if a check fails."""
    made = run_checks()
    failed = sum(not each.passes for each in made)
    text = (
        f"{render(made)}\n\n{len(made) - failed} of {len(made)} pass; "
        f"difftem {difftem.__version__}."
    )
    if not abtem_checks.is_installed():
        text += " abTEM is not installed; `pip install -e '.[peers,materials]'` adds its checks."
    print(text)
    write_readme(Path(__file__).parent, "run.py", text)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
