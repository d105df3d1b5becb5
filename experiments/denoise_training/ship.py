"""Put trained weights into the package: halved in size, with a deviation that was calibrated.

python -m experiments.denoise_training.ship runs/denoise/version_0/cryo.safetensors --bank runs/bank
"""

import argparse
from itertools import pairwise
from pathlib import Path

import torch
from tabulate import tabulate

from difftem.data.simulated_pairs import SimulatedPairs
from difftem.io.weights import read_weights, write_weights
from difftem.simulation.bank.config import BankConfig
from difftem.workflows.denoise.deviation import calibrated_error_model, standard_deviation
from difftem.workflows.denoise.load_network import SHIPPED, build_network

BANDS = 5  # of pixels, by the size of what they show
BANDED_EVERY = 7  # pixels


def main() -> None:
    """Calibrate, print the coverage, and write the files."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("weights", type=Path)
    parser.add_argument("--name", default="cryo")
    parser.add_argument("--bank", required=True, help="folder of the bank it was trained on")
    parser.add_argument("--n-items", type=int, default=1200)
    parser.add_argument("--output", type=Path, default=SHIPPED)
    arguments = parser.parse_args()
    found = read_weights(arguments.weights)
    halved = {key: tensor.half() for key, tensor in found.tensors.items()}
    network = build_network(found._replace(tensors=halved), arguments.weights)
    data = SimulatedPairs(arguments.bank, BankConfig(n_items=arguments.n_items))
    estimates, truths = [], []
    for batch in data.val_dataloader():
        with torch.no_grad():
            estimate = network(torch.cat([batch["noisy"], batch["wiener"]], 1))
        estimates += list(estimate[:, 0])
        truths += list(batch["target"][:, 0])
    # Every other image calibrates, the rest tell how well that holds.
    weights = calibrated_error_model(estimates[::2], truths[::2])
    rows = coverage(estimates[1::2], truths[1::2], weights)
    print(tabulate(rows, ["signal from", "pixels within one deviation"], floatfmt=".3f"))
    account = {**found.account, "deviation": weights, "coverage": [share for _, share in rows]}
    arguments.output.mkdir(exist_ok=True)
    path = arguments.output / f"{arguments.name}.safetensors"
    write_weights(path, halved, account, overwrite=True)
    print(f"wrote {path} ({path.stat().st_size / 1e6:.2f} MB)")


def coverage(
    estimates: list[torch.Tensor], truths: list[torch.Tensor], weights: list[float]
) -> list[tuple[float, float]]:
    """Share of the pixels within one deviation, by bands of the signal's size."""
    size, within = [], []
    for estimate, truth in zip(estimates, truths, strict=True):
        inside = (estimate - truth).abs() < standard_deviation(estimate, weights)
        size.append(truth.abs().flatten()[::BANDED_EVERY])
        within.append(inside.flatten()[::BANDED_EVERY].float())
    order = torch.cat(size).argsort()
    edges = [int(k * len(order) / BANDS) for k in range(BANDS + 1)]
    sizes, shares = torch.cat(size)[order], torch.cat(within)[order]
    return [(float(sizes[low]), float(shares[low:high].mean())) for low, high in pairwise(edges)]


if __name__ == "__main__":
    main()
