import inspect

import lightning.pytorch as pl
import pytest
import torch
from jsonargparse import ArgumentParser

from difftem.data.flat_field import SyntheticFlatFields
from difftem.data.knife_edge import KnifeEdge
from difftem.data.real_crops import RealCrops


class Mean(pl.LightningModule):
    """Learns the mean grey value of the crops."""

    def __init__(self):
        super().__init__()
        self.level = torch.nn.Parameter(torch.zeros(()))
        self.seen = []

    def training_step(self, batch, batch_idx):
        self.seen.append(batch["images"].shape)
        return (self.level - batch["means"]).square().mean()

    def test_step(self, batch, batch_idx):
        self.log("distance", (self.level - batch["means"]).abs().mean())

    def configure_optimizers(self):
        return torch.optim.LBFGS(self.parameters())


def test_a_trainer_takes_the_crops_without_a_word_of_warning():
    module = Mean()
    data = SyntheticFlatFields(n=3, size=32, dose=7.0)
    trainer = pl.Trainer(
        max_epochs=2,
        accelerator="cpu",
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        log_every_n_steps=1,
    )
    trainer.fit(module, datamodule=data)
    trainer.test(module, datamodule=data, verbose=False)
    assert set(module.seen) == {(3, 32, 32)}
    assert float(trainer.callback_metrics["distance"]) < 0.2
    assert data.truth(torch.zeros(1)).item() == pytest.approx(1)


@pytest.mark.parametrize("made", [SyntheticFlatFields, RealCrops, KnifeEdge])
def test_command_line_shows_every_argument_with_its_help(made):
    parser = ArgumentParser()
    parser.add_class_arguments(made, "data")
    text = " ".join(parser.format_help().split())
    for name in list(inspect.signature(made).parameters):
        assert f"--data.{name} " in text
    assert "Crops in a batch" in text or "Images in a batch" in text
