"""A fit in two processes, to its report."""

import os
from pathlib import Path

import pytest
from lightning.pytorch import Trainer
from lightning.pytorch.loggers import CSVLogger

from difftem.callbacks import LogReport
from difftem.data.flat_field import SyntheticFlatFields
from difftem.tasks.mtf_fit import MTFFit
from difftem.tasks.mtf_fit.facts import check_processes
from tests.helpers.flat_fields import off_start
from tests.helpers.fresh_process import in_fresh_process


def fit(folder, **options):
    trainer = Trainer(
        accelerator="cpu",
        max_epochs=1,
        logger=CSVLogger(folder, name=None, version="run"),
        callbacks=[LogReport()],
        log_every_n_steps=1,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        **options,
    )
    task = MTFFit(off_start(), gain=1.0, compare_families=False)
    trainer.fit(task, datamodule=SyntheticFlatFields(n=4, size=64, dose=20.0))
    return (Path(folder) / "run" / "report.md").read_text("utf-8")


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork on this system")
@pytest.mark.filterwarnings("ignore::UserWarning")  # of Lightning, about workers and samplers
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_two_processes_with_half_the_fields_report_as_one(tmp_path):
    one = fit(tmp_path / "one")
    two = in_fresh_process(__name__, f"fit('{tmp_path}/two', devices=2, strategy='ddp_fork')")
    assert two == one and "| truth" in one
    names = {path.name for path in (tmp_path / "one" / "run").iterdir()}
    assert names == {path.name for path in (tmp_path / "two" / "run").iterdir()}
    assert {"report.md", "data_crops.png", "fit_mtf.png"} <= names


@pytest.mark.parametrize("loss, goes_on", [("psd", False), ("whittle", True)])
def test_what_would_fit_a_part_of_the_data_takes_one_process(loss, goes_on):
    check_processes(1, loss, goes_on)
    with pytest.raises(ValueError, match=r"takes one process; .* is 4$"):
        check_processes(4, loss, goes_on)
