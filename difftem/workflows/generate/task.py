"""Making the items of a set, shared among the processes of a Trainer."""

import multiprocessing
import os
import signal
import threading
from multiprocessing import connection
from types import FrameType
from typing import Protocol

import torch
from lightning.pytorch import LightningModule
from torch import Tensor


class Producer(Protocol):
    """What makes items: picklable, because processes get copies of it."""

    def prepare(self, device: torch.device) -> None:
        """Get ready; called before the first item, and again at no cost."""

    def make(self, index: int) -> None:
        """Make one item and keep it."""


class Generate(LightningModule):
    """Let a producer make the items that a data loader names, for ``Trainer.predict``.

    Parameters
    ----------
    producer : Producer
        Makes an item from its number and writes it; an item must not depend on who makes it.
    threads : int
        PyTorch's threads in each process; that of rank 0 counts.
    """

    def __init__(self, producer: Producer, threads: int) -> None:
        super().__init__()
        self.producer = producer
        self.threads = threads
        # A process may find nothing left for it.
        self.allow_zero_length_dataloader_with_multiple_devices = True

    def prepare_data(self) -> None:
        """Get one process of each machine ready first: it fills a cache for the others."""
        self.producer.prepare(self.trainer.strategy.root_device)

    def setup(self, stage: str) -> None:
        """Agree on the number of threads, which the last bits of an item depend on."""
        self.threads = self.trainer.strategy.broadcast(self.threads)
        torch.set_num_threads(self.threads)
        if multiprocessing.parent_process() is not None:
            threading.Thread(target=_end_with_parent, daemon=True).start()

    def on_predict_start(self) -> None:
        """Get ready, and end at once when told to: Lightning would finish the epoch."""
        if threading.current_thread() is threading.main_thread():
            interrupt = _Interrupt()
            signal.signal(signal.SIGTERM, interrupt)
            if multiprocessing.parent_process() is not None:
                signal.signal(signal.SIGINT, interrupt)
        self.producer.prepare(self.device)

    def predict_step(self, batch: Tensor, batch_idx: int) -> Tensor:
        """Make one item.

        Parameters
        ----------
        batch : Tensor
            Number of the item, shape ``(1,)``.
        batch_idx : int
            Not used.

        Returns
        -------
        Tensor
            The number; the item is kept by the producer.
        """
        self.producer.make(int(batch))
        return batch

    def teardown(self, stage: str) -> None:
        """Wait for the others: behind this, all items are there."""
        self.trainer.strategy.barrier()


class _Interrupt:
    """Told to end: tidy up as after Ctrl-C; one of several processes leaves that to its parent."""

    def __init__(self) -> None:
        self.came = False

    def __call__(self, number: int, frame: FrameType | None) -> None:
        if multiprocessing.parent_process() is not None:
            # Ctrl-C reaches the parent too, which then sends SIGTERM. No exception: Python drops
            # those that come up in a destructor.
            if number == signal.SIGTERM:
                os._exit(128 + number)
        elif not self.came:
            self.came = True
            raise KeyboardInterrupt


def _end_with_parent() -> None:
    """End this process when the one that started it is gone, even by SIGKILL."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        connection.wait([parent.sentinel])
        os._exit(1)
