"""RELION's model, from the tables that are written, against the images that were made."""

import numpy as np
import pytest
import torch

from difftem.io.mrc import read_mrc, write_mrc
from difftem.io.star import read_star
from difftem.scene.files.coordinates import read_coordinates
from difftem.scene.files.euler import relion_from_rotation
from difftem.simulation.config import DetectorConfig, ExposureConfig, MicroscopeConfig
from difftem.simulation.ice_config import IceConfig
from difftem.simulation.scene_config import ParticleConfig, SceneConfig, SceneSamplingConfig
from difftem.simulation.scene_microscope import SceneMicroscope
from difftem.workflows.generate.item import write_item
from tests.helpers import relion_model
from tests.helpers.relion_tilt_series import read_relion_tilt_series

SHAPE, PIXEL = (160, 192), 1.25
PLACES = ((-45.0, 28.0, 300.0), (40.0, -16.0, -350.0))


@pytest.fixture
def made(tmp_path):
    """Image a cloud of Gaussians twice, far above and below the middle; folder of the item."""
    write_mrc(tmp_path / "cloud.mrc", relion_model.cloud_map(voxel=PIXEL), PIXEL, is_volume=True)

    def made(exposure=None, places=PLACES, **microscope):
        lines = [f"{x},{y},{z},{30 + x},{50 + y},20" for x, y, z in places]
        (tmp_path / "places.csv").write_text("\n".join(["x,y,z,phi,theta,psi", *lines]))
        config = SceneConfig(
            [
                ParticleConfig(
                    name="cloud",
                    source=str(tmp_path / "cloud.mrc"),
                    coordinates=str(tmp_path / "places.csv"),
                )
            ],
            ice=IceConfig(thickness_nm=100.0),
            sampling=SceneSamplingConfig(size=SHAPE[::-1], pixel_size=PIXEL, padding=40),
            microscope=MicroscopeConfig(**{"defocus_um": 1.1, **microscope}),
            exposure=exposure or ExposureConfig(),
            detector=DetectorConfig(preset="ideal"),
        )
        scene = SceneMicroscope(config)
        return write_item(tmp_path, scene.take(0), config, dict(scene.radii))

    return made


def image_of(folder):
    image = read_mrc(folder / "noise_free.mrc").data.astype(float)
    return image / image.mean() - 1


CASES = {
    "plain": {},
    "phase plate": {"phase_shift_deg": 90.0, "defocus_um": 0.5},
    "negative phase": {"phase_shift_deg": -40.0},
    "beam tilt": {"beam_tilt_mrad": (1.0, -0.5)},
    "steep beam tilt": {"beam_tilt_mrad": (-3.0, 2.0)},
    "C12a and C21a": {"aberrations": {"C12a": -1000.0, "C21a": 3000.0}},
    "astigmatism": {"astigmatism_um": 0.15, "astigmatism_angle_deg": 25.0},
    "third order": {"aberrations": {"C23b": 2e4, "C21b": -4e4, "C10": 2000.0, "C12b": 800.0}},
    "fourth order": {"aberrations": {"C30": 1e7, "C34a": 2e7, "C32b": -1e7}},
    "fifth and sixth": {"aberrations": {"C41a": 3e6, "C45b": 4e6, "C50": 2e9, "C54a": 1e9}},
    "all": {
        "phase_shift_deg": 60.0,
        "beam_tilt_mrad": (1.0, -0.5),
        "astigmatism_um": 0.1,
        "astigmatism_angle_deg": 110.0,
        "aberrations": {"C12a": -500.0, "C21a": 3000.0, "C34b": 1e7, "C50": 1e9},
    },
}


@pytest.mark.parametrize("case", CASES)
def test_relions_model_from_the_written_table_is_the_image_that_was_made(made, case):
    folder = made(**CASES[case])
    image = image_of(folder)
    rows = list(relion_model.rows(folder / "particles.star"))
    models = [relion_model.predicted(row, SHAPE) for row in rows]
    # .998 and more; what is left is the band limit, coherence and the second order of the object.
    assert relion_model.correlation(image, sum(models)) > 0.99
    for model, row in zip(models, rows, strict=True):
        x, y = round(row["rlnCoordinateX"]), round(row["rlnCoordinateY"])
        window = (slice(max(y - 26, 0), y + 26), slice(max(x - 26, 0), x + 26))
        found = relion_model.displacement(image[window], model[window])
        assert np.abs(found).max() < 0.05  # pixels


def test_the_model_tells_wrong_signs_from_right_ones(made):
    folder = made(**CASES["all"] | {"beam_tilt_mrad": (-3.0, 2.0)})
    image = image_of(folder)
    rows = list(relion_model.rows(folder / "particles.star"))

    def correlation(change):
        changed = [relion_model.Row(change(dict(row.numbers))) for row in rows]
        return relion_model.correlation(
            image, sum(relion_model.predicted(row, SHAPE) for row in changed)
        )

    right = correlation(lambda row: row)
    for name in ("rlnPhaseShift", "rlnBeamTiltX", "rlnAngleRot"):
        wrong = correlation(lambda row, name=name: row | {name: str(-float(row[name]))})
        assert wrong < right - 0.02, name
    none = ("rlnPhaseShift", "rlnOddZernike", "rlnEvenZernike", "rlnBeamTiltX", "rlnBeamTiltY")
    without = {name: "0" for name in none if "Zernike" not in name}
    bare = correlation(lambda row: {k: v for k, v in row.items() if k not in none} | without)
    assert bare < right - 0.1


def test_labels_and_tables_follow_the_image_and_read_back_as_the_scene(made):
    folder = made(beam_tilt_mrad=(1.1, 0.0), cs_mm=2.7)
    tilt = 1.1e-3
    (row, _) = relion_model.rows(folder / "particles.star")
    x, y, z = PLACES[0]
    expected = x + (-(11_000 + z) + 2.7e7 * tilt**2) * tilt
    assert (row["rlnCoordinateX"] - SHAPE[1] // 2) * PIXEL == pytest.approx(expected, abs=1e-3)
    assert (row["rlnCoordinateY"] - SHAPE[0] // 2) * PIXEL == pytest.approx(y, abs=1e-3)
    assert expected - x == pytest.approx(-12.4, abs=0.1)  # Å
    labels = read_mrc(folder / "labels.mrc").data
    between = round(SHAPE[1] // 2 + sum(place[0] for place in PLACES) / 2 / PIXEL - 10)
    for axis, center in ((0, SHAPE[1] // 2 + expected / PIXEL), (1, SHAPE[0] // 2 + y / PIXEL)):
        disc = np.nonzero(labels[:, :between].max(axis))[0]
        assert (disc.min() + disc.max()) / 2 == pytest.approx(center, abs=1.0)
    for name in ("particles.star", "particles.csv"):
        (found,) = read_coordinates(folder / name, shape=SHAPE)
        assert torch.allclose(found.positions, torch.tensor(PLACES).double(), atol=1e-5)
    first = (folder / "particles.csv").read_text().splitlines()
    assert first[0] == "particle,x,y,z,phi,theta,psi,sample_x,sample_y"
    assert float(first[1].split(",")[1]) == pytest.approx(expected, abs=1e-3)


def test_a_tilt_series_under_a_tilted_beam_shows_its_particles_where_its_table_says(made):
    tilts = [-50.0, 0.0, 40.0]
    beam = {"beam_tilt_mrad": (1.5, -2.0), "defocus_um": 1.1}
    exposure = ExposureConfig(tilts_deg=tilts, tilt_axis_deg=80.0)
    folder = made(exposure, ((-30.0, 28.0, 40.0), (30.0, -20.0, -50.0)), **beam)
    series = read_relion_tilt_series(folder / "series_000000.star")
    images = read_mrc(folder / "noise_free.mrcs").data.astype(float)
    labels = read_mrc(folder / "labels.mrcs").data
    (copies,) = read_coordinates(folder / "particles.star")
    optics = read_star(folder / "particles.star")["optics"]
    for t, image in enumerate(images):
        models = []
        places = copies.positions @ series.rotations[t].T
        places[:, :2] += series.shifts[t]
        for turn, place in zip(series.rotations[t] @ copies.rotations, places, strict=True):
            rot, tilt, psi = relion_from_rotation(turn[None])[0].tolist()
            numbers = {
                "rlnCoordinateX": place[0] / PIXEL + SHAPE[1] // 2,
                "rlnCoordinateY": place[1] / PIXEL + SHAPE[0] // 2,
                "rlnDefocusU": series.defocus[t].u + place[2],
                "rlnDefocusV": series.defocus[t].v + place[2],
                "rlnDefocusAngle": series.defocus[t].angle_deg,
                "rlnPhaseShift": 0.0,
                **{"rlnAngleRot": rot, "rlnAngleTilt": tilt, "rlnAnglePsi": psi},
            }
            row = {name: str(float(value)) for name, value in numbers.items()}
            row |= {name: cells[0] for name, cells in optics.items()}
            row |= {"rlnMicrographPixelSize": str(PIXEL)}
            models.append(relion_model.predicted(relion_model.Row(row), SHAPE))
            x, y = round(numbers["rlnCoordinateX"].item()), round(numbers["rlnCoordinateY"].item())
            assert labels[t, y, x] == 1
        flat = image / np.median(image) - 1
        assert relion_model.correlation(flat, sum(models)) > 0.98
        for model in models:
            y, x = np.unravel_index(np.abs(model).argmax(), SHAPE)
            window = (slice(max(y - 26, 0), y + 26), slice(max(x - 26, 0), x + 26))
            total = sum(models)
            scale = (flat * total).sum() / (total * total).sum()
            alone = flat - scale * (total - model)  # without the others
            found = relion_model.displacement(alone[window], model[window])
            assert np.abs(found).max() < 0.05  # pixels
