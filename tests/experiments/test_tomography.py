"""Series, scores and orientations of the tomography experiment, on a small random particle."""

import math

import pytest
import torch

from difftem.functional.phantom import random_map
from difftem.functional.pose import random_rotations, rotation_from_vector
from difftem.scene.poses import ParticlePoses, Scene
from difftem.scene.templates.template import Template
from difftem.scene.volumes import scene_volumes
from experiments._base.rows import pick
from experiments.tomography import run
from experiments.tomography.match import (
    Matcher,
    MatchSettings,
    angular_error,
    orientation_scores,
)
from experiments.tomography.rods import lying_rods
from experiments.tomography.rotation_grids import axis_grid, rotation_grid
from experiments.tomography.tables import report

TILTS = torch.arange(-60.0, 61.0, 5.0)
SETTINGS = MatchSettings(False, 40.0, 70.0, 20.0, [12.0, 6.0, 3.0, 1.5])
SCENE = {
    "title": "blobs",
    "source": "phantom",
    "phantom": {"size_nm": [11, 9, 7], "contrast": 3.0, "smoothness": 3.0},
    "count": 4,
    "size": 48,
    "pixel_size": 10.0,
    "defocus_um": 2.5,
    "ice_nm": 20,
    "thickness": 24,
    "signal_radius": 25,
    "particle": {
        **{"axis": False, "low_pass": 40, "radius": 60, "spacing_deg": 25},
        **{"steps_deg": [12, 6], "hit_deg": 20},
    },
}


def blob() -> Template:
    values = random_map((19, 15, 11), 1.0, 3.0, generator=torch.Generator().manual_seed(3))
    return Template(values, 8.0, 80.0)


def test_a_matcher_finds_how_particles_are_turned_in_a_true_volume():
    generator = torch.Generator().manual_seed(1)
    # The cube around the second one reaches out of the volume, the ball in it does not.
    places = torch.tensor([[-103.0, 31.0, 4.0], [142.0, -57.0, -6.0]], dtype=torch.float64)
    poses = ParticlePoses("blob", places, random_rotations(2, generator))
    volume, _ = scene_volumes(Scene((poses,), (400.0,) * 3), {"blob": blob()}, (24, 40, 44), 10.0)
    matcher = Matcher(blob(), 10.0, TILTS, SETTINGS)
    found = orientation_scores(volume, poses, matcher, 5.0)
    assert found["hits"] == 1 and found["error_90"] < 4 and found["particles"] == 2
    mirrored = orientation_scores(volume.flip(0), poses, matcher, 5.0)
    assert mirrored["hits"] == 0


def test_angles_know_the_symmetry_and_an_axis_has_no_direction():
    generator = torch.Generator().manual_seed(2)
    true = random_rotations(5, generator)
    third = rotation_from_vector(torch.tensor([0.0, 0.0, 2 * math.pi / 3]).double())
    off = rotation_from_vector(torch.tensor([math.radians(7.0), 0.0, 0.0]).double())
    settings = MatchSettings(False, 40.0, 60.0, 20.0, [], 3)
    assert angular_error(true @ off @ third, true, settings) == pytest.approx([7.0] * 5, abs=1e-3)
    half = rotation_from_vector(torch.tensor([math.pi, 0.0, 0.0]).double())
    axis = MatchSettings(True, 40.0, 60.0, 20.0, [])
    turned = true @ off @ half @ third
    assert angular_error(turned, true, axis) == pytest.approx([7.0] * 5, abs=1e-3)


def test_grids_come_near_to_every_rotation_and_axis():
    true = random_rotations(200, torch.Generator().manual_seed(4))
    for grid, axis in ((rotation_grid(20.0), False), (axis_grid(10.0), True)):
        settings = MatchSettings(axis, 40.0, 60.0, 20.0, [])
        nearest = torch.stack(
            [angular_error(grid, one.expand_as(grid), settings).min() for one in true]
        )
        assert float(nearest.max()) < (8.0 if axis else 21.0)
        assert torch.linalg.det(grid) == pytest.approx(torch.ones(len(grid)))


def test_rods_lie_in_the_ice_and_apart():
    rods = {"number": 3, "segments": 5, "period": 69.0, "radius": 90, "gap": 60, "rising_deg": 30}
    scene = {"size": 128, "pixel_size": 6.0, "ice_nm": 60, "rods": rods}
    (poses,) = lying_rods(scene, 1).instances
    lines = poses.positions.reshape(3, 5, 3)
    assert (lines[:, 1:] - lines[:, :-1]).norm(dim=2) == pytest.approx(torch.full((3, 4), 69.0))
    assert float(lines[..., 2].abs().max()) < 300 - 90
    assert float(torch.cdist(lines[0], lines[1:].flatten(0, 1)).min()) > 240
    along = lines[:, 1] - lines[:, 0]
    assert poses.rotations.reshape(3, 5, 3, 3)[:, 0, :, 2] == pytest.approx(along / 69.0)


def test_a_small_run_scores_every_method_and_says_what_got_worse(tmp_path, monkeypatch):
    config = run.read_config(quick=True) | {"scenes": {"blobs": SCENE}, "window": 6}
    config |= {"calibration": {"seed": 9, "rows": 32}, "dose_e_per_a2": 30.0}
    monkeypatch.setattr(run, "read_config", lambda quick: config)
    monkeypatch.setattr(torch, "set_num_threads", lambda number: None)
    one = run.SceneRun(SCENE, config, tmp_path, tmp_path / "runs")
    rows = one.rows("blobs", 0)
    assert [row["method"] for row in rows[::2]] == ["noisy", "wiener", "noise-free"]
    clean = pick(rows, method="noise-free", reconstruction="wbp")[0]
    noisy = pick(rows, method="noisy", reconstruction="wbp")[0]
    assert clean["fsc_mean"] > noisy["fsc_mean"] > 0.1
    assert clean["background"] < noisy["background"]
    text = report(rows, config)
    assert "**Blobs**" in text and text.count("**worse** than noisy") == 2
    monkeypatch.setattr(run, "true_series", None)  # all is known
    again = run.SceneRun(SCENE, config, tmp_path, tmp_path / "runs").rows("blobs", 0)
    assert again == rows


def test_an_unknown_scene_is_refused_in_one_line(capsys):
    assert run.main(["--scenes", "zika"]) == 2
    assert capsys.readouterr().err == "--scenes must be of tmv, virions; got zika\n"
