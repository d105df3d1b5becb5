"""Write the tables of the README from the JSON files under ``results``.

Run as ``python -m experiments.kernel_speed.report``.
"""

from pathlib import Path
from typing import Any

from experiments._base.results import write_report

HERE = Path(__file__).parent


def main(folder: Path = HERE) -> None:
    """Write the README of a folder that has ``results``."""
    write_report(folder, render, skip="_table1")


def render(result: dict[str, Any]) -> str:
    """Turn one result file into Markdown.

    Parameters
    ----------
    result : dict
        Parsed JSON of `run`.

    Returns
    -------
    str
        A heading for the device and one table.
    """
    about = result["metadata"]
    versions = f"torch {about['versions'].get('torch')}"
    versions += f", triton {about['triton']}" if about["triton"] else ""
    dirty = "-dirty" if about["commit"].endswith("-dirty") else ""
    lines = [
        f"### {about['device']}",
        "",
        f"{about['date'][:10]}, commit `{about['commit'][:12]}{dirty}`, {versions}; copying moves "
        f"{result['bandwidth'] / 1e9:.0f} GB/s; median (interquartile range) of "
        f"{result['settings']['repeats']} calls.",
        "",
        "| op | size | by | forward [ms] | of the floor | with gradient [ms] | of the floor "
        "| gradient / forward | peak [MB] |",
        "| --- | --- | --- | --- | --- | --- | --- | --- | --- |",
    ]
    lines += [_row(entry, result["bandwidth"]) for entry in result["times"]]
    worst = max(result["errors"].values(), default=float("nan"))
    return "\n".join([*lines, "", f"Largest error against float64: {worst:.1e}."])


def _row(entry: dict[str, Any], bandwidth: float) -> str:
    cells = [entry["op"], entry["size"], entry["by"]]
    for which in ("forward", "both"):
        time = entry[which]
        fraction = entry["floor_bytes"][which] / bandwidth / time["median"]
        cells += [f"{time['median'] * 1e3:.3g} ({time['iqr'] * 1e3:.2g})", f"{fraction:.0%}"]
    cells.append(f"{entry['both']['median'] / entry['forward']['median']:.1f}")
    cells.append(f"{entry['both']['peak_mb']:.0f}" if "peak_mb" in entry["both"] else "")
    return f"| {' | '.join(cells)} |"


if __name__ == "__main__":
    main()
