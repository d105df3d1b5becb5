import signal

import pytest
import torch
from lightning.pytorch import Trainer

from difftem.workflows.generate.pending import PendingItems
from difftem.workflows.generate.task import Generate


class Recorder:
    """Remember what a task asked for."""

    def __init__(self, stop_at=None):
        self.made, self.prepared, self.stop_at = [], [], stop_at
        self.threads = set()

    def prepare(self, device):
        self.prepared.append(device)

    def make(self, index):
        if index == self.stop_at:
            signal.raise_signal(signal.SIGTERM)
        self.threads.add(torch.get_num_threads())
        self.made.append(index)


def predict(task, items):
    trainer = Trainer(
        accelerator="cpu",
        devices=1,
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        use_distributed_sampler=False,
    )
    trainer.predict(task, datamodule=PendingItems(items), return_predictions=False)


@pytest.fixture(autouse=True)
def threads_and_signals():
    threads = torch.get_num_threads()
    handlers = {each: signal.getsignal(each) for each in (signal.SIGTERM, signal.SIGINT)}
    yield
    torch.set_num_threads(threads)
    for number, handler in handlers.items():
        signal.signal(number, handler)


def test_every_item_is_made_once_by_a_producer_that_is_ready():
    recorder = Recorder()
    predict(Generate(recorder, threads=1), [4, 2, 9])
    assert recorder.made == [4, 2, 9]
    assert set(recorder.prepared) == {torch.device("cpu")}
    assert recorder.threads == {1}


def test_a_request_to_end_is_heard_before_the_next_item():
    recorder = Recorder(stop_at=2)
    with pytest.raises(SystemExit):
        predict(Generate(recorder, threads=1), [1, 2, 3])
    assert recorder.made == [1]
