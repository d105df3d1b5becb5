"""`difftem.simulate`: what the command does, in Python."""

import json
import logging
import subprocess
import sys

import numpy as np
import pytest
import torch

import difftem
from difftem.cli.main import main
from difftem.io.mrc import read_mrc
from tests.helpers.specimen import random_atoms

SMALL = {"size": (64, 48), "pixel_size": 1.5, "padding": 8}


def atoms():
    return random_atoms(40, (20.0, 20.0, 20.0), (6, 8), (30.0, 30.0))


def test_it_gives_the_images_of_the_command(tmp_path):
    options = ["--sampling.size", "[64, 48]", "--sampling.pixel_size", "6", "--copies.count", "1"]
    code = main(["simulate", *options, "--seed", "3", "--output", str(tmp_path / "a")])
    assert code == 0
    result = difftem.simulate(
        size=(64, 48), pixel_size=6.0, defocus_um=1.8, dose_e_per_a2=40.0, seed=3
    )
    assert np.array_equal(read_mrc(tmp_path / "a/micrograph.mrc").data, result.micrographs[0])
    assert result.n_atoms == 53568
    assert result.mean_counts == pytest.approx(40 * 36, rel=0.1)


def test_atoms_are_taken_as_they_are_and_all_is_saved(tmp_path):
    result = difftem.simulate(atoms(), tilts_deg=[-20, 0, 20], exposures=2, **SMALL)
    assert result.micrographs.shape == (6, 48, 64)
    assert result.noise_free.shape == (3, 48, 64)
    folder = result.save(tmp_path / "out")
    names = [
        "labels.mrcs", "micrograph.mdoc", "micrograph.mrcs", "micrograph.rawtlt", "micrograph.tlt",
        "micrograph.xf", "noise_free.mrcs", "particles.csv",
        "particles.star", "preview.png", "run.json", "series.star", "tomograms.star",
    ]  # fmt: skip
    assert sorted(path.name for path in folder.iterdir()) == names
    assert result.micrographs.dtype == torch.float64  # as the atoms' coordinates
    assert np.array_equal(read_mrc(folder / names[2]).data, result.micrographs.float())
    record = json.loads((folder / "run.json").read_text())
    assert record["messages"] == result.messages
    assert "output" in record["seconds"]
    with pytest.raises(ValueError, match="not empty"):
        result.save(folder)
    result.save(folder, overwrite=True)


def test_warnings_are_in_the_result_and_in_the_log(caplog):
    with caplog.at_level(logging.INFO, logger="difftem"):
        result = difftem.simulate(atoms(), defocus_um=5.0, **SMALL)
    (line,) = [each for each in result.messages if each.startswith("warning: ")]
    assert "sampling.padding" in line
    assert line.removeprefix("warning: ") in caplog.messages


@pytest.mark.parametrize("set_up", ["pass", "logging.basicConfig()"])
def test_a_log_shows_what_it_is_set_up_to_show(set_up):
    code = (
        f"import difftem, logging; {set_up};"
        "difftem.simulate(size=(64, 64), pixel_size=4.0, defocus_um=15.0, hydrogens='none');"
        "logger = logging.getLogger('difftem'); print(logger.level, logger.handlers)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "sampling.padding" in done.stderr
    assert "(simulated " not in done.stderr  # a note, not a warning
    assert done.stdout == "0 []\n"


def test_atoms_are_not_said_to_be_another_structure():
    result = difftem.simulate(atoms(), **SMALL)
    assert result.name == result.config.structure.source == "atoms"
    for setting in ({"b_factor": 5.0}, {"selection": "//A"}, {"rotation_deg": (90, 0, 0)}):
        with pytest.raises(ValueError, match="does not apply to atoms"):
            difftem.simulate(atoms(), **setting, **SMALL)


def test_copies_fit_into_a_hole_whose_ice_is_not_given():
    result = difftem.simulate(
        copies_count=3, ice_hole_diameter_nm=80.0, size=(96, 96), pixel_size=8.0, hydrogens="none"
    )
    assert result.n_atoms == 3 * 32736


def test_what_a_command_prints_as_its_configuration_is_taken(tmp_path, capsys):
    with pytest.raises(SystemExit):
        main(["simulate", "--print_config"])
    path = tmp_path / "run.yaml"
    path.write_text(capsys.readouterr().out)
    small = {"size": (64, 64), "pixel_size": 4.0, "copies": {"count": 1}, "hydrogens": "none"}
    result = difftem.simulate(config=path, **small)
    assert result.config.microscope.defocus_um == 1.8
    assert result.n_atoms == 32736


def test_a_hole_and_a_stage_are_those_of_scenes():
    still = difftem.simulate(atoms(), ice_present=False, **SMALL)
    hole = difftem.simulate(
        atoms(), ice_hole_diameter_nm=400.0, ice_thickness_nm=60.0, edge_thickness_nm=60.0, **SMALL
    )
    flat = difftem.simulate(atoms(), ice_thickness_nm=60.0, **SMALL)
    edge = (slice(None), slice(0, 3))
    assert float(flat.noise_free[edge].mean() / still.noise_free[edge].mean()) == pytest.approx(
        np.exp(-60 / 300), rel=3e-3
    )
    torch.testing.assert_close(hole.noise_free, flat.noise_free, rtol=1e-3, atol=0)
    shifts = [[0.0, 0.0], [7.5, -4.5]]
    moved = difftem.simulate(atoms(), tilts_deg=[0.0, 0.0], shifts=shifts, **SMALL).noise_free
    torch.testing.assert_close(
        moved[1, 8:-11, 13:-8], moved[0, 11:-8, 8:-13], rtol=0.02 * 0.1, atol=0.05
    )


def test_copies_stand_where_a_table_says(tmp_path):
    table = tmp_path / "places.csv"
    table.write_text("x,y,z,phi,theta,psi\n-20,10,0,0,0,0\n20,-10,0,90,0,0\n")
    result = difftem.simulate(
        atoms(), coordinates=table, ice_present=False, preset="ideal", defocus_um=0.2, **SMALL
    )
    assert result.n_atoms == 80
    dark = (result.noise_free.mean() - result.noise_free[0]) ** 2

    def around(x, y):
        column, row = int(32 + x / 1.5), int(24 + y / 1.5)
        return float(dark[row - 4 : row + 5, column - 4 : column + 5].mean())

    assert min(around(-20, 10), around(20, -10)) > 5 * max(around(20, 10), around(-20, -10))
    with pytest.raises(ValueError, match=r"copies\.count does not apply with copies\.coordinates"):
        difftem.simulate(atoms(), coordinates=table, copies_count=3, **SMALL)
    for given in ({}, {"coordinates": table}):
        for setting in ({"gap_nm": 2.0}, {"cut_at_edges": True}):
            with pytest.raises(ValueError, match=f"ice.{min(setting)} applies to several copies"):
                difftem.simulate(atoms(), **given, **setting, **SMALL)


def test_show_draws_and_does_not_block():
    difftem.simulate(atoms(), **SMALL).show()
