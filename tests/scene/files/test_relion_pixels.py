"""Whose pixels RELION's coordinates and origins count."""

import gzip

import pytest
import torch

from difftem.io.errors import InputError
from difftem.scene.files.coordinates import read_coordinates

# A field of 2048 x 2048 pixels of 2.8 Å; the micrograph's pixels of 1.4 Å are twice as many.
FIELD = {"shape": (2048, 2048), "pixel_size": 2.8}
POINTS = [[-1433.6, -1433.6, 0], [0, 0, 0], [-767.2, -1607.2, 0]]
NAMES = "_rlnMicrographName #1\n_rlnCoordinateX #2\n_rlnCoordinateY #3\n"
ROWS = ["mic1.mrc 1024 1024", "mic1.mrc 2048 2048", "mic1.mrc 1500 900"]
# RELION 3.0: one table without a name, the pixel size from magnification and detector (µm).
RELION30 = (
    f"\ndata_\n\nloop_\n{NAMES}_rlnVoltage #4\n_rlnDefocusU #5\n_rlnMagnification #6\n"
    "_rlnDetectorPixelSize #7\n_rlnAngleRot #8\n_rlnAngleTilt #9\n_rlnAnglePsi #10\n"
    + "".join(f"{row} 300 15000 100000 14 10 20 30\n" for row in ROWS)
)


def relion31(column="rlnMicrographPixelSize", pixel_size=1.4, extra="", more=""):
    """RELION 3.1: the pixel size in the table of optics groups."""
    return (
        f"\ndata_optics\n\nloop_\n_rlnOpticsGroup #1\n_{column} #2\n_rlnVoltage #3\n"
        f"1 {pixel_size} 300\n\ndata_particles\n\nloop_\n{NAMES}_rlnOpticsGroup #4\n{extra}"
        + "".join(f"{row} 1 {more}\n" for row in ROWS)
    )


def read(tmp_path, text, **options):
    path = tmp_path / "picks.star"
    path.write_text(text)
    (found,) = read_coordinates(path, **(FIELD | options))
    return found


def test_pixel_sizes_of_relion_3_0_and_3_1_give_the_same_places(tmp_path):
    for text in (RELION30, relion31()):
        found = read(tmp_path, text)
        assert torch.allclose(found.positions, torch.tensor(POINTS, dtype=torch.float64))


def test_files_of_the_trials_give_these_places(shared_data):
    for name in ("relion30.star", "relion31.star"):
        path = shared_data.parent / "trials" / name
        if not path.exists():
            pytest.skip("no ../shared/trials")
        (found,) = read_coordinates(path, **FIELD)
        assert torch.allclose(found.positions, torch.tensor(POINTS, dtype=torch.float64))


def test_the_pixel_size_of_extracted_images_alone_is_refused_and_can_be_told(tmp_path):
    binned = relion31("rlnImagePixelSize", 5.6)
    with pytest.raises(InputError, match=r"rlnImagePixelSize 5\.6 Å.*give coordinates_pixel_size"):
        read(tmp_path, binned)
    found = read(tmp_path, binned, coordinates_pixel_size=1.4)
    assert torch.allclose(found.positions, torch.tensor(POINTS, dtype=torch.float64))


def test_what_is_told_counts_more_than_the_file(tmp_path, caplog):
    caplog.set_level("INFO", "difftem")
    found = read(tmp_path, relion31(pixel_size=0.7), coordinates_pixel_size=1.4)
    assert torch.allclose(found.positions, torch.tensor(POINTS, dtype=torch.float64))
    assert "in 1.4 Å pixels (as told)" in caplog.messages[-1]
    assert "rlnMicrographPixelSize rlnVoltage of optics" in caplog.messages[-1]


def test_the_line_says_what_was_used_and_names_what_was_not(tmp_path, caplog):
    caplog.set_level("INFO", "difftem")
    read(tmp_path, RELION30)
    read(tmp_path, relion31())
    old, _, new = caplog.messages
    assert old == (
        "picks.star: 3 particles, rlnCoordinateX rlnCoordinateY in 1.4 Å pixels (rlnMagnification "
        "and rlnDetectorPixelSize), centre at (2048, 2048), angles rlnAngleRot rlnAngleTilt "
        "rlnAnglePsi; not used: rlnVoltage, rlnDefocusU"
    )
    assert "in 1.4 Å pixels (rlnMicrographPixelSize)" in new
    assert new.endswith("no angles; not used: rlnVoltage of optics")


def test_the_fields_pixels_and_those_of_a_movie_are_said_to_be_a_guess(tmp_path, caplog):
    caplog.set_level("INFO", "difftem")
    read(tmp_path, f"data_\nloop_\n{NAMES}" + "\n".join(ROWS) + "\n")
    assert (
        "2.8 Å pixels (those of the field, as the file has none; coordinates_pixel_size"
        in caplog.text
    )
    read(tmp_path, relion31("rlnMicrographOriginalPixelSize"))
    assert "of the movie: coordinates_pixel_size if it was binned" in caplog.text


@pytest.mark.parametrize("axis", [0, 1])
def test_old_origins_count_pixels_of_the_extracted_image(tmp_path, axis):
    name = f"_rlnOrigin{'XY'[axis]} #11\n"
    text = RELION30.replace("#10\n", f"#10\n{name}").replace(" 20 30\n", " 20 30 2.5\n")
    places = torch.tensor(POINTS, dtype=torch.float64)
    places[:, axis] -= 2.5 * 1.4
    assert torch.allclose(read(tmp_path, text).positions, places)
    # Of binned images: their own pixels, 5.6 Å.
    binned = relion31("rlnImagePixelSize", 5.6, name.replace("11", "5"), "2.5")
    found = read(tmp_path, binned, coordinates_pixel_size=1.4)
    places[:, axis] -= 2.5 * 4.2
    assert torch.allclose(found.positions, places)


def test_origins_in_angstrom_are_used_and_old_ones_beside_them_are_named(tmp_path, caplog):
    caplog.set_level("INFO", "difftem")
    extra = "_rlnOriginXAngst #5\n_rlnOriginX #6\n"
    found = read(tmp_path, relion31(extra=extra, more="3.5 99"))
    places = torch.tensor(POINTS, dtype=torch.float64) - torch.tensor([3.5, 0, 0])
    assert torch.allclose(found.positions, places)
    assert "rlnOriginXAngst" in caplog.messages[-1].split("not used")[0]
    assert "rlnOriginX," in caplog.messages[-1].split("not used")[1]


def test_a_tomogram_of_relion_4_has_its_size_from_an_option(tmp_path, caplog):
    text = (
        "data_particles\nloop_\n_rlnTomoName #1\n_rlnCoordinateX #2\n_rlnCoordinateY #3\n"
        "_rlnCoordinateZ #4\nTS_01 1024 1024 300\nTS_01 1034 1023 302\n"
    )
    with pytest.raises(InputError, match=r"has rlnCoordinateZ: give tomogram_size \[x, y, z\]"):
        read(tmp_path, text)
    found = read(tmp_path, text, tomogram_size=(2048, 2048, 600))
    assert found.positions.tolist() == [[0, 0, 0], [28, -2.8, 5.6]]
    found = read(tmp_path, text, tomogram_size=(2048, 2040, 601), coordinates_pixel_size=10.0)
    assert found.positions.tolist() == [[0, 40, 0], [100, 30, 20]]
    with pytest.raises(InputError, match="tomogram_size applies to tomograms"):
        read(tmp_path, relion31(), tomogram_size=(2048, 2048, 600))


def test_options_do_not_apply_to_centred_coordinates(tmp_path):
    columns = "".join(f"_rlnCenteredCoordinate{axis}Angst\n" for axis in "XYZ")
    text = f"data_particles\nloop_\n{columns}1 2 3\n"
    assert read(tmp_path, text).positions.tolist() == [[1, 2, 3]]
    for option, value in (("coordinates_pixel_size", 1.0), ("tomogram_size", (9, 9, 9))):
        with pytest.raises(InputError, match=f"{option} does not apply to rlnCentered"):
            read(tmp_path, text, **{option: value})


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_star_files_of_every_program_are_read(tmp_path, end, encoding):
    path = tmp_path / "picks.star"
    path.write_bytes(relion31().replace("\n", end).encode(encoding))
    (found,) = read_coordinates(path, **FIELD)
    assert torch.allclose(found.positions, torch.tensor(POINTS, dtype=torch.float64))
    packed = tmp_path / "picks.star.gz"
    packed.write_bytes(gzip.compress(path.read_bytes()))
    (again,) = read_coordinates(packed, **FIELD)
    assert torch.equal(again.positions, found.positions)


def test_one_particle_as_pairs_and_quoted_names_are_read(tmp_path):
    pairs = "data_particles\n_rlnCoordinateX 2049\n_rlnCoordinateY 2047\n_rlnMicrographName a.mrc\n"
    found = read(tmp_path, pairs, coordinates_pixel_size=1.4)
    assert torch.allclose(found.positions, torch.tensor([[1.4, -1.4, 0]], dtype=torch.float64))
    quoted = relion31().replace("mic1.mrc", '"my first.mrc"')
    assert len(read(tmp_path, quoted, image="my first.mrc").positions) == 3


def test_pairs_and_loops_beside_the_table_do_no_harm(tmp_path, caplog):
    caplog.set_level("INFO", "difftem")
    text = f"data_\n_rlnVersion 3\nloop_\n{NAMES}" + "\n".join(ROWS) + "\nloop_\n_other\n1\n2\n"
    assert len(read(tmp_path, text).positions) == 3
    assert caplog.messages[-1].endswith("not used: rlnVersion, other")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (RELION30.replace("100000 14", "0 14"), "rlnMagnification must be positive, got 0"),
        (RELION30.replace("100000 14", "x 14"), "rlnMagnification must be a number, got 'x'"),
        (relion31().replace("1 1.4 300", "2 1.4 300"), "no optics group 1 in the optics table"),
        (
            relion31()
            .replace("1 1.4 300", "1 1.4 300\n2 1.5 300")
            .replace(" 1 \n", "\n")
            .replace("_rlnOpticsGroup #4\n", ""),
            "rlnMicrographPixelSize differs between optics groups, and the table of particles has "
            "no rlnOpticsGroup",
        ),
        (relion31() + "\ndata_particles\n_rlnA 1\n", "duplicate block name: particles"),
        (relion31().replace("_rlnCoordinateY", "_rlnY"), "no column rlnCoordinateY"),
        (
            relion31(extra="_rlnOriginY #5\n", more="3"),
            r"has rlnOriginY in pixels \(RELION 3\.0\) and no size of the extracted",
        ),
    ],
)
def test_files_that_say_too_little_are_refused_in_one_line(tmp_path, text, message):
    with pytest.raises(InputError, match=message) as refused:
        read(tmp_path, text)
    assert "\n" not in str(refused.value)
    assert str(refused.value).startswith(str(tmp_path))
