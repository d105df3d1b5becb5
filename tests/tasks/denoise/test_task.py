"""Training of a denoiser."""

import csv
import math

import pytest
import torch
from lightning.pytorch import Trainer
from lightning.pytorch.callbacks import EMAWeightAveraging, ModelCheckpoint
from lightning.pytorch.loggers import CSVLogger

from difftem.callbacks import LogReport
from difftem.networks import BiasFreeUNet
from difftem.networks.live_channels import DeadNetworkError
from difftem.tasks.denoise import Denoise, denoising_loss
from difftem.tasks.denoise.panels import Panel, draw_panels
from tests.helpers.blobs import Blobs
from tests.helpers.dashboard_keys import missing_keys

SMALL = {"channels": (32, 32), "blocks": (1, 1), "unshuffle": 2}


def trainer(path=None, steps=8, callbacks=(), **options):
    quiet = {"enable_progress_bar": False, "enable_model_summary": False}
    logger = False if path is None else CSVLogger(path, name=None, version="run")
    keep = any(isinstance(each, ModelCheckpoint) for each in callbacks)
    return Trainer(
        accelerator="cpu",
        max_steps=steps,
        max_epochs=-1,
        log_every_n_steps=1,
        logger=logger,
        enable_checkpointing=keep,
        callbacks=list(callbacks),
        **quiet,
        **options,
    )


def task(seed=0, **options):
    torch.manual_seed(seed)
    return Denoise(BiasFreeUNet(**SMALL), **{"warm_up": 2, "learning_rate": 1e-3, **options})


def test_training_beats_wieners_filter_and_reports_it(tmp_path):
    model = task()
    run = trainer(tmp_path, 60, [EMAWeightAveraging(decay=0.9), LogReport()])
    run.fit(model, datamodule=Blobs(n=120, n_val=6, size=48))
    ratio = model.groups[""]["ratio"]
    assert 0.2 < ratio < 0.8
    assert model.groups[""]["images"] == 6
    assert set(model.groups) == {
        *("", "dose_0_5", "dose_15_50", "dose_50_up", "kind_blobs", "kind_dots")
    }
    assert model.groups[""]["ratio_worst"] >= ratio
    folder = tmp_path / "run"
    text = (folder / "report.md").read_text("utf-8")
    assert "| kind_dots |" in text
    assert "99 % of the gradient" in text
    for name in ("fit_panels.png", "fit_curve.png"):
        assert (folder / name).read_bytes().startswith(b"\x89PNG")
    assert not missing_keys(folder, "Denoise")
    with (folder / "metrics.csv").open() as file:
        rows = list(csv.DictReader(file))
    losses = [float(row["train/loss_above_wiener"]) for row in rows if row["train/loss"]]
    assert len(losses) == 60
    assert sum(losses[-10:]) / 10 < math.log(0.8) < losses[0] < 0.01
    assert float([row for row in rows if row["val/ratio"]][-1]["val/ratio"]) == pytest.approx(ratio)
    assert float([row for row in rows if row["live/encoder.1"]][-1]["live/encoder.1"]) == 1.0


def test_training_fails_at_the_start_when_a_level_is_dead():
    model = task()
    with torch.no_grad():
        model.network.down[0].weight.zero_()
    with pytest.raises(DeadNetworkError, match=r"encoder\.1"):
        trainer().fit(model, datamodule=Blobs())


@pytest.mark.parametrize("validate", [True, False])
def test_training_fails_when_a_level_dies_on_the_way(validate):
    model = task()

    class Killer(EMAWeightAveraging):
        """Keep a level at zero from a step on."""

        def on_train_batch_end(self, trainer, pl_module, *_):
            if trainer.global_step >= 3:
                with torch.no_grad():
                    pl_module.network.down[0].weight.zero_()
            super().on_train_batch_end(trainer, pl_module, *_)

    killer = Killer(decay=0.0)
    options = {} if validate else {"limit_val_batches": 0}
    run = trainer(None, 120, [killer], num_sanity_val_steps=0, **options)
    with pytest.raises(DeadNetworkError, match=r"no channel of encoder\.1 varies"):
        run.fit(model, datamodule=Blobs(size=16))
    assert run.global_step == (4 if validate else 100)


def state(model):
    return {name: value.clone() for name, value in model.network.state_dict().items()}


@pytest.mark.filterwarnings("ignore:Checkpoint directory")
def test_a_run_that_is_resumed_ends_as_one_that_was_not(tmp_path):
    whole, second = task(), task(seed=1)
    keep = ModelCheckpoint(tmp_path, filename="{step}", every_n_train_steps=4, save_top_k=-1)
    trainer(None, 12, [EMAWeightAveraging(decay=0.8), keep]).fit(whole, datamodule=Blobs())
    path = tmp_path / "step=8.ckpt"
    assert path.is_file()
    content = torch.load(path, weights_only=True)
    trained = {k.removeprefix("network."): v for k, v in content["current_model_state"].items()}
    averaged = {k.removeprefix("network."): v for k, v in content["state_dict"].items()}
    assert any(not torch.equal(trained[k], averaged[k]) for k in trained)
    trainer(None, 12, [EMAWeightAveraging(decay=0.8), keep]).fit(
        second, datamodule=Blobs(), ckpt_path=path, weights_only=True
    )
    for name, value in state(whole).items():
        torch.testing.assert_close(second.network.state_dict()[name], value, atol=0, rtol=0)
    assert second.history[0] == whole.history[0]  # of before
    assert second.history[-1] == whole.history[-1]


@pytest.mark.parametrize("loss", ["noise2noise", "count_split"])
def test_noisy_targets_rank_estimates_as_the_clean_image_does(loss, generator):
    clean = torch.randn(4, 1, 64, 64, generator=generator)
    good, bad = clean + 0.1, 1.5 * clean
    noise = torch.tensor([0.5, 1.0, 2.0, 4.0])
    sigma = noise.sqrt()[:, None, None, None]
    gains = []
    for _ in range(60):
        target = clean + sigma * torch.randn(clean.shape, generator=generator)
        losses = [float(denoising_loss(loss, each, target, noise)) for each in (good, bad)]
        gains.append(losses[1] - losses[0])
    found = torch.tensor(gains, dtype=torch.float64)
    errors = [((e - clean).square().mean((1, 2, 3)) / noise).mean() for e in (good, bad)]
    assert float(found.std()) > 0
    assert abs(float(found.mean() - (errors[1] - errors[0]))) < 3 * float(found.std()) / 60**0.5


def test_noisy_targets_are_scored_against_the_clean_image_where_there_is_one():
    model = task(loss="noise2noise", learning_rate=1e-5)
    trainer(None, 4).fit(model, datamodule=Blobs(target="noisy"))
    assert 0.98 < model.groups[""]["ratio"] < 1.02
    assert 1.0 < model.history[-1]["val/loss_wiener"] < 2.0


def test_the_loss_counts_every_image_the_same(generator):
    target = torch.randn(2, 1, 8, 8, generator=generator)
    off = torch.tensor([0.1, 10.0])[:, None, None, None]
    loss = denoising_loss("supervised", target + off, target, epsilon=1e-12)
    assert float(loss) == pytest.approx(0.5 * (math.log(0.01) + math.log(100)), abs=1e-4)
    noise = torch.tensor([0.01, 100.0])
    assert float(denoising_loss("count_split", target + off, target, noise)) == pytest.approx(1.0)
    assert float(denoising_loss("noise2noise", target + off, target)) == pytest.approx(50.005)


def test_the_rate_rises_and_falls_to_a_hundredth_at_the_trainers_end(tmp_path):
    model = task(learning_rate=1e-3, warm_up=4)
    run = trainer(None, 12)
    run.fit(model, datamodule=Blobs())
    factor = run.lr_scheduler_configs[0].scheduler.lr_lambdas[0]
    assert [factor(i) for i in range(4)] == [0.25, 0.5, 0.75, 1.0]
    assert factor(4) == 1.0
    assert factor(8) == pytest.approx(0.505)
    assert factor(12) == pytest.approx(0.01) == factor(99)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"loss": "l1"}, "loss must be one of supervised, noise2noise, count_split, got 'l1'"),
        ({"learning_rate": 2e-3}, "at most 0.001, got 0.002"),
        ({"warm_up": -1}, "warm_up must not be negative, got -1"),
        ({"epsilon": 0.0}, "epsilon must be positive"),
        ({"weight_decay": -1.0}, "weight_decay must not be negative"),
    ],
)
def test_impossible_values_are_refused(options, message):
    with pytest.raises(ValueError, match=message):
        task(**options)


def test_a_panel_of_blank_ice_has_the_range_of_what_wieners_filter_leaves(generator):
    noisy = torch.randn(32, 32, generator=generator)
    blank = Panel([noisy, 0.1 * noisy, 0.01 * noisy, torch.zeros(32, 32)], 4.0, "empty")
    figure = draw_panels([blank, Panel([noisy, 0.1 * noisy, 0.1 * noisy, None], 4.0, "")])
    low, high = figure.axes[3].images[0].get_clim()
    assert low == pytest.approx(-0.3, abs=0.05)
    assert high == pytest.approx(0.3, abs=0.05)
    assert not figure.axes[7].images
