import math

import pytest
import torch

from difftem.functional.grid import frequencies
from difftem.functional.lens import aberration_phase
from difftem.functional.multislice import fresnel_propagator
from difftem.functional.pose import tilt_rotation
from difftem.io.errors import InputError
from difftem.io.star import read_star
from difftem.scene.files.coordinates import read_coordinates
from difftem.scene.files.euler import rotation_from_relion
from difftem.scene.files.relion_tilt_series import (
    TiltSeries,
    write_relion_tilt_series,
)
from difftem.scene.files.relion_write import Defocus, RelionOptics, write_relion_particles
from tests.helpers.relion_tilt_series import read_relion_tilt_series

OPTICS = RelionOptics(300.0, 2.7, 0.1, 1.25)
SHAPE = (801, 1000)
PICKS = "data_particles\nloop_\n_rlnCoordinateX\n_rlnCoordinateY\n"


@pytest.fixture
def tilts():
    angle = torch.deg2rad(torch.tensor([-60.0, 0.0, 45.0], dtype=torch.float64))
    return TiltSeries(
        tilt_rotation(angle, torch.tensor(1.5, dtype=torch.float64)),
        torch.tensor([[3.0, -4.0], [0.0, 0.0], [12.5, 7.25]], dtype=torch.float64),
        torch.rad2deg(angle),
        torch.tensor([6.0, 0.0, 3.0], dtype=torch.float64),
        (Defocus(31000.0, 30000.0, 20.0), Defocus(30000.0, 30000.0), Defocus(29000.0, 28000.0)),
    )


def test_particles_are_read_back_as_they_were_written(tmp_path, scene, same):
    path = tmp_path / "particles.star"
    write_relion_particles(path, scene, OPTICS, SHAPE, "a.mrc", Defocus(15000.0, 14000.0, 30.0))
    same(read_coordinates(path, shape=SHAPE), scene)
    same(read_coordinates(path, shape=SHAPE, image="a.mrc"), scene)
    with pytest.raises(InputError, match=r"no image 'b\.mrc', it has a\.mrc \(13 particles\)"):
        read_coordinates(path, shape=SHAPE, image="b.mrc")
    with pytest.raises(InputError, match="exists already"):
        write_relion_particles(path, scene, OPTICS, SHAPE, "a.mrc")


def test_tables_hold_what_relion_wants(tmp_path, scene):
    path = tmp_path / "particles.star"
    write_relion_particles(path, scene, OPTICS, SHAPE, "a.mrc", Defocus(15000.0, 14000.0, 30.0))
    tables = read_star(path)
    assert list(tables) == ["optics", "particles"]
    assert tables["optics"]["rlnVoltage"] == ["300.000000"]
    assert tables["optics"]["rlnMicrographPixelSize"] == ["1.250000"]
    particles = tables["particles"]
    assert particles["rlnClassNumber"] == ["1"] * 4 + ["2"] * 7 + ["1"] * 2
    x, y, z = scene.positions()[0].tolist()
    assert float(particles["rlnCoordinateX"][0]) == pytest.approx(x / 1.25 + 500, abs=1e-6)
    assert float(particles["rlnCoordinateY"][0]) == pytest.approx(y / 1.25 + 400, abs=1e-6)
    assert float(particles["rlnDefocusU"][0]) == pytest.approx(15000 + z, abs=1e-5)
    assert float(particles["rlnDefocusV"][0]) == pytest.approx(14000 + z, abs=1e-5)
    assert set(particles["rlnMicrographName"]) == {"a.mrc"}
    for word in ("a b.mrc", "", "it's.mrc"):
        with pytest.raises(ValueError, match="micrograph must be a name without blanks and quotes"):
            write_relion_particles(tmp_path / "x.star", scene, OPTICS, SHAPE, word)


def test_an_object_further_down_the_beam_has_that_much_more_underfocus():
    size, pixel, wavelength = (64, 64), 2.0, torch.tensor(0.0197, dtype=torch.float64)
    q = frequencies(64, pixel)
    to_exit, height, defocus = 400.0, 150.0, 9000.0

    def lens(focus):
        coefficients = {"C10": torch.tensor(-focus, dtype=torch.float64)}
        return torch.exp(-1j * aberration_phase(q[:, None], q, wavelength, coefficients))

    def space(distance):
        return fresnel_propagator(size, pixel, distance, wavelength, band_limit=None)

    # Focused on the middle at `defocus`, the lens is that plus the way from there to the exit.
    at_exit = lens(defocus + to_exit)
    assert torch.allclose(at_exit * space(to_exit), lens(defocus), atol=1e-9)
    assert torch.allclose(at_exit * space(to_exit - height), lens(defocus + height), atol=1e-9)


def test_foreign_particles_have_shifts_optics_groups_and_many_micrographs(tmp_path):
    path = tmp_path / "run_data.star"
    path.write_text(
        "# version 30001\n\ndata_optics\n\nloop_\n_rlnOpticsGroup #1\n_rlnImagePixelSize #2\n"
        "_rlnMicrographOriginalPixelSize #3\n1 4.0 2.0\n2 4.0 3.0\n\n\n# version 30001\n\n"
        "data_particles\n\nloop_\n_rlnMicrographName #1\n_rlnCoordinateX #2\n_rlnCoordinateY #3\n"
        "_rlnOriginXAngst #4\n_rlnOriginYAngst #5\n_rlnAnglePsi #6\n_rlnOpticsGroup #7\n"
        "a.mrc 60 50 1.0 -2.0 90 1\nb.mrc 50 51 0 0 0 2\na.mrc 50 50 0 0 0 1\n\n"
    )
    with pytest.raises(InputError, match=r"has 2 images, choose one with 'image': a\.mrc \(2 "):
        read_coordinates(path, shape=(100, 100))
    (found,) = read_coordinates(path, shape=(100, 100), image="a.mrc", particle="ribosome")
    assert found.particle == "ribosome"
    assert found.positions.tolist() == [[19, 2, 0], [0, 0, 0]]
    expected = rotation_from_relion(torch.tensor([[0.0, 0, 90], [0, 0, 0]]))
    assert torch.equal(found.rotations, expected)
    (found,) = read_coordinates(path, shape=(100, 101), image="b.mrc")
    assert found.positions.tolist() == [[0, 3, 0]]
    # The file's own pixel size wins: its image covers the field of 50 x 50 pixels of 6 Å.
    (found,) = read_coordinates(path, shape=(50, 50), image="b.mrc", pixel_size=6.0)
    assert found.positions.tolist() == [[0, 3, 0]]


def test_a_pixel_size_is_what_a_file_without_one_counts_in(tmp_path):
    path = tmp_path / "picks.star"
    path.write_text(PICKS + "60 45\n")
    (found,) = read_coordinates(path, shape=(100, 100), pixel_size=7.0)
    assert found.positions.tolist() == [[70, -35, 0]]
    path.write_text(PICKS + "_rlnMicrographPixelSize\n60 45 2.0\n")
    (found,) = read_coordinates(path, shape=(100, 100), pixel_size=7.0)
    assert found.positions.tolist() == [[(60 - 175) * 2.0, (45 - 175) * 2.0, 0]]
    path.write_text(PICKS + "_rlnMicrographPixelSize\n60 45 0.0\n")
    with pytest.raises(InputError, match="rlnMicrographPixelSize must be positive, got 0 Å"):
        read_coordinates(path, shape=(100, 100))


def test_missing_angles_are_told(tmp_path, caplog):
    path = tmp_path / "picks.star"
    path.write_text(PICKS + "_rlnAnglePsi\n1 2 90\n")
    read_coordinates(path, shape=(9, 9), pixel_size=1.0)
    warnings = [each.getMessage() for each in caplog.records if each.levelname == "WARNING"]
    assert warnings == ["picks.star has no rlnAngleRot, rlnAngleTilt: taken as 0"]


def test_of_many_images_some_are_listed_with_their_numbers(tmp_path):
    path = tmp_path / "many.star"
    rows = "".join(f"{i} 2 m{i % 10}.mrc\n" for i in range(15))
    path.write_text(PICKS + "_rlnMicrographName\n" + rows)
    with pytest.raises(InputError, match=r"has 10 images, .*m0\.mrc \(2 particles\)") as error:
        read_coordinates(path, shape=(9, 9), pixel_size=1.0)
    assert str(error.value).endswith("m7.mrc (1 particle), ...")


def test_centred_particles_of_a_tomogram_need_no_shape_and_turn_with_their_subtomogram(tmp_path):
    path = tmp_path / "particles.star"
    path.write_text(
        "data_general\n\n_rlnTomoSubTomosAre2DStacks 1\n\ndata_particles\n\nloop_\n_rlnTomoName\n"
        "_rlnCenteredCoordinateXAngst\n_rlnCenteredCoordinateYAngst\n_rlnCenteredCoordinateZAngst\n"
        "_rlnOriginXAngst\n_rlnOriginYAngst\n_rlnOriginZAngst\n_rlnTomoSubtomogramRot\n"
        "_rlnTomoSubtomogramTilt\n_rlnTomoSubtomogramPsi\n_rlnAngleRot\n_rlnAngleTilt\n"
        "_rlnAnglePsi\n_rlnTomoVisibleFrames\nTS_01 10 20 30 1 0 0 0 0 90 0 90 0 [1,1,0]\n"
    )
    (found,) = read_coordinates(path)
    # The shift along x of the subtomogram is one along -y of the tomogram.
    assert torch.allclose(found.positions, torch.tensor([[10.0, 21, 30]]).double())
    first, then = rotation_from_relion(torch.tensor([[0.0, 90, 0], [0, 0, 90]]))
    assert torch.allclose(found.rotations[0], then @ first)


@pytest.mark.parametrize(
    ("text", "shape", "message"),
    [
        (PICKS + "1 2\n", None, "counts pixels: pass the shape of the image"),
        (PICKS + "1 2\n", (9, 9), "no pixel size: pass one, or give rlnMicrographPixelSize"),
        (PICKS + "1 x\n", (9, 9), "row 1: rlnCoordinateY must be a number, got 'x'"),
        (PICKS, (9, 9), "not a STAR file|table of particles is empty"),
        ("data_x\nloop_\n_rlnFoo\n1\n", (9, 9), "no column rlnCoordinateX or .*, found rlnFoo"),
        (PICKS + "_rlnOriginX\n1 2 3\n", (9, 9), "use relion_convert_star"),
        (PICKS + "_rlnCoordinateZ\n1 2 3\n", (9, 9), r"pass the shape \(z, y, x\)"),
        ("nonsense", (9, 9), "not a STAR file"),
    ],
)
def test_bad_star_files_are_refused_in_one_line(tmp_path, text, shape, message):
    path = tmp_path / "bad.star"
    path.write_text(text)
    size = None if "no pixel size" in message else 1.0
    with pytest.raises(InputError, match=message) as error:
        read_coordinates(path, shape=shape, pixel_size=size)
    assert str(error.value).startswith(str(path))
    assert "\n" not in str(error.value)


def test_a_tilt_series_is_read_back_as_it_was_written(tmp_path, scene, same, tilts):
    paths = write_relion_tilt_series(tmp_path, "TS_1", scene, tilts, OPTICS, SHAPE, "ts.mrcs")
    assert [path.name for path in paths] == ["tomograms.star", "TS_1.star", "particles.star"]
    assert sorted(tmp_path.iterdir()) == sorted(paths)
    same(read_coordinates(paths[2], image="TS_1"), scene)
    found = read_relion_tilt_series(paths[1])
    assert torch.allclose(found.rotations, tilts.rotations, atol=1e-7)
    assert torch.allclose(found.shifts, tilts.shifts, atol=1e-6)
    assert torch.equal(found.pre_exposure, tilts.pre_exposure)
    assert torch.allclose(found.nominal_tilt_deg, tilts.nominal_tilt_deg, atol=1e-6)
    assert found.defocus == tilts.defocus
    table = read_star(paths[0])["global"]
    assert table["rlnTomoTiltSeriesStarFile"] == ["TS_1.star"]
    assert [table[f"rlnTomoSize{axis}"] for axis in "XYZ"] == [["1000"], ["802"], ["240"]]
    assert read_star(paths[1])["TS_1"]["rlnMicrographName"] == [f"{i}@ts.mrcs" for i in (1, 2, 3)]


def test_relions_projection_of_the_written_numbers_hits_the_pixels_of_ours(tmp_path, scene, tilts):
    paths = write_relion_tilt_series(tmp_path, "T", scene, tilts, OPTICS, SHAPE, "t.mrcs")
    rows, sizes = read_star(paths[1])["T"], read_star(paths[0])["global"]
    particles = read_star(paths[2])["particles"]
    pixel = 1.25

    def about(axis, degrees):
        i, j = (axis + 1) % 3, (axis + 2) % 3
        c, s = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
        matrix = torch.eye(3, dtype=torch.float64)
        matrix[i, i] = matrix[j, j] = c
        matrix[i, j], matrix[j, i] = -s, s
        return matrix

    centered = torch.tensor(
        [[float(v) for v in particles[f"rlnCenteredCoordinate{a}Angst"]] for a in "XYZ"],
        dtype=torch.float64,
    ).T
    n = torch.tensor([int(sizes[f"rlnTomoSize{a}"][0]) for a in "XYZ"])
    voxels = centered / pixel + n / 2
    for t in range(3):
        a, b, c = (float(rows[f"rlnTomo{k}"][t]) for k in ("XTilt", "YTilt", "ZRot"))
        shift = torch.tensor([float(rows[f"rlnTomo{k}ShiftAngst"][t]) for k in "XY"])
        turned = (voxels - n // 2) @ (about(2, c) @ about(1, b) @ about(0, a)).T
        relion = turned[:, :2] + shift / pixel + torch.tensor([SHAPE[1] // 2, SHAPE[0] // 2])
        seen = (scene.positions() @ tilts.rotations[t].T)[:, :2] + tilts.shifts[t]
        ours = seen / pixel + torch.tensor([1000 // 2, 801 // 2])
        assert torch.allclose(relion, ours, atol=1e-5)


def test_a_failing_tilt_series_leaves_nothing_behind(tmp_path, scene, tilts):
    (tmp_path / "particles.star").write_text("mine")
    with pytest.raises(InputError, match=r"particles\.star: exists already"):
        write_relion_tilt_series(tmp_path, "T", scene, tilts, OPTICS, SHAPE, "t.mrcs")
    assert [path.name for path in tmp_path.iterdir()] == ["particles.star"]
    with pytest.raises(ValueError, match=r"shifts must have shape \(3, 2\)"):
        TiltSeries(tilts.rotations, tilts.shifts[:2], tilts.pre_exposure, tilts.pre_exposure)
    with pytest.raises(ValueError, match="defocus must be given for all 3 tilts, got 1"):
        TiltSeries(
            tilts.rotations, tilts.shifts, tilts.pre_exposure, tilts.pre_exposure, tilts.defocus[:1]
        )
