"""Measure bias and error of the estimators: ``python -m experiments.poisson_gradients.run``."""

from pathlib import Path
from typing import Any

import torch
import yaml
from torch import Tensor
from tqdm import tqdm

from difftem.functional.grid import frequency_grid, radius
from difftem.modules import LorentzianMTF
from experiments._base.results import markdown_table, mean_and_sd, save_results, write_readme
from experiments.poisson_gradients.estimators import ESTIMATORS, exact

HERE = Path(__file__).parent


def setting(config: dict[str, Any], generator: torch.Generator) -> tuple[Tensor, Tensor, Tensor]:
    """Smooth rate, a measured image of the same scene, and the transfer function."""
    shape = (config["size"], config["size"])
    frequency = radius(frequency_grid(shape, 1.0, half=True))
    noise = torch.fft.rfft2(torch.randn(shape, generator=generator, dtype=torch.float64))
    smooth = torch.fft.irfft2(
        noise * torch.exp(-((frequency / config["smoothness"]) ** 2)), s=shape
    )
    smooth = smooth - smooth.mean()
    rate = config["mean"] * (1 + config["contrast"] * smooth / smooth.std()).clamp(min=0.1)
    transfer = LorentzianMTF(**config["mtf"]).double()(frequency)
    counts = torch.poisson(rate, generator=generator)
    target = torch.fft.irfft2(torch.fft.rfft2(counts) * transfer, s=shape)
    return rate, target, transfer


def measure(config: dict[str, Any], seed: int) -> dict[str, dict[str, float]]:
    """Relative bias and root mean square error of one batch, of every estimator."""
    generator = torch.Generator().manual_seed(seed)
    rate, target, transfer = setting(config, generator)
    truth = exact(rate, target, transfer)
    norm = float(truth.norm())
    found = {}
    for name, estimator in ESTIMATORS.items():
        batches = torch.stack(
            [
                estimator(rate, target, transfer, config["samples"], generator)
                for _ in range(config["batches"])
            ]
        )
        scatter = float(batches.var(0).sum())
        offset = float((batches.mean(0) - truth).square().sum())
        # The mean of a few batches is off by its own noise, too.
        unbiased = offset - scatter / config["batches"]
        error = float((batches - truth).square().sum((-2, -1)).mean()) ** 0.5
        noise = scatter * (2 / truth.numel()) ** 0.5 / config["batches"]
        found[name] = {
            "bias": max(unbiased, 0.0) ** 0.5 / norm,
            "bias_limit": (2 * noise) ** 0.5 / norm,
            "error": error / norm,
        }
    return found


def main() -> None:
    """Measure, print, keep."""
    torch.set_default_dtype(torch.float32)
    config = yaml.safe_load((HERE / "config.yaml").read_text("utf-8"))
    seeds = [measure(config, seed) for seed in tqdm(range(config["seeds"]), desc="seeds")]
    rows = []
    for name in ESTIMATORS:
        bias = [seed[name]["bias"] for seed in seeds]
        limit = max(seed[name]["bias_limit"] for seed in seeds)
        mean = sum(bias) / len(bias)
        shown = mean_and_sd(bias, 3) if mean > limit else f"none above {limit:.2g}"
        rows.append([name, shown, mean_and_sd([seed[name]["error"] for seed in seeds], 2)])
    table = markdown_table(["estimator", "relative bias", "relative RMS error of a batch"], rows)
    print(table)
    save_results(HERE, "table", {"config": config, "seeds": seeds})
    write_readme(HERE, "run.py", table)


if __name__ == "__main__":
    main()
