"""Fit all families to simulated cameras: ``python -m experiments.mtf_families.run FOLDER``."""

import argparse
from pathlib import Path
from typing import Any

import numpy as np
import torch
import yaml
from tqdm import tqdm

from difftem.analysis.noise_spectrum import RingSpectrum
from difftem.data.flat_field import SyntheticFlatFields
from difftem.io.star import read_mtf_star
from difftem.metrics.mtf_error import MTFError
from difftem.tasks.mtf_fit import (
    Measurement,
    fit_spectrum,
    measure,
    mtf_family,
    select_family,
    usual_families,
)
from experiments._base.results import markdown_table, mean_and_sd, save_results, write_readme

HERE = Path(__file__).parent


def closest(path: Path, family: str) -> float:
    """Maximum error of a family fitted to the published curve itself, without noise."""
    frequency, value = read_mtf_star(path)
    grid = torch.linspace(0.0025, 0.5, 200, dtype=torch.float64)
    curve = torch.from_numpy(np.interp(grid.numpy(), frequency, value))
    spectrum = RingSpectrum(grid, curve**2, torch.full_like(grid, 1e4) * grid)
    mtf = mtf_family(family, 0.5)
    fit_spectrum(Measurement(spectrum, 1), mtf, s0=1.0, n_starts=8)
    with torch.no_grad():
        return float((mtf(grid) - curve).abs().max())


def camera(path: Path, config: dict[str, Any], seed: int) -> dict[str, dict[str, float]]:
    """AIC and error of all families on simulated flat fields of a camera."""
    data = SyntheticFlatFields(
        n=config["crops"], size=config["size"], dose=config["dose"], mtf=str(path), seed=seed
    )
    crops = data.crops
    measured, s0 = measure(crops.images, crops.means, 1.0, limits=(0.0, 0.5))
    results = select_family(measured, usual_families(0.0), s0)
    truth = data.truth(results[0].frequency)
    found = {}
    for result in results:
        error = MTFError()
        error.update(result.curve, truth)
        found[result.family] = {
            "aic": result.aic - results[0].aic,
            **{f"{name}_error": float(error.compute()[name]) for name in ("max", "mean")},
        }
    return found


def table(results: dict[str, Any]) -> str:
    """Format all cameras."""
    parts = []
    for name, camera_results in results.items():
        rows = []
        for family in usual_families(0.0):
            seeds = [seed[family] for seed in camera_results["seeds"]]
            chosen = sum(seed["aic"] == 0 for seed in seeds)
            rows.append(
                [
                    family,
                    f"{camera_results['closest'][family]:.4f}",
                    mean_and_sd([seed["max_error"] for seed in seeds]),
                    mean_and_sd([seed["mean_error"] for seed in seeds]),
                    mean_and_sd([seed["aic"] for seed in seeds], 0),
                    f"{chosen} of {len(seeds)}",
                ]
            )
        columns = ["family", "without noise, max", "max error", "mean error", "ΔAIC", "chosen"]
        parts.append(f"### {name}\n\n{markdown_table(columns, rows)}")
    return "\n\n".join(parts)


def main() -> None:
    """Measure, print, keep."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, help="with the STAR files that config.yaml names")
    folder = parser.parse_args().folder
    config = yaml.safe_load((HERE / "config.yaml").read_text("utf-8"))
    results = {}
    for name, file in tqdm(config["curves"].items(), desc="cameras"):
        results[name] = {
            "closest": {f: closest(folder / file, f) for f in usual_families(0.0)},
            "seeds": [camera(folder / file, config, seed) for seed in range(config["seeds"])],
        }
    print(table(results))
    save_results(HERE, "table", {"config": config, "cameras": results})
    write_readme(HERE, "run.py", table(results))


if __name__ == "__main__":
    main()
