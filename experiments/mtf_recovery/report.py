"""Tables and figure of the study: ``python -m experiments.mtf_recovery.report``."""

import argparse
import json
from collections import defaultdict
from pathlib import Path
from statistics import mean, median

import yaml

from experiments._base.results import markdown_table, mean_and_sd, save_results, write_readme
from experiments.mtf_recovery.collect import Finished, finished
from experiments.mtf_recovery.coverage import table as coverage_table
from experiments.mtf_recovery.drift import drift_table
from experiments.mtf_recovery.figure import draw
from experiments.mtf_recovery.images import image_difference

HERE = Path(__file__).parent
# Losses in the order of the tables, with the bound that they are compared with.
LOSSES = {
    "whittle": "whittle",
    "whittle_free": "whittle_free",
    "psd": "whittle",
    "mse": "whittle",
    "ffl_0": "whittle",
    "ffl_0.5": "whittle",
    "ffl_1": "whittle",
    "ffl_2": "whittle",
    "ffl_mse": "whittle",
}
TARGETS = {("whittle", 5): 0.010, ("whittle", 50): 0.005}
TARGETS |= {("whittle_free", 5): 0.025, ("whittle_free", 50): 0.010}

Runs = dict[tuple[str, str, int], list[Finished]]


def group(study: Path) -> Runs:
    """Sort runs by detector, loss and number of backgrounds; seeds together."""
    runs: Runs = defaultdict(list)
    for run in finished(study):
        detector, number, loss, _ = run.name
        runs[detector, loss, int(number.removeprefix("n"))].append(run)
    return runs


def error_table(runs: Runs, detector: str, metric: str) -> str:
    """Mean and standard deviation over seeds, losses down, backgrounds across."""
    numbers = sorted({n for d, _, n in runs if d == detector})
    rows = []
    for loss in LOSSES:
        cells = [runs.get((detector, loss, n), []) for n in numbers]
        rows.append(
            [loss, *(mean_and_sd([r.metrics[metric] for r in c]) if c else "" for c in cells)]
        )
    if metric == "fit/max_error":
        for bound in ("whittle", "whittle_free"):
            cells = [runs.get((detector, bound, n), []) for n in numbers]
            expected = [
                f"{mean(r.metrics['fit/expected_max_error'] for r in c):.4f}" if c else ""
                for c in cells
            ]
            known = "known" if bound == "whittle" else "free"
            rows.append([f"*Cramér-Rao, s0 {known}*", *expected])
    return markdown_table(["loss", *(f"n = {n}" for n in numbers)], rows)


def ratio_table(runs: Runs) -> str:
    """Maximum and mean error over what the Cramér-Rao bound lets expect, all n together."""
    rows = []
    for loss, bound in LOSSES.items():
        cells: list[str] = [loss]
        for detector in _detectors(runs):
            for kind in ("max", "mean"):
                ratios = []
                for (d, name, n), found in runs.items():
                    if (d, name) == (detector, loss):
                        reference = runs.get((d, bound, n), [])
                        expected = [r.metrics[f"fit/expected_{kind}_error"] for r in reference]
                        errors = [r.metrics[f"fit/{kind}_error"] for r in found]
                        ratios += [mean(errors) / mean(expected)] if expected else []
                cells.append(f"{mean(ratios):.2f}" if ratios else "")
        rows.append(cells)
    columns = [f"{d}, {kind}" for d in _detectors(runs) for kind in ("max", "mean")]
    return markdown_table(["loss", *columns], rows)


def image_table(runs: Runs, doses: dict[str, float], n: int) -> str:
    """Differences of images after fitted and true MTF."""
    rows = []
    for loss in LOSSES:
        cells = [loss]
        for detector in _detectors(runs):
            found = runs.get((detector, loss, n), [])
            pairs = [image_difference(run.curve, doses[detector]) for run in found]
            cells += [mean_and_sd([p[i] for p in pairs], 2) if pairs else "" for i in (0, 1)]
        rows.append(cells)
    columns = [f"{d}, {kind} %" for d in _detectors(runs) for kind in ("mean", "max")]
    return markdown_table(["loss", *columns], rows)


def seconds_table(runs: Runs) -> str:
    """Duration of fits after loading, where it was kept."""
    rows = []
    for loss in LOSSES:
        cells = []
        for n in (5, 50):
            found = [
                run.metrics["fit/seconds"]
                for (_, name, number), same in runs.items()
                for run in same
                if (name, number) == (loss, n) and "fit/seconds" in run.metrics
            ]
            cells.append(f"{median(found):.2f}" if found else "")
        rows.append([loss, *cells])
    return markdown_table(["loss", "n = 5", "n = 50"], rows)


def target_table(runs: Runs) -> str:
    """Compare with what the project set itself."""
    rows = []
    for (loss, n), target in TARGETS.items():
        for detector in _detectors(runs):
            found = runs.get((detector, loss, n), [])
            if found:
                error = mean(run.metrics["fit/max_error"] for run in found)
                verdict = "met" if error <= target else "**missed**"
                rows.append([detector, loss, n, f"{error:.4f}", f"{target:.3f}", verdict])
    return markdown_table(["detector", "loss", "n", "max error", "target", ""], rows)


def _detectors(runs: Runs) -> list[str]:
    return sorted({detector for detector, _, _ in runs}, reverse=True)


def main() -> None:
    """Print everything, and keep it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--root", type=Path, default=Path("runs"), help="folder of the runs")
    root = parser.parse_args().root
    runs = group(root / "mtf_recovery")
    if not runs:
        raise SystemExit(f"{root}: no finished runs; python -m experiments.run comes first")
    doses = {
        d: yaml.safe_load((HERE / f"{d}.yaml").read_text("utf-8"))["data"]["init_args"]["dose"]
        for d in _detectors(runs)
    }
    sections = {"Targets": target_table(runs)}
    for d in _detectors(runs):
        sections[f"Maximum error, {d}"] = error_table(runs, d, "fit/max_error")
    for d in _detectors(runs):
        sections[f"Mean error, {d}"] = error_table(runs, d, "fit/mean_error")
    sections["Errors over the Cramér-Rao bound's"] = ratio_table(runs)
    sections["Images after the MTF, n = 50"] = image_table(runs, doses, 50)
    sections["Seconds of a fit, median"] = seconds_table(runs)
    drift, coverage = root / "mtf_recovery_drift", HERE / "results" / "coverage.json"
    if drift.is_dir():
        sections["Started at the truth"] = drift_table(drift)
    if coverage.is_file():
        sections["Bands, n = 5"] = coverage_table(json.loads(coverage.read_text("utf-8")))
    text = "\n\n".join(f"### {title}\n\n{body}" for title, body in sections.items())
    print(text)
    draw(runs, HERE / "results" / "errors.png")
    save_results(
        HERE,
        "runs",
        {
            "/".join(map(str, key)): [
                {k: round(v, 6) for k, v in run.metrics.items() if k.startswith("fit/")}
                for run in found
            ]
            for key, found in runs.items()
        },
    )
    write_readme(HERE, "report.py", text)


if __name__ == "__main__":
    main()
