"""Put weights for atoms into the package: halved in size, with what they were trained on.

python -m experiments.sbd_training.ship runs/sbd/version_0/network.safetensors --set FOLDER
"""

import argparse
from itertools import islice
from pathlib import Path

import torch
from tabulate import tabulate
from torch import Tensor, nn

from difftem.data.nanoparticles import Nanoparticles
from difftem.io.weights import read_weights, write_weights
from difftem.workflows.denoise.choice import ATOMS
from difftem.workflows.denoise.domain import trained_domain
from difftem.workflows.denoise.load_network import SHIPPED, build_network, deviation_path
from difftem.workflows.denoise.train_deviation import deviation_samples, train_deviation
from experiments.denoise_training.ship import coverage, size_of

BATCHES = 30  # of two images


class _Counts(nn.Module):
    """A network that takes counts and Wiener's estimate, whatever it makes of the latter."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, inputs: Tensor) -> Tensor:
        found: Tensor = self.network(inputs[:, : getattr(self.network, "in_channels", 2)])
        return found


def main() -> None:
    """Halve, train the deviation, print its coverage, and write the files."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("weights", type=Path)
    parser.add_argument("--set", required=True, help="folder of the set it was trained on")
    parser.add_argument("--name", default=ATOMS)
    parser.add_argument("--output", type=Path, default=SHIPPED)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    found = read_weights(arguments.weights)
    if trained_domain(found.account, arguments.weights) is None:
        raise SystemExit(
            f"{arguments.weights}: its account has no domain, it is for any pixel size"
        )
    halved = {key: tensor.half() for key, tensor in found.tensors.items()}
    network = build_network(found._replace(tensors=halved), arguments.weights)
    data = Nanoparticles(arguments.set, seed=7)
    generator = torch.Generator().manual_seed(0)
    denoiser = _Counts(network)
    samples = deviation_samples(denoiser, islice(data.train_dataloader(), BATCHES), generator)
    deviation = train_deviation(samples)
    rows = coverage(denoiser, deviation, data)
    print(tabulate(rows, ["estimate from", "pixels within one deviation"], floatfmt=".3f"))
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


if __name__ == "__main__":
    main()
