"""Estimate MTFs of real cameras: ``python -m experiments.mtf_real.run MICROGRAPHS CURVES``."""

import argparse
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from difftem.io.star import read_mtf_star
from difftem.workflows.estimate_mtf.mtf_estimate import MTFEstimate, estimate_mtf
from experiments._base.results import markdown_table, save_results, write_readme

HERE = Path(__file__).parent


def compare(result: MTFEstimate, curve: Path, config: dict[str, Any]) -> dict[str, Any]:
    """Fit and published curve relative to one frequency."""
    frequency, value = read_mtf_star(curve)
    at = np.array([config["reference"], *config["frequencies"]])
    ours = np.interp(at, result.frequency.numpy(), result.curve.numpy())
    published = np.interp(at, frequency, value)
    sigma = np.interp(at, result.frequency.numpy(), result.standard_error.numpy())
    return {
        "family": result.family,
        "absolute": ours.tolist(),
        "standard_error": sigma.tolist(),
        "published_absolute": published.tolist(),
        "relative": (ours / ours[0]).tolist(),
        "published": (published / published[0]).tolist(),
        "warnings": list(result.warnings),
    }


def table(results: dict[str, Any], config: dict[str, Any]) -> str:
    """Format all cameras."""
    rows = []
    for name, found in results.items():
        for shown, values in (("fit", found["relative"]), ("published", found["published"])):
            numbers = [f"{v:.3f}" for v in values[1:]]
            rows.append([name, shown, *numbers])
        off = np.abs(np.array(found["relative"]) - found["published"])[1:]
        rows.append([name, "difference", *(f"{v:.3f}" for v in off)])
    columns = ["camera", "curve", *(f"{q} c/px" for q in config["frequencies"])]
    lines = [markdown_table(columns, rows), ""]
    for name, found in results.items():
        lines.append(f"Warnings, {name} (family {found['family']}):")
        lines.append("")
        lines += [f"- {text}" for text in found["warnings"]] or ["- none"]
        lines.append("")
    return "\n".join(lines)


def main() -> None:
    """Measure, print, keep."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("micrographs", type=Path, help="folder of the MRC files")
    parser.add_argument("curves", type=Path, help="folder of the STAR files")
    arguments = parser.parse_args()
    config = yaml.safe_load((HERE / "config.yaml").read_text("utf-8"))
    results = {}
    for name, camera in config["cameras"].items():
        for known in (False, True):
            dose = camera["dose"] if known else None
            result = estimate_mtf(
                arguments.micrographs / camera["micrograph"],
                dose=dose,
                dqe0=config["dqe0"] if known else None,
            )
            label = f"{name}, dose {'known' if known else 'unknown'}"
            results[label] = compare(result, arguments.curves / camera["curve"], config)
    text = table(results, config)
    print(text)
    save_results(HERE, "table", results)
    write_readme(HERE, "run.py", text)


if __name__ == "__main__":
    main()
