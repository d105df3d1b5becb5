import gzip

import pytest
import torch

from difftem.io.errors import InputError
from difftem.scene.files.coordinates import read_coordinates, write_coordinates_csv
from difftem.scene.files.euler import rotation_from_tem_simulator
from difftem.scene.poses import ParticlePoses
from difftem.tem_simulator.files.tables import write_coordinates


def test_csv_is_read_back_as_it_was_written(tmp_path, scene, same):
    path = tmp_path / "copies.csv"
    write_coordinates_csv(path, scene)
    assert path.read_text().splitlines()[0] == "particle,x,y,z,phi,theta,psi"
    same(read_coordinates(path), scene)
    with pytest.raises(InputError, match="exists already"):
        write_coordinates_csv(path, scene)
    (tmp_path / "copies.csv.gz").write_bytes(gzip.compress(path.read_bytes()))
    same(read_coordinates(tmp_path / "copies.csv.gz"), scene)


def test_text_matrix_is_read_back_as_it_was_written(tmp_path, scene):
    path = tmp_path / "copies.txt"
    spikes = scene.instances[1]
    write_coordinates(path, spikes.positions, spikes.rotations)
    (found,) = read_coordinates(path, particle="6vxx")
    assert found.particle == "6vxx"
    assert torch.allclose(found.positions, spikes.positions, atol=1e-5)
    assert torch.allclose(found.rotations, spikes.rotations, atol=1e-7)


def test_text_matrix_is_in_nm_and_turns_first_by_phi_about_z(tmp_path):
    path = tmp_path / "one.txt"
    path.write_text("# comment\n1 6\n-5 1.5 0.25 90 90 0\n")
    (found,) = read_coordinates(path)
    assert found.positions.tolist() == [[-50.0, 15.0, 2.5]]
    # x by phi to y, by theta about x to z.
    x = torch.tensor([1.0, 0, 0]).double()
    assert torch.allclose(found.rotations[0] @ x, torch.tensor([0.0, 0, 1]).double(), atol=1e-12)


def test_tem_simulators_own_file_is_read(shared_data):
    (found,) = read_coordinates(shared_data / "temsim/input_TMV/TMV_coord.txt", particle="TMV")
    assert found.positions.tolist() == [[-500, 50, 0], [0, 50, 0], [500, 50, 0]]
    angles = torch.tensor([[0.0, 0, 0], [0, 90, 0], [0, 90, 90]])
    assert torch.equal(found.rotations, rotation_from_tem_simulator(angles))


def test_csv_columns_are_found_by_name_and_angles_and_names_may_be_missing(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("# made by hand\n\nZ, X ,y,note\n1,2,3,first\n\n4,5,6,\n")
    (found,) = read_coordinates(path, particle="blob")
    assert found.particle == "blob"
    assert found.positions.tolist() == [[2, 3, 1], [5, 6, 4]]
    assert torch.equal(found.rotations, torch.eye(3).double().repeat(2, 1, 1))
    path.write_text("x,y,z,particle\n1,2,3,b\n1,2,4,a\n1,2,5,b\n7,7,7,\n")
    found = read_coordinates(path, particle="rest")
    assert [(each.particle, each.positions[:, 2].tolist()) for each in found] == [
        ("b", [3, 5]),
        ("a", [4]),
        ("rest", [7]),
    ]


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("a.csv", "", "is empty, expected a header with x, y, z"),
        ("a.csv", "x,y,z\n", "has a header and no rows"),
        ("a.csv", "x,y,w\n1,2,3\n", "no column z, the header has x, y, w"),
        ("a.csv", "x,y,z,phi\n1,2,3,4\n", "needs phi, theta and psi or none, has phi"),
        ("a.csv", "x,y,z,rot,tilt,psi\n1,2,3,4,5,6\n", "column rot, tilt: angles are phi, theta"),
        ("a.csv", "x,y,z,x\n1,2,3,4\n", "has more than one column x"),
        ("a.csv", "x,y,z\n1,2,3\n1,2\n", "line 3: expected 3 values, got 2"),
        ("a.csv", "x,y,z\n1,2,3\n#\n1,two,3\n", "line 4: y must be a number, got 'two'"),
        ("a.csv", "x,y,z\n1,2,nan\n", "line 2: z must be a number, got 'nan'"),
        ("a.csv", "x,y,z,particle\n1,2,3,a b\n", "line 2: 'a b' has blanks, quotes or commas"),
        ("a.txt", "", "expected a line 'rows columns'"),
        ("a.txt", "1 3\n1 2 3\n", "at least 1 row and 6 columns, got 1 x 3"),
        ("a.txt", "1 6\n1 2 3 4 5\n", "line 2: expected 6 values, got 5"),
        ("a.txt", "1 6\n1 2 3 4 5 nan\n", "line 2: values must be finite"),
    ],
)
def test_bad_files_are_refused_in_one_line_that_names_file_and_line(tmp_path, name, text, message):
    path = tmp_path / name
    path.write_text(text)
    with pytest.raises(InputError, match=message) as error:
        read_coordinates(path)
    assert str(error.value).startswith(str(path))
    assert "\n" not in str(error.value)


def test_columns_that_are_not_used_and_angles_that_are_missing_are_told(tmp_path, caplog):
    caplog.set_level("INFO", "difftem")
    path = tmp_path / "a.csv"
    path.write_text("x,y,z,note,size\n1,2,3,first,4\n")
    read_coordinates(path)
    assert caplog.messages == [
        "a.csv has no phi, theta, psi: taken as 0",
        "a.csv: 1 row, x y z in Å; not used: column note, size",
    ]
    caplog.clear()
    path.write_text("x,y,z,phi,theta,psi,particle\n1,2,3,0,0,0,a\n")
    read_coordinates(path)
    assert caplog.messages == ["a.csv: 1 row, x y z in Å, phi theta psi in degrees, particle"]
    with pytest.raises(InputError, match=r"image 'b\.mrc' cannot be chosen: only STAR files"):
        read_coordinates(path, image="b.mrc")


def test_missing_files_are_named_and_failed_writes_leave_nothing(tmp_path, scene):
    for name in ("none.csv", "none.star", "none.txt"):
        with pytest.raises(InputError, match=f"{name}: no such file"):
            read_coordinates(tmp_path / name)
    with pytest.raises(InputError, match="there is no folder"):
        write_coordinates_csv(tmp_path / "nowhere" / "a.csv", scene)
    assert list(tmp_path.iterdir()) == []


def test_no_copies_are_written_as_a_header(tmp_path, scene):
    empty = ParticlePoses("a", torch.zeros(0, 3).double(), torch.zeros(0, 3, 3).double())
    write_coordinates_csv(tmp_path / "a.csv", type(scene)((empty,), scene.box))
    assert (tmp_path / "a.csv").read_text() == "particle,x,y,z,phi,theta,psi\n"


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("between", [",", ";", "\t"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "latin-1"])
def test_csv_of_every_program_is_read(tmp_path, end, between, encoding):
    rows = [["# Å, µm"], ["Z", " x ", "y", "note"], ["1", "2", "3.5", "é"], ["4", "5", "6", ""]]
    if encoding != "latin-1":
        rows[2][3] = "λ"
    text = end.join(between.join(row) for row in rows) + end
    path = tmp_path / "a.csv"
    path.write_bytes(text.encode(encoding))
    (found,) = read_coordinates(path)
    assert found.positions.tolist() == [[2, 3.5, 1], [5, 6, 4]]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("x;y;z\n1,5;2;3\n", "line 2: x must be a number, got '1,5'; write decimals with a point"),
        ("x y z\n1 2 3\n", "no column x, y, z, the header has x y z"),
        ("x,y,z\n1,2,3,\n", "line 2: expected 3 values, got 4"),
        ('x,y,z\n1,"2,3\n', "line 2: unexpected end of data"),
        ("x,y,z\n1,2,\0\n", "not a text file: it holds bytes of 0"),
    ],
)
def test_csv_of_no_program_is_refused(tmp_path, text, message):
    path = tmp_path / "a.csv"
    path.write_text(text)
    with pytest.raises(InputError, match=message):
        read_coordinates(path)


def test_what_follows_the_stated_rows_and_columns_of_a_text_matrix_is_named(tmp_path, caplog):
    caplog.set_level("INFO", "difftem")
    path = tmp_path / "a.txt"
    path.write_text("1 7\n1 2 3 0 0 0 9 8\n4 5 6 0 0 0 0\n")
    read_coordinates(path)
    assert caplog.messages == [
        "a.txt: 1 row of 7 columns, as its first line says; not used: 1 row behind them, "
        "columns 8 to 8",
        "a.txt: 1 row, x y z in nm, phi theta psi in degrees; not used: columns 7 to 7",
    ]


def test_options_of_star_files_are_refused_for_others(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("x,y,z\n1,2,3\n")
    with pytest.raises(InputError, match="coordinates_pixel_size does not apply: only STAR files"):
        read_coordinates(path, coordinates_pixel_size=1.0)
    with pytest.raises(InputError, match="tomogram_size does not apply: only STAR files"):
        read_coordinates(path, tomogram_size=(1, 2, 3))


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("a.csv", "x,y,z\n1,2,4e7\n"),
        ("a.txt", "1 6\n4e6 0 0 0 0 0\n"),
        ("a.star", "data_\nloop_\n_rlnCoordinateX\n_rlnCoordinateY\n1e9 1\n"),
    ],
)
def test_places_beyond_a_grid_are_refused(tmp_path, name, text):
    path = tmp_path / name
    path.write_text(text)
    with pytest.raises(InputError, match=r"at most 3e.07 Å .* are the coordinates in Å"):
        read_coordinates(path, shape=(9, 9), pixel_size=2.0)


def test_numbers_that_would_overflow_are_refused_by_their_row(tmp_path):
    path = tmp_path / "a.star"
    path.write_text("data_\nloop_\n_rlnCoordinateX\n_rlnCoordinateY\n1 2\n1e308 1\n")
    with pytest.raises(InputError, match=r"row 2: rlnCoordinateX must be within 1e\+12, got 1e308"):
        read_coordinates(path, shape=(9, 9), pixel_size=2.0)
