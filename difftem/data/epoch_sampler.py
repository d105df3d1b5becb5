"""Which items an epoch shows, in which order, and which of them a process of several gets."""

from collections.abc import Iterator

import torch
from torch.utils.data import DistributedSampler


class EpochSampler(DistributedSampler[tuple[int, int]]):
    """Yield ``(epoch, number)``, so that a data set can draw other noise in every epoch.

    Lightning tells it the epoch; being a `DistributedSampler`, it is not replaced by one.

    Parameters
    ----------
    n : int
        Items.
    seed : int
        Of the order.
    shuffle : bool
        Another order in every epoch; without it, always epoch 0 in order.
    processes, rank : int
        How many processes share the items, and which of them this is. What is left over when
        they have got equally many is left out of an epoch.
    """

    def __init__(
        self, n: int, seed: int, shuffle: bool = True, processes: int = 1, rank: int = 0
    ) -> None:
        super().__init__(range(n), processes, rank, shuffle, seed, drop_last=True)  # type: ignore[arg-type]  # of a data set only the length is used
        self.n = n

    def __iter__(self) -> Iterator[tuple[int, int]]:
        order = torch.arange(self.n)
        if self.shuffle:
            generator = torch.Generator().manual_seed(self.seed + 7919 * self.epoch)
            order = torch.randperm(self.n, generator=generator)
        mine = order[self.rank : len(self) * self.num_replicas : self.num_replicas]
        epoch = self.epoch if self.shuffle else 0
        return iter([(epoch, number) for number in mine.tolist()])

    def __len__(self) -> int:
        return self.n // self.num_replicas
