"""The items that a set still lacks, shared among processes."""

from collections.abc import Sequence

from lightning.pytorch import LightningDataModule
from torch.utils.data import DataLoader


class PendingItems(LightningDataModule):
    """Numbers of items to make, each on one rank of a ``Trainer`` that predicts.

    What is missing is decided before the ranks start to make it: rank 0's list counts, because a
    rank that looks for itself, later, misses what a faster one has just made and deals out the
    rest differently. The Trainer needs ``use_distributed_sampler=False``.

    Parameters
    ----------
    items : sequence of int
        What is missing; may differ between ranks.
    """

    def __init__(self, items: Sequence[int]) -> None:
        super().__init__()
        self.items = list(items)

    def setup(self, stage: str) -> None:
        """Take rank 0's list."""
        if self.trainer is not None:
            self.items = self.trainer.strategy.broadcast(self.items)

    def predict_dataloader(self) -> DataLoader[int]:
        """Name every n-th item, in order; n processes share the list."""
        rank, world = (0, 1)
        if self.trainer is not None:
            rank, world = self.trainer.global_rank, self.trainer.world_size
        # A list is a map-style data set; DataLoader's type does not say so.
        return DataLoader(
            self.items,  # type: ignore[arg-type]
            batch_size=1,
            sampler=range(rank, len(self.items), world),
        )
