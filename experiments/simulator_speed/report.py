"""Write the tables of the README from the JSON files under ``results``.

Run as ``python -m experiments.simulator_speed.report``.
"""

from pathlib import Path
from typing import Any

from experiments._base.results import write_report

HERE = Path(__file__).parent


def main(folder: Path = HERE) -> None:
    """Write the README of a folder that has ``results``."""
    write_report(folder, render)


def render(result: dict[str, Any]) -> str:
    """Turn one result file into Markdown.

    Parameters
    ----------
    result : dict
        Parsed JSON of `run`.

    Returns
    -------
    str
        A heading for the machine, and a table per case.
    """
    about = result["metadata"]
    versions = ", ".join(f"{name} {number}" for name, number in about["versions"].items())
    lines = [
        f"### {about['cpu']}, {about['cpu_count']} cores",
        "",
        f"{about['date'][:10]}, commit `{about['commit'][:12]}{_dirty(about['commit'])}`, "
        f"Python {about['python']}, {versions}; {about['torch_threads']} threads of torch; "
        f"median (interquartile range) of {result['settings']['repeats']} calls.",
    ]
    for name, entry in result["cases"].items():
        lines += ["", *_case(name, entry)]
    return "\n".join(lines)


def _case(name: str, entry: dict[str, Any]) -> list[str]:
    case, gate = entry["case"], entry["gate"]
    lines = [
        f"**{name}**: {case['title']}, {case['n_atoms']} atoms, "
        f"{case['n_pixels']} x {case['n_pixels']} at {case['pixel_size']:g} Å, "
        f"{case['n_slices']} slices of {case['slice_thickness']:g} Å",
        "",
        "| stage | difftem wall [s] | CPU [s] | peak (imports) [MB] "
        "| abTEM wall [s] | CPU [s] | peak (imports) [MB] | wall ratio | CPU ratio |",
        "| --- | --- | --- | --- | --- | --- | --- | --- | --- |",
    ]
    for stage, programs in entry["stages"].items():
        cells = [*_cells(programs.get("difftem")), *_cells(programs.get("abtem"))]
        ratio = programs.get("ratio")
        cells += [f"{ratio['wall']:.2f}", f"{ratio['cpu']:.2f}"] if ratio else ["", ""]
        lines.append(f"| {stage} | {' | '.join(cells)} |")
    for stage, ratio in entry.get("gradient_over", {}).items():
        lines += ["", f"gradient / {stage}: wall {ratio['wall']:.2f}, CPU {ratio['cpu']:.2f}."]
    checks = ", ".join(f"{key} {value:.2g}" for key, value in gate.items())
    return [*lines, "", f"Checked before: {checks}."]


def _cells(measured: dict[str, Any] | None) -> list[str]:
    if measured is None:
        return ["", "", ""]
    times = [measured[key] for key in ("wall_s", "cpu_s")]
    cells = [f"{time['median']:.3f} ({time['iqr']:.3f})" for time in times]
    memory = ""
    if "peak_mb" in measured:
        memory = f"{measured['peak_mb']:.0f} ({measured['baseline_mb']:.0f})"
    return [*cells, memory]


def _dirty(commit: str) -> str:
    return "-dirty" if commit.endswith("-dirty") else ""


if __name__ == "__main__":
    main()
