import math

import pytest
import torch

from difftem.io.mrc import read_mrc
from difftem.modules import Stage
from difftem.scene.files.coordinates import read_coordinates
from difftem.scene.files.relion_read import read_relion_particles
from difftem.simulation.config import DetectorConfig, ExposureConfig, MicroscopeConfig
from difftem.simulation.scene_config import (
    IceConfig,
    ParticleConfig,
    SceneConfig,
    SceneSamplingConfig,
)
from difftem.simulation.scene_placement import ice_thickness, place_particles, read_places
from difftem.simulation.variation_config import VariationConfig
from difftem.workflows.generate.item import write_item
from tests.helpers.relion_tilt_series import read_relion_tilt_series

SAMPLING = SceneSamplingConfig(size=(64, 48), pixel_size=2.0, padding=8)
IDEAL = DetectorConfig(preset="ideal")


def place(particles, radii, thickness, generator, sampling=SAMPLING, ice=None):
    config = SceneConfig(particles, ice=ice or IceConfig(gap_nm=0.0), sampling=sampling)
    return place_particles(config, radii, thickness, read_places(config), generator)


def test_densities_become_numbers_of_copies(generator):
    sampling = SceneSamplingConfig(size=(1000, 500), pixel_size=2.0)  # 0.2 µm x 0.1 µm
    particles = [
        ParticleConfig(name="a", per_um3=20_000.0),
        ParticleConfig(name="b", micromolar=10.0),
        ParticleConfig(name="c", fraction=0.01),
        ParticleConfig(name="d", count=7),
    ]
    radii = {"a": 5.0, "b": 6.0, "c": 10.0, "d": 7.0}
    scene = place(particles, radii, 500.0, generator, sampling)
    volume = 0.2 * 0.1 * 0.05  # µm³
    spheres = 0.01 * volume * 1e12 / (4 / 3 * math.pi * 10.0**3)
    assert scene.counts() == {
        "a": round(20_000 * volume),
        "b": round(10 * 602.214 * volume),
        "c": round(spheres),
        "d": 7,
    }
    assert scene.overlaps(radii) == 0
    assert float(scene.positions()[:, 2].abs().max()) < 250 - 5


@pytest.mark.parametrize(("axis", "along"), [(90.0, 0), (0.0, 1)])
def test_a_tilted_field_is_as_full_as_an_untilted_one(generator, axis, along):
    sampling = SceneSamplingConfig(size=(500, 400), pixel_size=4.0)
    exposure = ExposureConfig(tilts_deg=[0.0, 60.0], tilt_axis_deg=axis)
    config = SceneConfig(
        [ParticleConfig(name="a", count=100)], IceConfig(), sampling=sampling, exposure=exposure
    )
    scene = place_particles(config, {"a": 30.0}, 300.0, {}, generator)
    stage = Stage(torch.tensor([0.0, 60.0]), axis)
    half = torch.tensor([1000.0, 800.0])
    seen = []
    for tilt in range(2):
        positions = (scene.positions() @ stage.rotation(tilt).T)[:, :2]
        seen.append(int((positions.abs() <= half).all(-1).sum()))
        beside = positions[(positions.abs() <= half).all(-1), along] / half[along]
        assert float(beside.min()) < -0.9 and float(beside.max()) > 0.9
    assert 80 < seen[0] < 120
    assert 1.5 < seen[1] / seen[0] < 2.6  # 1 / cos 60° and what the thickness shows


def test_particles_keep_to_the_hole_of_a_film(generator):
    ice = IceConfig(hole_diameter_nm=40.0, edge_thickness_nm=30.0, gap_nm=0.0)
    particle = ParticleConfig(name="a", count=60)
    scene = place([particle], {"a": 12.0}, 100.0, generator, ice=ice)
    x, y, z = scene.positions().T
    distance = torch.hypot(x, y)
    assert float(distance.max()) <= 200 - 12
    assert float(distance.max()) > 150
    surface = 50 + 100 * (distance / 200) ** 2
    assert bool((z.abs() + 12 <= surface).all())
    assert float(z.abs().max()) > 50 - 12  # the ice is thicker away from the axis


def test_without_a_thickness_the_ice_holds_the_thickest_particle():
    assert ice_thickness(SceneConfig(), {"a": 60.0, "b": 40.0}) == 220.0
    assert ice_thickness(SceneConfig(ice=IceConfig(thickness_nm=30.0)), {"a": 60.0}) == 300.0


@pytest.mark.parametrize("tilt", [0.0, 60.0])
def test_empty_ice_gives_the_dose_times_its_transmission_in_every_pixel(
    tilt, microscope, blob, tmp_path
):
    far = tmp_path / "far.csv"
    far.write_text("x,y,z\n100000,0,0\n")
    made = microscope(
        blob(coordinates=str(far)),
        ice=IceConfig(thickness_nm=60.0, mean_free_path_nm=300.0),
        exposure=ExposureConfig(dose_e_per_a2=20.0, tilts_deg=[tilt]),
    )
    item = made.take(0)
    expected = 20 * 2.0**2 * math.exp(-60 / 300 / math.cos(math.radians(tilt)))
    assert float(item.noise_free.min()) == pytest.approx(expected, rel=1e-5)
    assert float(item.noise_free.max()) == pytest.approx(expected, rel=1e-5)
    mean = float(item.micrographs.mean())
    assert mean == pytest.approx(expected, abs=5 * math.sqrt(expected / (64 * 48)))
    assert float(item.micrographs.var()) == pytest.approx(expected, rel=0.15)
    assert any("outside the field" in line for line in made.lines)


def test_a_film_transmits_by_its_thickness_at_each_pixel(microscope, blob, tmp_path):
    far = tmp_path / "far.csv"
    far.write_text("x,y,z\n100000,0,0\n")
    made = microscope(
        blob(coordinates=str(far)),
        ice=IceConfig(thickness_nm=30.0, hole_diameter_nm=20.0, edge_thickness_nm=150.0),
    )
    image = made.take(0).noise_free[0]
    x, y = (torch.arange(64) - 32) * 2.0, (torch.arange(48) - 24) * 2.0
    thickness = 30 + 120 * (x**2 + y[:, None] ** 2) / 100**2
    assert torch.allclose(image, 120 * torch.exp(-thickness / 300), rtol=1e-3)


def test_particles_are_darker_than_ice_at_underfocus_where_the_labels_say(microscope, blob):
    sampling = SceneSamplingConfig(size=(128, 128), pixel_size=2.0, padding=32)
    made = microscope(
        blob(count=12), sampling=sampling, microscope=MicroscopeConfig(defocus_um=1.0)
    )
    from difftem.scene.files.labels import label_mask

    item = made.take(0)
    scene, image = item.scene, item.noise_free[0]
    radii = scene.radii({name: 0.8 * radius for name, radius in made.radii.items()})
    inside = label_mask(scene.positions(), radii, scene.types() + 1, (128, 128), 2.0) > 0
    assert 0.05 < float(inside.double().mean()) < 0.6
    spread = float(image[~inside].std()) / math.sqrt(int(inside.sum()) / 25)
    assert float(image[inside].mean()) < float(image[~inside].mean()) - 3 * spread


def test_conditions_vary_within_their_limits_and_from_item_to_item(microscope, blob):
    made = microscope(
        blob(),
        variation=VariationConfig((0.8, 2.5), (10.0, 40.0), (20.0, 30.0)),
    )
    drawn = [made.take(index).conditions for index in range(6)]
    for name, low, high in (
        ("defocus_um", 0.8, 2.5),
        ("dose_e_per_a2", 10.0, 40.0),
        ("ice_thickness_nm", 20.0, 30.0),
    ):
        values = [getattr(each, name) for each in drawn]
        assert all(low <= value <= high for value in values)
        assert len(set(values)) == 6
        assert max(values) - min(values) > 0.3 * (high - low)


def test_an_item_depends_on_seed_and_number_alone(microscope, blob):
    first, second = microscope(blob()), microscope(blob())
    first.take(0)
    a, b = first.take(5), second.take(5)
    assert torch.equal(a.micrographs, b.micrographs)
    assert torch.equal(a.scene.positions(), b.scene.positions())
    other = microscope(blob(), seed=1).take(5)
    assert not torch.equal(a.scene.positions(), other.scene.positions())
    assert not torch.equal(a.scene.positions(), first.take(6).scene.positions())


def test_fixing_a_condition_leaves_the_particles_where_they_are(microscope, blob):
    ice = IceConfig(thickness_nm=30.0)
    plain = microscope(blob(), ice=ice).take(1)
    varied = microscope(blob(), ice=ice, variation=VariationConfig(defocus_um=(1.0, 2.0))).take(1)
    assert torch.equal(plain.scene.positions(), varied.scene.positions())
    assert plain.conditions.defocus_um != varied.conditions.defocus_um


def test_coordinates_that_overlap_or_stand_out_are_counted(microscope, blob, tmp_path):
    places = tmp_path / "places.csv"
    places.write_text("x,y,z\n0,0,0\n5,0,0\n5000,0,0\n-6000,0,0\n0,5000,300\n")
    made = microscope(blob(coordinates=str(places)), ice=IceConfig(thickness_nm=20.0))
    made.take(0)
    assert any("pairs of particles that overlap: 1" in line for line in made.lines)
    assert any("particles outside the field, which are not seen: 3" in line for line in made.lines)
    assert any("particles that reach out of the ice of 20 nm: 1" in line for line in made.lines)


def test_random_copies_keep_away_from_given_ones(generator, tmp_path):
    places = tmp_path / "places.csv"
    places.write_text("x,y,z\n0,0,0\n")
    particles = [
        ParticleConfig(name="a", coordinates=str(places)),
        ParticleConfig(name="b", count=20),
    ]
    scene = place(particles, {"a": 30.0, "b": 8.0}, 200.0, generator)
    assert scene.counts() == {"a": 1, "b": 20}
    assert scene.overlaps({"a": 30.0, "b": 8.0}) == 0


def test_the_files_of_a_tilt_series_say_what_was_done(microscope, blob, tmp_path):
    tilts = [-30.0, 0.0, 30.0]
    made = microscope(
        blob(),
        exposure=ExposureConfig(dose_e_per_a2=3.0, tilts_deg=tilts, tilt_axis_deg=85.0),
        microscope=MicroscopeConfig(defocus_um=2.0, astigmatism_um=0.05),
    )
    item = made.take(2)
    folder = write_item(tmp_path, item, made.config, dict(made.radii))
    image = read_mrc(folder / "micrograph_000002.mrcs")
    assert image.data.shape == (3, 48, 64)
    assert image.voxel_size[:2] == pytest.approx((2.0, 2.0))
    assert torch.equal(torch.tensor(image.data), item.micrographs)
    assert [
        float(each) for each in (folder / "micrograph_000002.rawtlt").read_text().split()
    ] == tilts
    series = read_relion_tilt_series(folder / "series_000002.star")
    assert torch.allclose(series.rotations, item.rotations, atol=1e-7)
    assert series.pre_exposure.tolist() == [0.0, 3.0, 6.0]
    assert {(each.u, each.v) for each in series.defocus} == {(20500.0, 19500.0)}
    (read,) = read_relion_particles(folder / "particles.star")
    assert read.particle == "blob"
    assert torch.allclose(read.positions, item.scene.positions(), atol=1e-5)
    assert torch.allclose(read.rotations, item.scene.rotations(), atol=1e-6)
    (again,) = read_coordinates(folder / "particles.csv")
    assert torch.allclose(again.positions, item.scene.positions(), atol=1e-5)
    labels = read_mrc(folder / "labels.mrcs").data
    assert labels.shape == (3, 48, 64)
    assert set(labels.flatten().tolist()) == {0.0, 1.0}
