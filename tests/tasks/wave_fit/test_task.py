import csv
import os
from pathlib import Path

import pytest
import torch
from lightning.pytorch import LightningDataModule, Trainer
from lightning.pytorch.loggers import CSVLogger
from torch.utils.data import DataLoader

from difftem.functional.image_error import correlation
from difftem.functional.mtf import apply_transfer
from difftem.modules import LorentzianMTF
from difftem.tasks.wave_fit import WaveFit
from tests.helpers.fresh_process import in_fresh_process

SHAPE = (32, 28)
AVERAGE, CONTRAST = "image/correlation_with_average", "image/contrast_over_average"


class Exposures(LightningDataModule):
    """Two exposures of noise, behind a camera."""

    def __init__(self):
        super().__init__()
        generator = torch.Generator().manual_seed(1)
        counts = torch.poisson(torch.full((2, *SHAPE), 40.0), generator)
        self.exposures = apply_transfer(counts, LorentzianMTF().transfer(SHAPE, counts).detach())

    def train_dataloader(self):
        return DataLoader([{"exposures": self.exposures}], batch_size=None)


def trainer(steps, **options):
    settings = {"logger": False, "enable_checkpointing": False, "accelerator": "cpu", "devices": 1}
    quiet = {"enable_progress_bar": False, "enable_model_summary": False, "max_epochs": -1}
    return Trainer(max_steps=steps, **(settings | quiet | options))


def fitted(steps=30, trained_by=None, ckpt_path=None, **options):
    model = WaveFit(SHAPE, LorentzianMTF(), **options)
    trained_by = trained_by or trainer(steps)
    trained_by.fit(model, datamodule=Exposures(), ckpt_path=ckpt_path)
    return model


pytestmark = pytest.mark.filterwarnings("ignore::UserWarning:lightning")


@pytest.mark.parametrize("estimator", ["own_pixel", "measure_valued"])
def test_the_image_becomes_the_average_of_the_exposures(estimator):
    model = fitted(40, estimator=estimator, normalise=False)
    average = Exposures().exposures.mean(0)
    seen = model().detach()
    assert float(correlation(seen, average)) > 0.95
    report = model.report(notes=["a note"])
    assert report.metrics[AVERAGE] == pytest.approx(float(correlation(seen, average)), abs=1e-5)
    assert report.metrics[CONTRAST] == pytest.approx(1, abs=0.08)
    assert len(report.tables["fit_curve"].rows) == 40
    assert report.tables["fit_curve"].rows[0][1] > 1.05 * report.tables["fit_curve"].rows[-1][1]
    assert "- a note" in report.text and set(report.figures) == {"images"}
    assert [value.name for value in report.results] == [AVERAGE[6:], CONTRAST[6:]]


def test_normalised_images_end_with_too_much_contrast():
    assert fitted(40).report().metrics[CONTRAST] > 1.2


def test_a_run_that_goes_on_is_the_run_in_one_go(tmp_path):
    whole = fitted(8, samples=5)
    first = trainer(4)
    fitted(trained_by=first, samples=5)
    first.save_checkpoint(tmp_path / "half.ckpt")
    second = fitted(8, ckpt_path=tmp_path / "half.ckpt", samples=5)
    torch.testing.assert_close(second.projection, whole.projection, rtol=0, atol=0)
    assert [row["step"] for row in second.history] == [*range(1, 9)]
    assert not torch.equal(fitted(8, samples=5, seed=1).projection, whole.projection)


def curve_and_metrics(folder, **options):
    logger = CSVLogger(folder, name="", version="run")
    by = trainer(20, logger=logger, log_every_n_steps=1, **options)
    fitted(trained_by=by, samples=400, normalise=False)
    with Path(folder, "run", "metrics.csv").open() as file:
        curve = [float(row["train/loss"]) for row in csv.DictReader(file)]
    return curve, {name: float(value) for name, value in by.callback_metrics.items()}


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork on this system")
def test_two_processes_share_the_copies_and_give_the_curve_of_one(tmp_path):
    curve, one = curve_and_metrics(f"{tmp_path}/one")
    call = f"curve_and_metrics('{tmp_path}/two', devices=2, strategy='ddp_fork')"
    shared, two = in_fresh_process(__name__, call)
    assert len(curve) == len(shared) == 20 and curve[-1] < 0.95 * curve[0]
    assert shared == pytest.approx(curve, rel=0.02)  # 4 sd of a step
    assert two[CONTRAST] == pytest.approx(one[CONTRAST], abs=0.02)
    assert two[AVERAGE] == pytest.approx(one[AVERAGE], abs=0.01)
    assert two["train/loss"] != one["train/loss"]  # other electrons


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"estimator": "none"}, "estimator must be one of own_pixel, gaussian"),
        ({"samples": 0}, "samples must be at least 1 for own_pixel, got 0"),
        ({"samples": 1, "estimator": "score_function_loo"}, "at least 2 for score_function_loo"),
        ({"learning_rate": 0.0}, "learning_rate must be positive, got 0.0 e/pixel"),
        ({"betas": (0.8, 1.0)}, "betas must be from 0 to below 1, got 0.8 and 1.0"),
        ({"shape": (0, 4)}, "shape must be positive, got 0 x 4 pixels"),
    ],
)
def test_what_cannot_be_is_refused(options, words):
    with pytest.raises(ValueError, match=words):
        WaveFit(**({"shape": SHAPE} | options))


def test_exposures_of_another_shape_are_refused():
    with pytest.raises(ValueError, match=r"shape must be that of the exposures, \[32, 28\], got"):
        trainer(1).fit(WaveFit((32, 32)), datamodule=Exposures())
