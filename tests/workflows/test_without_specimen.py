"""Vacuum, empty ice and knife edges from `difftem.simulate` and `difftem.generate`."""

import json
import math

import numpy as np
import pytest
import torch

import difftem
from difftem.analysis.edge_spread import slanted_edge_mtf
from difftem.cli.main import main
from difftem.io.mrc import read_mrc
from difftem.modules import Detector

SMALL = {"size": (64, 64), "pixel_size": 2.0, "dose_e_per_a2": 5.0}


def test_vacuum_has_the_dose_in_every_pixel():
    made = difftem.simulate("vacuum", preset="ideal", exposures=3, **SMALL)
    assert made.micrographs.shape == (3, 64, 64)
    assert made.n_atoms == 0
    torch.testing.assert_close(made.noise_free, torch.full((1, 64, 64), 20.0))
    assert float(made.micrographs.mean()) == pytest.approx(20, abs=5 * math.sqrt(20 / 3 / 64**2))
    assert not any(line.startswith("warning") for line in made.messages)


def test_no_copies_leave_ice_that_absorbs_and_nothing_else():
    thick = {"ice_thickness_nm": 60.0, "ice_mean_free_path_nm": 200.0}
    made = difftem.simulate(copies_count=0, preset="ideal", **thick, **SMALL)
    expected = torch.full((1, 64, 64), 20 * math.exp(-60 / 200))
    torch.testing.assert_close(made.noise_free, expected, rtol=1e-4, atol=0)
    bare = difftem.simulate(copies_count=0, preset="ideal", ice_present=False, **SMALL)
    torch.testing.assert_close(bare.noise_free, torch.full((1, 64, 64), 20.0))
    assert len(made.imaged.scene) == 0


def test_without_a_particle_volumes_hold_nothing_and_thin_slices_are_one():
    made = difftem.simulate(
        copies_count=0, truth_volumes=True, files_exit_wave=True, slice_thickness_nm=0.1, **SMALL
    )
    assert made.imaged.templates == {}
    assert made.sampling.n_slices == 1
    assert any("1 slice of 1 Å" in line for line in made.messages)
    assert made.exit_waves is not None
    wave = made.exit_waves
    torch.testing.assert_close(wave.abs(), wave.abs()[..., :1, :1].expand_as(wave.abs()))


@pytest.mark.parametrize("angle", [5.0, 96.0, -171.0])
def test_the_curve_of_a_simulated_edge_is_the_mtf_of_its_detector(angle):
    made = difftem.simulate("edge", edge_angle_deg=angle, size=(300, 300), preset="k2_300kv")
    image = made.noise_free[0]
    bright = image.max()
    y, x = (round(149.5 + 100 * f(math.radians(angle))) for f in (math.sin, math.cos))
    assert float(image[y, x]) < 0.03 * float(bright)  # the normal points to the dark side
    found = slanted_edge_mtf(image)
    truth = Detector.from_preset("k2_300kv").mtf.double()(found.frequency)
    assert float((found.mtf - truth).abs().max()) < 0.01


def test_the_command_makes_flat_fields_and_edges(tmp_path, capsys):
    out, small = str(tmp_path / "edge"), ["--sampling.size", "[96, 80]"]
    assert main(["simulate", "edge", "--output", out, "--exposure.exposures", "2", *small]) == 0
    assert read_mrc(f"{out}/micrograph.mrc").data.shape == (2, 80, 96)
    assert "the lens is not" in capsys.readouterr().err
    record = json.loads((tmp_path / "edge/run.json").read_text())
    labels = " ".join(read_mrc(tmp_path / "edge/micrograph.mrc").header.labels)
    assert "30 e/A2, k3_300kv" in labels and "kV" not in labels  # the lens plays no part
    assert record["config"]["edge"] == {"angle_deg": 5.0}
    assert main(["simulate", "vacuum", "--output", str(tmp_path / "flat"), *small]) == 0
    with pytest.raises(SystemExit):
        main(["simulate", "--help"])
    assert "--edge.angle_deg" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"edge_angle_deg": 4.0}, "edge.angle_deg applies with structure.source edge only"),
        ({"structure": "edge", "edge_angle_deg": 45.0}, "edge.angle_deg must be 1 to 20 degrees"),
        ({"structure": "edge", "tilts_deg": [10.0]}, "exposure.tilts_deg does not apply"),
        ({"structure": "edge", "copies_count": 3}, "copies.count does not apply"),
        ({"structure": "vacuum", "ice_thickness_nm": 9.0}, "ice.thickness_nm does not apply"),
        ({"structure": "vacuum", "waters": True}, "structure.waters does not apply"),
        ({"copies_count": 0, "copies_orientations": "random"}, "copies.orientations does not"),
        ({"copies_count": -1}, "copies.count must be at least 0, got -1"),
    ],
)
def test_what_does_not_apply_without_a_particle_is_refused(settings, message):
    with pytest.raises(ValueError, match=message):
        difftem.simulate(**settings)


def test_a_list_of_no_particles_generates_empty_ice(tmp_path):
    field = {"size": (64, 64), "pixel_size": 4.0, "ice_thickness_nm": 30.0}
    made = difftem.generate(tmp_path / "set", particles=[], preset="ideal", **field)
    image = read_mrc(next(made.items[0].glob("noise_free.mrc"))).data
    record = json.loads((made.items[0] / "run.json").read_text())
    assert record["counts"] == {}
    assert float(np.ptp(image)) < 1e-4 * float(image.mean())
    assert 0.8 < float(image.mean()) / (30 * 16) < 1
