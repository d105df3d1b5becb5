"""Batches of items that are decided by seed, epoch and number, in any number of processes."""

from typing import Any

import torch
from lightning.pytorch import Trainer
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from difftem.data.epoch_sampler import EpochSampler


def item_loader(
    items: Dataset[Any],
    n: int,
    batch_size: int,
    seed: int,
    workers: int,
    trainer: Trainer | None,
    training: bool,
) -> DataLoader[dict[str, Tensor]]:
    """Load items: in another order in every epoch for training, one by one else.

    Parameters
    ----------
    items : Dataset
        Read by epoch and number, as `EpochSampler` draws them.
    n : int
        How many there are.
    batch_size : int
        Of training.
    seed : int
        Of the order.
    workers : int
        Processes that make items; 0 makes them in this one.
    trainer : Trainer, optional
        Knows how many processes share the items.
    training : bool
        Shuffle, and leave out what does not fill a batch.

    Returns
    -------
    DataLoader
        Its workers have one thread each.
    """
    processes, rank = (1, 0) if trainer is None else (trainer.world_size, trainer.global_rank)
    return DataLoader(
        items,
        batch_size if training else 1,
        sampler=EpochSampler(n, seed, training, processes, rank),
        num_workers=workers,
        drop_last=training and n >= batch_size * processes,
        persistent_workers=workers > 0,
        worker_init_fn=_one_thread,
    )


def _one_thread(worker: int) -> None:
    """Workers share the cores."""
    torch.set_num_threads(1)
