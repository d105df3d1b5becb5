import pytest

from difftem.io.box_list import read_boxes
from difftem.io.errors import InputError

SHAPE = (300, 400)  # y, x


def read(path, text, pixel_size=1.0, size=64):
    path.write_text(text)
    return read_boxes(path, "a.mrc", pixel_size, size, SHAPE)


def test_eman_boxes_are_corners_with_extent(tmp_path):
    assert read(tmp_path / "a.box", "10\t20\t64\t64\n\n100 200 100 80 -3\n") == [
        (20, 10),
        (208, 118),
    ]


def test_relion_coordinates_are_middles_of_one_micrograph(tmp_path):
    star = (
        "data_optics\nloop_\n_rlnOpticsGroup\n_rlnMicrographPixelSize\n1 1.005\n\n"
        "data_particles\nloop_\n_rlnMicrographName\n_rlnCoordinateX\n_rlnCoordinateY\n"
        "m/a.mrc 32 40.0\nm/b.mrc 1 1\nm/a.mrc 368 268\n"
    )
    assert read(tmp_path / "a.star", star) == [(8, 0), (236, 336)]


def test_csv_has_corners_under_any_case_and_order(tmp_path):
    table = "y, X, micrograph, pixel_size\n5, 7, x/a.mrc, 1.0\n1, 1, b.mrc, 9\n"
    assert read(tmp_path / "a.csv", table) == [(5, 7)]
    table = "x,y,width,height\n0,0,128,64\n"
    assert read(tmp_path / "a.csv", table) == [(0, 32)]


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("a.box", "337 0 64 64", r"box 337 0 64 64 in line 1 with a crop of 64 pixels is outside "),
        ("a.box", "0 -1 64 64", r"is outside the image of 400 x 300 pixels \(x, y\)$"),
        ("a.box", "0 0 64 32", r"box 0 0 64 32 in line 1 is smaller than the crop of 64 pixels$"),
        ("a.box", "1 2 3", r"line 1: expected x y width height, got '1 2 3'"),
        (
            "a.box",
            "0 0 64 64\ninf 5 64 64",
            r"a\.box: line 2: expected .*, got 'inf 5",
        ),
        ("a.box", "0 0 nan 64", r"a\.box: line 1: expected x y width height, got '0 0 nan 64'"),
        ("a.csv", "x,y\n1,-inf\n", r"a\.csv: line 2: y must be a number, got '-inf'"),
        (
            "a.csv",
            "x,y,pixel_size\n1,1,nan\n",
            r"a\.csv: line 2: pixel_size must be a number, got 'nan'",
        ),
        ("a.star", "data_\nloop_\n_rlnCoordinateX\n_rlnCoordinateY\nnan 9\n", r"a\.star: .*'?nan"),
        ("a.star", "data_\nloop_\n_rlnCoordinateX\n_rlnCoordinateY\ninf 9\n", r"a\.star: .*'?inf"),
        (
            "a.box",
            "9 9 64 64\n0 0 64 64\n9 9 64 64\n",
            r"boxes 9 9 64 64 in line 1 and 9 9 64 64 in line 3 are the same crop: give it once$",
        ),
        (
            "a.star",
            "data_\nloop_\n_rlnCoordinateX\n_rlnCoordinateY\n99 99\n98.9 99.2\n",
            r"a\.star: boxes at 99 99 and at 98\.9 99\.2 are the same crop: give it once$",
        ),
        ("a.box", "# none\n", r"no box for a\.mrc$"),
        ("a.txt", "", r"must be \.box, \.star or \.csv, got '\.txt'"),
        ("a.csv", "a,b\n1,2\n", "first line must name x and y, got 'a, b'"),
        ("a.csv", "x,y\n1,two\n", "line 2: y must be a number, got 'two'"),
        ("a.csv", "x,y\n1\n", "line 2: expected 2 values, got 1"),
        ("a.csv", "x,y,pixel_size\n1,1,1.2\n", r"pixel size is 1\.2 Å, but a\.mrc has 1 Å"),
        ("a.star", "data_\nloop_\n_rlnCoordinateX\n1\n", "no column rlnCoordinateY"),
        ("a.star", "data_\nloop_\n_rlnAngle\n1\n", "no table with _rlnCoordinateX"),
        (
            "a.star",
            "data_\nloop_\n_rlnCoordinateX\n_rlnCoordinateY\n_rlnMicrographPixelSize\n99 99 1.5\n",
            r"a\.star: pixel size is 1\.5 Å, but a\.mrc has 1 Å",
        ),
        (
            "a.star",
            "data_\nloop_\n_rlnCoordinateX\n_rlnCoordinateY\n20 99\n",
            r"box at 20 99 with a crop of 64 pixels is outside the image of 400 x 300",
        ),
    ],
)
def test_lists_that_do_not_fit_are_refused(tmp_path, name, text, message):
    with pytest.raises(InputError, match=message) as error:
        read(tmp_path / name, text)
    assert "\n" not in str(error.value)


def test_an_unknown_pixel_size_is_not_compared(tmp_path):
    assert read(tmp_path / "a.csv", "x,y,pixel_size\n1,1,1.2\n", pixel_size=None) == [(1, 1)]


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("between", [",", ";", "\t"])
def test_csv_of_every_program_is_read(tmp_path, end, between):
    rows = [["x", "y", "note"], ["7", "5", "a"], ["100", "90", "b"]]
    text = "\ufeff" + end.join(between.join(row) for row in rows) + end
    assert read(tmp_path / "a.csv", text) == [(5, 7), (90, 100)]


def test_what_of_a_list_is_used_is_said(tmp_path, caplog):
    caplog.set_level("INFO", "difftem")
    read(tmp_path / "a.csv", "x,y,micrograph,score,pixel_size\n7,5,a.mrc,1,1.0\n1,1,b.mrc,9,1\n")
    read(tmp_path / "a.box", "10 20 64 64 -3\n")
    star = "data_\nloop_\n_rlnCoordinateX\n_rlnCoordinateY\n_rlnAnglePsi\n99 98 5\n"
    read(tmp_path / "a.star", star)
    assert caplog.messages == [
        "a.csv: 1 of 2 boxes, those of a.mrc, x y of the corner in pixels, of 1 Å, as in the image"
        "; not used: score",
        "a.box: 1 of 1 boxes, those of a.mrc, x y of the corner, width and height in pixels"
        "; not used: what follows the fourth column",
        "a.star: 1 of 1 boxes, those of a.mrc, rlnCoordinateX rlnCoordinateY of the middle in "
        "pixels; not used: rlnAnglePsi",
    ]
