"""Results of an experiment: JSON beside it, tables in its README."""

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from tabulate import tabulate

BEGIN, END = "<!-- results: written by {} -->", "<!-- end of results -->"


def markdown_table(columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> str:
    """Format a table; cells stand as they are."""
    return tabulate(rows, columns, tablefmt="pipe", disable_numparse=True)


def mean_and_sd(values: Sequence[float], digits: int = 4) -> str:
    """Format a mean with its standard deviation over seeds."""
    mean = sum(values) / len(values)
    if len(values) < 2:
        return f"{mean:.{digits}f}"
    variance = sum((v - mean) ** 2 for v in values) / (len(values) - 1)
    return f"{mean:.{digits}f} ± {variance**0.5:.{digits}f}"


def save_results(folder: Path, name: str, results: dict[str, Any]) -> None:
    """Write ``results/NAME.json`` in the folder of an experiment."""
    path = folder / "results" / f"{name}.json"
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps(results, indent=1) + "\n", "utf-8")


def write_report(folder: Path, render: Callable[[dict[str, Any]], str], skip: str = "") -> None:
    """Put what ``results/*.json`` say between the marks of ``report.py``.

    Parameters
    ----------
    folder : Path
        Of the experiment.
    render : callable
        Markdown of one file.
    skip : str, optional
        End of names that are left out.

    Raises
    ------
    ValueError
        If the README has no such marks.
    """
    files = sorted((folder / "results").glob("*.json"))
    wanted = [path for path in files if not (skip and path.stem.endswith(skip))]
    parts = [render(json.loads(path.read_text("utf-8"))) for path in wanted]
    write_readme(folder, "report.py", "\n\n".join(parts) or "None yet.")


def write_readme(folder: Path, script: str, text: str) -> None:
    """Put text between the marks of a script in the experiment's README.

    Parameters
    ----------
    folder : Path
        Of the experiment.
    script : str
        Name in the mark, e.g. ``report.py``.
    text : str
        Markdown.

    Raises
    ------
    ValueError
        If the README has no such mark.
    """
    write_marked(folder / "README.md", script, text)


def write_marked(path: Path, script: str, text: str) -> None:
    """Put text between the marks of a script in a file, as `write_readme` does."""
    begin = BEGIN.format(script)
    before, found, rest = path.read_text("utf-8").partition(begin)
    _, closed, after = rest.partition(END)
    if not (found and closed):
        raise ValueError(f"{path}: no {begin} with {END} behind it")
    path.write_text(f"{before}{begin}\n\n{text.strip()}\n\n{END}{after}", "utf-8")
