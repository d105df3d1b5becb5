"""Coverage of all bands of MTF and NTF: ``python -m experiments.mtf_coverage.run``."""

import argparse
import math
from collections.abc import Collection
from pathlib import Path
from statistics import mean
from typing import Any

import torch
import yaml
from tqdm import tqdm

from difftem.data.flat_field import SyntheticFlatFields
from difftem.data.knife_edge import KnifeEdge
from difftem.metrics.mtf_error import BandCoverage
from difftem.tasks.mtf_fit import fit_spectrum, measure, mtf_family
from difftem.workflows.estimate_mtf.from_edge import edge_curve
from experiments._base.results import markdown_table, save_results, write_readme

HERE = Path(__file__).parent
TMV = {"a": 0.7, "b": 0.2, "c": 0.1, "alpha": 10.0, "beta": 40.0}
LOW, HIGH = 0.90, 0.98


def repeat(case: dict[str, Any], seed: int) -> dict[str, float]:
    """Simulate and fit once.

    Parameters
    ----------
    case : dict
        Of the configuration.
    seed : int
        Of the noise; also which camera it is.

    Returns
    -------
    dict of str to float
        ``coverage``: fraction of the frequencies with a band that holds the truth, and
        ``max_error``.
    """
    cameras = case.get("cameras", ["lorentzian"])
    camera = cameras[seed % len(cameras)]
    more = {"mtf_parameters": TMV} if camera == "lorentzian" else {}
    if "edge" in case:
        edges = KnifeEdge(mtf=camera, seed=seed, angle_deg=3.0 + seed % 7, **more, **case["edge"])
        found = edge_curve(edges.crops.images, edges.facts)
        curve, error = found.curve, found.standard_error
        truth = edges.truth(found.frequency)
    else:
        data = SyntheticFlatFields(mtf=camera, seed=seed, **more, **case["data"])
        start = case.get("start", 0.0)
        gain = 1.0 if case["known"] else None
        crops = data.crops
        measured, s0 = measure(crops.images, crops.means, gain, limits=(start, 0.5))
        result = fit_spectrum(measured, mtf_family(case["family"]), s0, n_starts=2)
        curve, error = result.curve, result.standard_error
        truth = data.truth(result.frequency)
    if truth is None:
        raise ValueError("the truth is not known")
    coverage = BandCoverage()
    coverage.update(curve - 1.96 * error, curve + 1.96 * error, truth)
    return {
        "coverage": float(coverage.compute()),
        "max_error": float((curve - truth).abs().max()),
    }


def table(results: dict[str, list[dict[str, float]]], bounds: Collection[str] = ()) -> str:
    """Format all cases; the standard error is that over repetitions.

    Parameters
    ----------
    results : dict of str to list of dict
        Of `repeat`, by case.
    bounds : collection of str
        Cases whose band is a bound, which may hold the truth more often.

    Returns
    -------
    str
        Markdown.
    """
    rows = []
    for name, fits in results.items():
        coverage = [each["coverage"] for each in fits]
        middle = mean(coverage)
        spread = math.sqrt(mean((c - middle) ** 2 for c in coverage) / len(fits))
        rows.append(
            [
                name,
                len(fits),
                f"{middle:.3f} ± {spread:.3f}",
                f"{mean(each['max_error'] for each in fits):.4f}",
                _verdict(middle, name in bounds),
            ]
        )
    rows.append(["losses psd and ffl_pairwise", "", "no band", "", ""])
    return markdown_table(["case", "repetitions", "coverage", "max error", "in 0.90-0.98"], rows)


def _verdict(coverage: float, is_bound: bool) -> str:
    """Say whether a coverage is as it should be."""
    good = coverage >= LOW if is_bound else LOW <= coverage <= HIGH
    return ("yes" if good else "no") + (" (a bound: 0.90 or more)" if is_bound else "")


def main() -> None:
    """Fit, print, keep."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repetitions", type=int, help="instead of config.yaml's")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    config = yaml.safe_load((HERE / "config.yaml").read_text("utf-8"))
    repetitions = arguments.repetitions or config["repetitions"]
    results = {
        name: [repeat(case, seed) for seed in tqdm(range(repetitions), desc=name)]
        for name, case in config["cases"].items()
    }
    bounds = [name for name, case in config["cases"].items() if case.get("bound")]
    text = table(results, bounds)
    print(text)
    if not arguments.repetitions:
        save_results(HERE, "table", results)
        write_readme(HERE, "run.py", text)


if __name__ == "__main__":
    main()
