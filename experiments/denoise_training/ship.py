"""Put trained weights into the package, halved in size, and train the deviation beside them.

python -m experiments.denoise_training.ship runs/denoise/version_0/cryo.safetensors --bank runs/bank
"""

import argparse
from itertools import islice
from pathlib import Path

import torch
from lightning.pytorch import LightningDataModule
from tabulate import tabulate
from torch import Tensor

from difftem.data.simulated_pairs import SimulatedPairs
from difftem.io.weights import read_weights, write_weights
from difftem.networks import DeviationNetwork
from difftem.simulation.bank.config import BankConfig
from difftem.workflows.denoise.deviation import network_deviation
from difftem.workflows.denoise.load_network import SHIPPED, build_network, deviation_path
from difftem.workflows.denoise.train_deviation import deviation_samples, train_deviation

BATCHES = 240  # of two images
BANDS = 5  # of pixels, by the size of what they show
EVERY = 7  # pixels
ELECTRONS = (1.0, 200.0)  # per pixel: as users have them


def main() -> None:
    """Halve, train, print the coverage, and write the files."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("weights", type=Path)
    parser.add_argument("--name", default="cryo")
    parser.add_argument("--bank", required=True, help="folder of the bank it was trained on")
    parser.add_argument("--n-items", type=int, default=BankConfig().n_items)
    parser.add_argument("--output", type=Path, default=SHIPPED)
    arguments = parser.parse_args()
    found = read_weights(arguments.weights)
    halved = {key: tensor.half() for key, tensor in found.tensors.items()}
    network = build_network(found._replace(tensors=halved), arguments.weights)
    data = SimulatedPairs(
        arguments.bank, BankConfig(n_items=arguments.n_items), electrons=ELECTRONS, seed=7
    )
    generator = torch.Generator().manual_seed(0)
    samples = deviation_samples(network, islice(data.train_dataloader(), BATCHES), generator)
    deviation = train_deviation(samples)
    rows = coverage(network, deviation, data)
    print(tabulate(rows, ["estimate from", "pixels within one deviation"], floatfmt=".3f"))
    arguments.output.mkdir(exist_ok=True)
    path = arguments.output / f"{arguments.name}.safetensors"
    write_weights(path, halved, found.account, overwrite=True)
    account = {
        "network": {"class": "DeviationNetwork", "config": deviation.config},
        "denoiser": arguments.name,
        "images": 2 * BATCHES,
        "coverage": [{"estimate_from": size, "within": share} for size, share in rows],
    }
    beside = deviation_path(path)
    write_weights(beside, dict(deviation.state_dict()), account, overwrite=True)
    print(f"wrote {path} and {beside}: {(size_of(path) + size_of(beside)) / 1e6:.2f} MB")


def size_of(path: Path) -> int:
    """Bytes of a file."""
    return path.stat().st_size


@torch.no_grad()
def coverage(
    network: torch.nn.Module, deviation: DeviationNetwork, data: LightningDataModule
) -> list[tuple[float, float]]:
    """Share of validation's pixels within one deviation, by bands of what the estimate shows."""
    sizes: list[Tensor] = []
    within: list[Tensor] = []
    for batch in data.val_dataloader():
        found = network(torch.cat([batch["noisy"], batch["wiener"]], 1))[:, 0]
        for estimate, wiener, target in zip(
            found, batch["wiener"][:, 0], batch["target"][:, 0], strict=True
        ):
            inside = (estimate - target).abs() < network_deviation(deviation, estimate, wiener)
            sizes.append(estimate.abs().flatten()[::EVERY])
            within.append(inside.flatten()[::EVERY].float())
    order = torch.cat(sizes).argsort()
    size, share = torch.cat(sizes)[order], torch.cat(within)[order]
    edges = [int(k * len(order) / BANDS) for k in range(BANDS)]
    return [
        (float(size[low]), float(part.mean()))
        for low, part in zip(edges, share.tensor_split(edges[1:]), strict=True)
    ]


if __name__ == "__main__":
    main()
