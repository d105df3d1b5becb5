"""Small pairs of noisy and clean images, the same for the same step."""

import torch
from lightning.pytorch import LightningDataModule
from torch.utils.data import DataLoader, Dataset

from difftem.functional.wiener import wiener_estimate


class BlobPairs(Dataset):
    """Blobs under white noise: item i is a function of i."""

    def __init__(self, n, size, first, target="clean"):
        self.n, self.size, self.first, self.target = n, size, first, target

    def __len__(self):
        return self.n

    def __getitem__(self, index):
        generator = torch.Generator().manual_seed(self.first + index)
        electrons = 4.0 * 4 ** (index % 3)
        y, x = torch.meshgrid(*(torch.arange(self.size),) * 2, indexing="ij")
        at = self.size * torch.rand(5, 2, generator=generator)
        r2 = (y[..., None] - at[:, 0]) ** 2 + (x[..., None] - at[:, 1]) ** 2
        clean = torch.exp(-r2 / 18).sum(-1)
        clean = 0.4 * electrons**0.5 * (clean - clean.mean())
        noise = torch.randn(2, self.size, self.size, generator=generator)
        noisy = clean + noise[0]
        other = clean if self.target == "clean" else clean + noise[1]
        item = {"noisy": noisy, "wiener": wiener_estimate(noisy), "target": other, "clean": clean}
        item = {name: each[None] for name, each in item.items()}
        return item | {"electrons": torch.tensor(electrons), "kind": torch.tensor(index % 2)}


class Blobs(LightningDataModule):
    """Batches of `BlobPairs`."""

    kind_names = ("blobs", "dots")

    def __init__(self, n=8, size=32, batch_size=2, target="clean", n_val=4):
        super().__init__()
        self.provenance = {"size": size, "recipe": "blobs"}
        self.n, self.size, self.batch_size, self.target = n, size, batch_size, target
        self.n_val = n_val

    def train_dataloader(self):
        return DataLoader(BlobPairs(self.n, self.size, 0, self.target), self.batch_size)

    def val_dataloader(self):
        return DataLoader(BlobPairs(self.n_val, self.size, 10_000, self.target), 2)
