import csv

import pytest
import torch
from lightning.pytorch import Trainer
from lightning.pytorch.demos.boring_classes import BoringModel
from lightning.pytorch.loggers import CSVLogger

from difftem.callbacks import LogReport
from difftem.data.flat_field import SyntheticFlatFields
from difftem.io.account import give_account
from difftem.tasks.mtf_fit import MTFFit
from tests.helpers.dashboard_keys import missing_keys
from tests.helpers.flat_fields import off_start


def fit(path, task, data=None, **options):
    trainer = Trainer(
        accelerator="cpu",
        logger=CSVLogger(path, name=None, version="run"),
        callbacks=[LogReport(**options)],
        max_epochs=1,
        log_every_n_steps=1,
        enable_progress_bar=False,
        enable_model_summary=False,
        enable_checkpointing=False,
    )
    trainer.fit(task, datamodule=data)
    return path / "run"


def test_a_fit_leaves_report_table_figures_and_errors_against_the_truth(tmp_path):
    data = SyntheticFlatFields(
        n=4, size=64, dose=10.0, mtf="lorentzian", mtf_parameters={"a": 0.7, "b": 0.2, "c": 0.1}
    )
    task = MTFFit(off_start(), gain=1.0, compare_families=False)
    run = fit(tmp_path, task, data)
    assert "| truth" in (run / "report.md").read_text("utf-8")
    with (run / "mtf_curve.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 101
    frequency = torch.tensor([float(row["frequency"]) for row in rows])
    truth = torch.tensor([float(row["truth"]) for row in rows])
    torch.testing.assert_close(truth, data.truth(frequency), atol=1e-6, rtol=0)
    for name in ("fit_mtf.png", "data_crops.png"):
        assert (run / name).read_bytes().startswith(b"\x89PNG")
    with (run / "metrics.csv").open() as file:
        last = [row for row in csv.DictReader(file) if row["fit/max_error"]][-1]
    assert 0 < float(last["fit/max_error"]) < 0.2
    assert float(last["fit/seconds"]) > 0
    assert not missing_keys(run, "MTFFit")
    assert not [each for each in run.iterdir() if each.name.startswith(".")]


def test_figures_can_be_left_out(tmp_path):
    data = SyntheticFlatFields(n=2, size=64)
    run = fit(tmp_path, MTFFit(off_start(), compare_families=False), data, figures=False)
    assert not list(run.glob("*.png"))
    assert (run / "report.md").is_file()


def test_tasks_without_a_report_are_left_alone(tmp_path):
    run = fit(tmp_path, BoringModel())
    assert not (run / "report.md").exists()


def test_the_report_names_what_was_read_of_files(tmp_path, caplog):
    caplog.set_level("INFO", "difftem")

    class Read(SyntheticFlatFields):
        def make_crops(self):
            give_account("a.mrc", ["1 image"], ["origin"])
            return super().make_crops()

    run = fit(
        tmp_path, MTFFit(off_start(), compare_families=False), Read(n=2, size=64), figures=False
    )
    assert "- a.mrc: 1 image; not used: origin" in (run / "report.md").read_text("utf-8")


@pytest.mark.parametrize("task", [MTFFit(off_start(), compare_families=False), BoringModel()])
def test_every_process_asks_for_the_folder_as_often_as_the_first(tmp_path, monkeypatch, task):
    asked = []

    def log_dir(trainer):
        asked.append(trainer.global_rank)  # and waits for the other processes
        return str(tmp_path)

    monkeypatch.setattr(Trainer, "log_dir", property(log_dir))
    data = SyntheticFlatFields(n=2, size=64) if isinstance(task, MTFFit) else None
    fit(tmp_path / "first", task, data)
    first = len(asked)
    monkeypatch.setattr(Trainer, "is_global_zero", property(lambda trainer: False))
    fit(tmp_path / "other", task, data)
    assert first == len(asked) - first > 0
