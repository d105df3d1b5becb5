import time

import pytest
import torch
from lightning.pytorch import Trainer
from lightning.pytorch.callbacks import ModelCheckpoint
from lightning.pytorch.loggers import CSVLogger
from torch.utils.data import DataLoader

from difftem.data.flat_field import SyntheticFlatFields
from difftem.modules import LorentzianMTF
from difftem.tasks.mtf_fit import MTFFit, fit_spectrum, measure, mtf_family, select_family
from tests.helpers.flat_fields import FITTED, GAIN, flat_fields, off_start, tmv_curve


def loader(batch, batch_size=None):
    crops = [{k: v[i] for k, v in batch.items()} for i in range(len(batch["images"]))]
    return DataLoader(crops, batch_size=batch_size or len(crops))


def trainer(path, **options):
    return Trainer(
        accelerator="cpu",
        logger=CSVLogger(path),
        log_every_n_steps=1,
        enable_progress_bar=False,
        enable_model_summary=False,
        **options,
    )


def error(task):
    result = task.result()
    return float((result.curve - tmv_curve(result.frequency)).abs().max())


def test_whittle_fits_in_one_epoch_and_resumes_as_it_was(tmp_path):
    batch = flat_fields(5, 256)
    task, fit = MTFFit(off_start(), gain=GAIN), trainer(tmp_path, max_epochs=5)
    start = time.process_time()
    fit.fit(task, loader(batch, 2))
    assert time.process_time() - start < 10  # 0.5 s where PyTorch's compiler is loaded already
    assert fit.current_epoch == 1
    assert error(task) < 0.01
    whole = fit_spectrum(measure(**batch)[0], off_start(), task.result().s0)
    torch.testing.assert_close(task.result().curve, whole.curve, atol=1e-4, rtol=0)
    again = MTFFit.load_from_checkpoint(fit.checkpoint_callback.best_model_path, mtf=off_start())
    torch.testing.assert_close(again.result().curve, task.result().curve)
    assert again.hparams.gain == GAIN
    fit.logger.save()
    head = (tmp_path / "lightning_logs/version_0/metrics.csv").read_text().splitlines()[0]
    assert {"mtf/alpha", "train/loss", "trace/loss"} <= set(head.split(","))


def test_log_spectra_through_the_simulator_stay_at_the_truth_and_the_papers_loss_leaves_it(
    tmp_path,
):
    batch, errors = flat_fields(6, 128), {}
    for loss in ("psd", "ffl_pairwise"):
        task = MTFFit(LorentzianMTF(learnable=FITTED), loss, gain=GAIN)
        trainer(tmp_path, max_epochs=80).fit(task, loader(batch))
        errors[loss] = error(task)
        if loss == "ffl_pairwise":
            assert any("inconsistent" in w for w in task.result().warnings)
            # It blurs: the spectrum it ends with is far below the measured one.
            assert task.result().curve[50] < tmv_curve(torch.tensor(0.25)) - 0.1
    assert errors["psd"] < 0.02
    assert errors["ffl_pairwise"] > 0.15


@pytest.mark.filterwarnings("ignore:Checkpoint directory")
def test_resumed_training_ends_where_uninterrupted_training_does(tmp_path):
    batch = flat_fields(4, 64)
    checkpoints = ModelCheckpoint(tmp_path / "kept", "{epoch}", save_top_k=-1)
    whole = MTFFit(off_start(), "psd", seed=3, read_noise=None)
    trainer(tmp_path, max_epochs=6, callbacks=[checkpoints]).fit(whole, loader(batch, 2))
    resumed = MTFFit(off_start(), "psd", seed=3, read_noise=None)
    same = ModelCheckpoint(tmp_path / "kept", "{epoch}", save_top_k=-1)
    trainer(tmp_path, max_epochs=6, callbacks=[same]).fit(
        resumed, loader(batch, 2), ckpt_path=str(tmp_path / "kept/epoch=2.ckpt")
    )
    for name, parameter in whole.named_parameters():
        assert torch.equal(parameter, resumed.get_parameter(name)), name


def test_aic_chooses_a_family_that_holds_the_truth():
    names = ("lorentzian", "gauss_lorentz_sinc", "log_spline_9", "lorentzian_signed")
    measured, s0 = measure(**flat_fields(10, 128), gain=GAIN)
    results = select_family(measured, names, s0, n_starts=1)
    assert results[0].family.startswith("lorentzian")
    assert results[-1].family == "gauss_lorentz_sinc"
    assert [r.aic for r in results] == sorted(r.aic for r in results)
    spline = next(r for r in results if r.family == "log_spline_9")
    assert (spline.curve - tmv_curve(spline.frequency)).abs().max() < 0.05


def test_a_family_that_runs_away_ends_at_numbers_and_the_band_of_the_choice_stays_one():
    # This spectrum sends Rullgard's exponents to infinity from one of two starts.
    tmv = {"a": 0.7, "b": 0.2, "c": 0.1, "alpha": 10.0, "beta": 40.0}
    data = SyntheticFlatFields(5, 256, 22.0, "lorentzian", tmv, seed=6)
    measured, s0 = measure(data.crops.images, data.crops.means, 1.0)
    best, *others = select_family(
        measured, ("log_spline_5", "log_spline_7", "rullgard"), s0, 0.0, 2
    )
    assert all(torch.isfinite(result.values).all() for result in (best, *others))
    assert torch.isfinite(best.curve_covariance).all()


def test_the_band_of_a_choice_is_wider_than_that_of_a_family():
    measured, s0 = measure(**flat_fields(3, 64), gain=GAIN)
    names = ("lorentzian", "log_spline_5", "log_spline_7")
    chosen = select_family(measured, names, s0, n_starts=1)[0]
    (alone,) = select_family(measured, (chosen.family,), s0, n_starts=1)
    assert chosen.standard_error.mean() > 1.02 * alone.standard_error.mean()
    torch.testing.assert_close(chosen.curve, alone.curve)


def test_a_family_that_says_nothing_of_the_level_does_not_widen_the_band():
    white = 27 + 27**0.5 * torch.randn(3, 64, 64, generator=torch.Generator().manual_seed(1))
    measured, _ = measure(white, white.mean((1, 2)))
    names = ("log_spline_5", "log_spline_7", "lorentzian_signed")
    both = select_family(measured, names[:2], n_starts=1)[0]
    chosen, *others = select_family(measured, names, n_starts=1)
    signed = next(each for each in others if each.family == "lorentzian_signed")
    assert signed.aic - chosen.aic < 10 and signed.standard_error.max() > 1.0
    torch.testing.assert_close(chosen.standard_error, both.standard_error)


def test_impossible_input_is_refused():
    with pytest.raises(ValueError, match="loss must be one of whittle, psd"):
        MTFFit(LorentzianMTF(), "mse")
    with pytest.raises(ValueError, match="gain must be positive, got -1"):
        MTFFit(LorentzianMTF(), gain=-1.0)
    with pytest.raises(ValueError, match=r"below max_frequency, got 0.4 and 0.3"):
        MTFFit(LorentzianMTF(), min_frequency=0.4, max_frequency=0.3)
    with pytest.raises(ValueError, match="no crops were seen yet"):
        MTFFit(LorentzianMTF()).result()
    with pytest.raises(ValueError, match="family must be one of lorentzian"):
        mtf_family("gauss")
    batch = flat_fields(2, 16)
    with pytest.raises(ValueError, match="crop 1 of batch 0 is constant"):
        measure(torch.stack([batch["images"][0], torch.ones(16, 16)]), batch["means"])
    with pytest.raises(ValueError, match="numbers that are not finite"):
        measure(batch["images"] / 0, batch["means"])
    with pytest.raises(ValueError, match=r"must be .n, y, x. and .n,., got .2, 16, 16. and .1,."):
        measure(batch["images"], batch["means"][:1])


def test_losses_that_are_no_likelihood_have_no_band_and_no_errors(tmp_path):
    batch = flat_fields(2, 64)
    task = MTFFit(LorentzianMTF(learnable=FITTED), "psd", gain=GAIN, compare_families=False)
    trainer(tmp_path, max_epochs=2).fit(task, loader(batch))
    result = task.result()
    assert not result.has_band
    assert bool(result.standard_error.isnan().all())
    assert any("no errors and no band" in warning for warning in result.warnings)
    report = task.report(tmv_curve)
    assert report.tables["mtf_curve"].columns == ["frequency", "ntf", "cramer_rao_error", "truth"]
    assert "fit/coverage" not in report.metrics
    assert "| none" in report.text
    whole = MTFFit(LorentzianMTF(learnable=FITTED), gain=GAIN, compare_families=False)
    trainer(tmp_path, max_epochs=2).fit(whole, loader(batch))
    assert whole.result().has_band
