"""Training in two processes."""

import os

import pytest
import torch
from lightning.pytorch import Trainer
from torch.utils.data import DataLoader, DistributedSampler

from difftem.networks import BiasFreeUNet
from difftem.tasks.denoise import Denoise
from tests.helpers.blobs import BlobPairs, Blobs
from tests.helpers.fresh_process import in_fresh_process


class SharedBlobs(Blobs):
    """Blobs in order, dealt out to the processes."""

    def train_dataloader(self):
        pairs, trainer = BlobPairs(self.n, self.size, 0), self.trainer
        sampler = DistributedSampler(pairs, trainer.world_size, trainer.global_rank, shuffle=False)
        return DataLoader(pairs, self.batch_size, sampler=sampler)


def fit(batch_size, **options):
    torch.manual_seed(0)
    network = BiasFreeUNet(channels=(16, 16), blocks=(1, 1), unshuffle=2)
    trainer = Trainer(
        accelerator="cpu",
        max_steps=6,
        max_epochs=-1,
        val_check_interval=3,
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        **options,
    )
    model = Denoise(network, learning_rate=1e-3, warm_up=2)
    trainer.fit(model, datamodule=SharedBlobs(n=24, batch_size=batch_size))
    return {name: float(value) for name, value in trainer.callback_metrics.items()}


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork on this system")
@pytest.mark.filterwarnings("ignore::UserWarning")  # of Lightning, about workers and samplers
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_two_processes_of_half_the_batch_give_the_curve_of_one():
    one = fit(4)
    two = in_fresh_process(__name__, "fit(2, devices=2, strategy='ddp_fork')")
    assert one.keys() == two.keys()
    assert one["val/ratio"] != pytest.approx(1.0, abs=1e-3)
    for name in ("val/loss", "val/ratio", "val/ratio_worst", "val/kind_dots/psnr", "val/ssim"):
        assert two[name] == pytest.approx(one[name], rel=1e-3), name
