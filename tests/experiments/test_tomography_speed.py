"""The phantom of ellipsoids, and the table."""

import torch

from difftem.tomography.projector import TiltProjector
from experiments.tomography_speed import beside_astra, run
from experiments.tomography_speed.ellipsoids import projections, volume


def test_lengths_of_lines_are_what_the_projector_sums():
    tilts = torch.tensor([-55.0, 0.0, 30.0], dtype=torch.float64)
    images = projections(96, torch.deg2rad(tilts))
    summed = TiltProjector(tilts, (96, 96, 96), (96, 96))(volume(96))
    assert float((images - summed).norm() / images.norm()) < 0.03


def test_a_small_table_has_both_methods(monkeypatch, capsys):
    monkeypatch.setattr(torch, "set_num_threads", lambda number: None)
    assert run.main(["--side", "24", "--tilts", "9", "--iterations", "3", "--dry"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split("|")[1].strip() for line in lines[-2:]] == ["wbp", "sirt"]


def test_sirt_alone_is_a_row_where_astra_is_not(monkeypatch, capsys):
    monkeypatch.setattr(torch, "set_num_threads", lambda number: None)
    beside_astra.main(["--side", "15", "--tilts", "9", "--iterations", "5", "--dry"])
    assert capsys.readouterr().out.splitlines()[-1].split("|")[1].strip() == "difftem"
