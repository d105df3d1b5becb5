import pytest
import torch

from difftem.baselines.gaussian import gaussian
from experiments.baseline_settings import run


def test_a_grid_is_measured_saved_and_tabulated(monkeypatch, tmp_path, generator):
    ramp = torch.linspace(0.9, 1.1, 48).expand(40, 48)
    monkeypatch.setattr(run, "clean_scene", lambda: ramp)
    monkeypatch.setattr(run, "HERE", tmp_path)
    monkeypatch.setattr(run, "GRIDS", {gaussian: {}})
    run.measure([])
    rows = run.json.loads((tmp_path / "results" / "grid.json").read_text("utf-8"))["rows"]
    (row,) = rows
    assert row["errors"] == sorted(row["errors"], reverse=True)  # more electrons, less error
    assert 0 < row["errors"][-1] < 0.1
    assert row["mean"] == pytest.approx(torch.tensor(row["errors"]).log().mean().exp().item())
    assert "| gaussian | **none**   |" in run.report(rows)
    run.measure([{**row, "mean": 7.0}])  # known: not measured again
    assert run.json.loads((tmp_path / "results" / "grid.json").read_text("utf-8"))["rows"] == rows
