"""Write the table of the README from ``results``: ``python -m experiments.table1_scale.report``."""

import math
from pathlib import Path
from statistics import median
from typing import Any

from experiments._base.results import write_report

HERE = Path(__file__).parent


def main(folder: Path = HERE) -> None:
    """Write the README of a folder that has ``results``."""
    write_report(folder, table)


def table(result: dict[str, Any]) -> str:
    """Markdown of one result file.

    Parameters
    ----------
    result : dict
        Parsed JSON of `run`.

    Returns
    -------
    str
        Medians over the processes, and the growth with the number of copies.
    """
    about = result["metadata"]
    versions = about["versions"]
    lines = [
        f"### {about.get('gpu') or about['cpu']}, {about['cpu_count']} CPU cores",
        "",
        f"{about['date'][:10]}, commit `{about['commit'][:12]}`, torch {versions['torch']}, "
        f"{about['torch_threads']} threads.",
        "",
        "| particles | template [s] | micrograph [s] | files [s] | whole process [s] (all runs) "
        "| its CPU time [s] | per second | peak memory [GB] | TEM-simulator, published [s] "
        "| GPU-TEM, published [s] |",
        "| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |",
    ]
    for key, runs in result["runs"].items():
        published = result["published"].get(key) or {}
        count = int(key.rsplit(" ", 1)[1])
        micrograph = _median(runs, "micrograph_s")
        every = ", ".join(f"{run['process_s']:.1f}" for run in runs)
        cells = [
            key,
            f"{_median(runs, 'template_s'):.1f}",
            f"{micrograph:.1f}",
            f"{_median(runs, 'writing_s'):.1f}",
            f"{_median(runs, 'process_s'):.1f} ({every})",
            f"{_median(runs, 'cpu_s'):.1f}" if "cpu_s" in runs[0] else "",  # not in old files
            f"{count / micrograph:.3g}",
            f"{max(run['peak_memory_bytes'] for run in runs) / 1e9:.1f}",
            str(published.get("tem_simulator", "")),
            str(published.get("gpu_tem", "")),
        ]
        lines.append(f"| {' | '.join(cells)} |")
    for name, (plain, beyond) in growth(result).items():
        lines += [
            "",
            f"Growth of {name}, log-log slope of micrograph time from 100 copies on: {plain:.2f}; "
            f"of the time beyond that of one copy: {beyond:.2f}.",
        ]
    return "\n".join(lines)


def growth(result: dict[str, Any]) -> dict[str, tuple[float, float]]:
    """Log-log slopes of time against number, for particles measured at several numbers.

    Parameters
    ----------
    result : dict
        Parsed JSON of `run`.

    Returns
    -------
    dict
        By particle: slope of the time of a micrograph, and of that less the time with one copy.
    """
    times: dict[str, dict[int, float]] = {}
    for key, runs in result["runs"].items():
        name, count = key.rsplit(" ", 1)
        times.setdefault(name, {})[int(count)] = _median(runs, "micrograph_s")
    slopes = {}
    for name, by_count in times.items():
        many = {count: t for count, t in by_count.items() if count >= 100}
        if len(many) > 1 and 1 in by_count:
            beyond = {count: t - by_count[1] for count, t in many.items()}
            slopes[name] = (_slope(many), _slope(beyond))
    return slopes


def _slope(times: dict[int, float]) -> float:
    """Least-squares slope in logarithms."""
    points = [(math.log(n), math.log(t)) for n, t in times.items() if t > 0]
    mean_x = sum(x for x, _ in points) / len(points)
    mean_y = sum(y for _, y in points) / len(points)
    above = sum((x - mean_x) * (y - mean_y) for x, y in points)
    return above / sum((x - mean_x) ** 2 for x, _ in points)


def _median(runs: list[dict[str, Any]], name: str) -> float:
    return median(run[name] for run in runs)


if __name__ == "__main__":
    main()
