import mrcfile
import numpy as np
import pytest
import torch

from difftem.tem_simulator.files.images import write_tilt_series


@pytest.fixture
def images():
    """Three tilts of 4 x 5 pixels, each value different, none whole."""
    return np.arange(60, dtype=np.float64).reshape(3, 4, 5) - 10.25


def test_header_says_what_that_of_tem_simulator_says(shared_data, tmp_path):
    golden = shared_data / "temsim" / "input_TMV" / "tiltseries_nonoise.mrc"
    path = tmp_path / "tilts.mrc"
    with mrcfile.open(golden, permissive=True) as mrc:
        data, theirs, their_tilts = mrc.data, mrc.header, mrc.extended_header.tobytes()
    write_tilt_series(path, data, 5.0, [-2, 0, 2])
    assert mrcfile.validate(path)
    with mrcfile.open(path) as mrc:
        np.testing.assert_array_equal(mrc.data, data)
        assert mrc.extended_header.tobytes() == their_tilts
        ours = mrc.header
    names = "nx ny nz mode mx my mz cella cellb mapc mapr maps ispg nsymbt origin map machst nlabl"
    for name in names.split():
        assert ours[name].tolist() == theirs[name].tolist(), name
    assert ours.extra2.tobytes() == theirs.extra2.tobytes()  # SerialEM's marks
    assert ours.label[1].strip() == theirs.label[1].strip()
    assert float(ours.dmean) == pytest.approx(float(theirs.dmean), rel=1e-6)


@pytest.mark.parametrize("byte_order", ["native", "be", "le"])
@pytest.mark.parametrize(("file_format", "kind"), [("mrc", "f4"), ("mrc-int", "i2")])
def test_stack_is_read_back_in_every_form(tmp_path, images, file_format, kind, byte_order):
    path = tmp_path / "tilts.mrc"
    notes = write_tilt_series(
        path, images, 2.5, [-60, 0.126, 60], 90, file_format=file_format, byte_order=byte_order
    )
    assert notes == []
    assert mrcfile.validate(path)
    with mrcfile.open(path) as mrc:
        order = {"native": "=", "be": ">", "le": "<"}[byte_order]
        assert mrc.data.dtype == np.dtype(order + kind)
        # Cut towards zero: -10.25 becomes -10 and 10.75 becomes 10.
        np.testing.assert_array_equal(mrc.data, np.trunc(images) if kind == "i2" else images)
        assert mrc.is_image_stack()
        assert mrc.voxel_size.tolist() == (2.5, 2.5, 2.5)
        assert mrc.header.cella.tolist() == (12.5, 10.0, 7.5)
        tilts = np.frombuffer(mrc.extended_header.tobytes(), order + "i2")
        assert tilts.tolist() == [-6000, 13, 6000]
        assert mrc.get_labels() == [
            "Created by difftem",
            " " * 10 + "Tilt axis rotation angle = 0.00",
        ]


def test_images_may_be_stored_with_y_fastest(tmp_path, images):
    path = tmp_path / "tilts.mrc"
    write_tilt_series(path, images, 2.0, [0, 1, 2], axis_order="yx")
    with mrcfile.open(path) as mrc:
        np.testing.assert_array_equal(mrc.data, images.swapaxes(1, 2))
        assert (int(mrc.header.mapc), int(mrc.header.mapr), int(mrc.header.maps)) == (2, 1, 3)
        assert mrc.header.cella.tolist() == (10.0, 8.0, 6.0)
        assert mrc.voxel_size.tolist() == (2.0, 2.0, 2.0)


@pytest.mark.parametrize(("byte_order", "dtype"), [("be", ">f4"), ("le", "<f4"), ("native", "=f4")])
def test_raw_images_are_their_numbers_alone(tmp_path, images, byte_order, dtype):
    path = tmp_path / "tilts.raw"
    write_tilt_series(path, images, 1.0, [0, 1, 2], file_format="raw", byte_order=byte_order)
    np.testing.assert_array_equal(np.fromfile(path, dtype), images.ravel())


def test_tensors_of_a_simulation_are_taken_as_they_are(tmp_path, images):
    path = tmp_path / "tilts.mrc"
    tensor = torch.tensor(images, requires_grad=True)
    write_tilt_series(path, tensor, 1.0, torch.tensor([-1.0, 0.0, 1.0]))
    with mrcfile.open(path) as mrc:
        np.testing.assert_array_equal(mrc.data, images)


def test_grey_values_beyond_16_bits_are_clipped_and_told(tmp_path, images):
    path = tmp_path / "tilts.mrc"
    images[0, 0, 0], images[2, 3, 4] = 1e6, -1e6
    notes = write_tilt_series(path, images, 1.0, [0, 1, 2], file_format="mrc-int")
    assert notes == ["2 of 60 values are beyond 16 bits and are clipped"]
    with mrcfile.open(path) as mrc:
        assert (mrc.data.max(), mrc.data.min()) == (32767, -32768)


def test_tilts_beyond_16_bits_are_the_same_angle_within_a_turn(tmp_path, images):
    path = tmp_path / "tilts.mrc"
    write_tilt_series(path, images, 1.0, [359.0, -345.5, 327.67])
    with mrcfile.open(path) as mrc:
        tilts = np.frombuffer(mrc.extended_header.tobytes(), "=i2")
    assert tilts.tolist() == [-100, 1450, 32767]


def test_same_images_give_the_same_bytes(tmp_path, images, monkeypatch):
    write_tilt_series(tmp_path / "a.mrc", images, 1.0, [0, 1, 2])
    monkeypatch.setattr("time.time", lambda: 2e9)
    write_tilt_series(tmp_path / "b.mrc", images, 1.0, [0, 1, 2])
    assert (tmp_path / "a.mrc").read_bytes() == (tmp_path / "b.mrc").read_bytes()


@pytest.mark.parametrize("file_format", ["mrc", "raw"])
def test_file_is_replaced_whole_or_kept(tmp_path, images, file_format):
    path = tmp_path / "tilts"
    write_tilt_series(path, images, 1.0, [0, 1, 2], file_format=file_format)
    before = path.read_bytes()
    with pytest.raises(ValueError, match="voxel_size must be positive"):
        write_tilt_series(path, images + 1, 0.0, [0, 1, 2], file_format=file_format)
    assert path.read_bytes() == before
    write_tilt_series(path, images + 1, 1.0, [0, 1, 2], file_format=file_format)
    assert path.read_bytes() != before
    assert [entry.name for entry in tmp_path.iterdir()] == ["tilts"]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"images": np.zeros((2, 2))}, r"must be \(z, y, x\) and not empty, got \(2, 2\)"),
        ({"images": np.full((3, 2, 2), np.nan)}, "must be finite, got 12 bad values"),
        ({"angles_deg": [0, 1]}, r"angles_deg must be 3 finite angles, got \[0\.0, 1\.0\]"),
        ({"angles_deg": [0, 1, np.inf]}, "angles_deg must be 3 finite angles"),
        ({"pixel_size": 0.0}, r"voxel_size must be positive, got 0\.0 Å"),
        ({"file_format": "tif"}, "file_format must be mrc or mrc-int or raw, got tif"),
        ({"byte_order": "pdp"}, "byte_order must be native, be or le, got pdp"),
        ({"axis_order": "xx"}, "axis_order must be a permutation of xyz, got xxz"),
    ],
)
def test_what_can_not_be_written_is_refused(tmp_path, images, change, message):
    values = {"images": images, "pixel_size": 1.0, "angles_deg": [0, 1, 2]} | change
    with pytest.raises(ValueError, match=message):
        write_tilt_series(tmp_path / "tilts.mrc", **values)
    assert list(tmp_path.iterdir()) == []
