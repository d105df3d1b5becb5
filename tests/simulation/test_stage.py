"""Errors of the stage, and phantoms, in scenes."""

import math

import pytest
import torch

from difftem.io.mrc import read_mrc
from difftem.simulation.config import ExposureConfig
from difftem.simulation.scene_config import ParticleConfig, PhantomConfig, StageConfig
from difftem.simulation.stage import draw_stage
from difftem.workflows.generate.item import write_item
from tests.helpers.relion_tilt_series import read_relion_tilt_series


def test_the_stage_is_off_as_configured_and_the_truth_says_so(microscope, blob, tmp_path):
    tilts = [-30.0, 0.0, 30.0]
    exposure = ExposureConfig(dose_e_per_a2=3.0, tilts_deg=tilts)
    exact = microscope(blob(), exposure=exposure).take(4)
    stage = StageConfig([(4.0, -6.0), (0.0, 0.0), (10.0, 8.0)], [0.0, 2.0, -3.0])
    made = microscope(blob(), exposure=exposure, stage=stage)
    item = made.take(4)
    assert item.shifts.tolist() == [[4, -6], [0, 0], [10, 8]]
    for tilt, turn in enumerate((0.0, 2.0, -3.0)):
        c, s = math.cos(math.radians(turn)), math.sin(math.radians(turn))
        about = torch.tensor([[c, -s, 0], [s, c, 0], [0, 0, 1]], dtype=torch.float64)
        assert torch.allclose(item.rotations[tilt], about @ exact.rotations[tilt], atol=1e-9)
    folder = write_item(tmp_path, item, made.config, dict(made.radii))
    series = read_relion_tilt_series(folder / "series_000004.star")
    assert torch.allclose(series.shifts, item.shifts, atol=1e-6)
    assert torch.allclose(series.rotations, item.rotations, atol=1e-7)
    assert series.nominal_tilt_deg.tolist() == tilts
    labels = torch.from_numpy(read_mrc(folder / "labels.mrcs").data.copy())
    positions = item.scene.positions() @ item.rotations[2].T + torch.tensor([10.0, 8.0, 0.0])
    seen = [
        (round(32 + x / 2), round(24 + y / 2)) for x, y in positions[:, :2].tolist()
    ]  # pixels of 2 Å
    inside = [(x, y) for x, y in seen if 0 <= x < 64 and 0 <= y < 48]
    assert inside and all(float(labels[2, y, x]) == 1.0 for x, y in inside)


def test_a_shift_of_the_stage_moves_the_image_by_that_much(microscope, blob, tmp_path):
    places = tmp_path / "places.csv"
    places.write_text("x,y,z,phi,theta,psi\n0,0,0,10,20,30\n")
    exposure = ExposureConfig(dose_e_per_a2=3.0, tilts_deg=[0.0, 0.0])
    stage = StageConfig(shifts=[(0.0, 0.0), (10.0, -6.0)])
    made = microscope(blob(coordinates=str(places)), exposure=exposure, stage=stage)
    plain, shifted = made.take(0).noise_free
    moved = torch.roll(plain, (-3, 5), (0, 1))  # pixels of 2 Å
    signal = float((plain - plain.mean()).abs().max())
    error = (shifted - moved)[8:-8, 8:-8].abs().max()
    assert float(error) < 0.01 * signal < float((shifted - plain).abs().max())


def test_random_errors_of_the_stage_have_their_spread_and_leave_the_scene_alone(microscope, blob):
    exposure = ExposureConfig(dose_e_per_a2=3.0, tilts_deg=[0.0] * 400)
    errors = {"shift_error": 5.0, "rotation_error_deg": 0.5, "tilt_error_deg": 0.2}
    config = microscope(blob(), exposure=exposure, stage=StageConfig(**errors)).config
    stage = draw_stage(config, torch.Generator().manual_seed(1))
    again = draw_stage(config, torch.Generator().manual_seed(1))
    assert torch.equal(stage.shift, again.shift)
    for values, spread in (
        (stage.shift, 5.0),
        (stage.in_plane_deg, 0.5),
        (stage.tilt_deg, 0.2),
    ):
        assert float(values.std()) == pytest.approx(spread, rel=0.12)
        assert abs(float(values.mean())) < 0.2 * spread
    few = ExposureConfig(dose_e_per_a2=3.0, tilts_deg=[0.0, 0.0])
    items = [
        microscope(blob(), exposure=few, stage=StageConfig(tilt_error_deg=sd)).take(0)
        for sd in (0.0, 1e-9)
    ]
    positions = [item.scene.positions() for item in items]
    assert torch.allclose(*positions, atol=1e-6)
    assert not torch.equal(items[0].rotations, items[1].rotations)


def test_a_phantom_is_a_particle_of_the_size_and_contrast_asked_for(microscope):
    wanted = PhantomConfig(size_nm=(8.0, 6.0, 4.0), contrast=3.0, seed=2)
    made = microscope(ParticleConfig(name="p", source="phantom", count=2, phantom=wanted))
    particle = made.particles["p"]
    assert tuple(particle.volume.shape) == (20, 30, 40)  # z, y, x at 2 Å
    assert particle.radius == 40.0
    mean = float(particle.volume.real.abs().sum()) / (20 * 30 * 40 * math.pi / 6)
    assert mean == pytest.approx(3.0 * math.sqrt(1 - 0.07**2), rel=1e-4)
    assert float(particle.volume.imag.abs().max()) > 0
    assert made.take(0).scene.counts() == {"p": 2}
    other = microscope(
        ParticleConfig(
            name="p", source="phantom", count=2, phantom=PhantomConfig((8.0, 6.0, 4.0), 3.0)
        )
    )
    assert not torch.equal(other.particles["p"].volume, particle.volume)
    image = made.take(0).noise_free[0]
    assert float(image.std()) > 0.01 * float(image.mean())
