import warnings

import mrcfile
import numpy as np
import pytest

from difftem.io.errors import InputError
from difftem.io.mrc import read_mrc, write_mrc, write_rawtlt


@pytest.fixture
def stack():
    """Three tilts of 4 x 5 pixels, each value different."""
    return np.arange(60, dtype=np.float32).reshape(3, 4, 5)


def test_stack_is_read_back_as_it_was_written(tmp_path, stack):
    path = tmp_path / "tilts.mrc"
    write_mrc(path, stack, 1.25)
    image = read_mrc(path)
    np.testing.assert_array_equal(image.data, stack)
    assert image.data.dtype == np.float32
    assert image.voxel_size == pytest.approx((1.25, 1.25, 1.25))


def test_header_tells_images_stacks_and_volumes_apart(tmp_path, stack):
    write_mrc(tmp_path / "image.mrc", stack[0], 2.0)
    write_mrc(tmp_path / "stack.mrc", stack, 2.0)
    write_mrc(tmp_path / "volume.mrc", stack, (1.0, 2.0, 3.0), is_volume=True)
    with mrcfile.open(tmp_path / "image.mrc") as mrc:
        assert mrc.is_single_image()
        assert mrc.header.nx == 5
    with mrcfile.open(tmp_path / "stack.mrc") as mrc:
        assert mrc.is_image_stack()
        assert (int(mrc.header.nz), int(mrc.header.mz)) == (3, 1)
    with mrcfile.open(tmp_path / "volume.mrc") as mrc:
        assert mrc.is_volume()
        assert mrc.header.cella.tolist() == (5.0, 8.0, 9.0)
    assert read_mrc(tmp_path / "volume.mrc").voxel_size == (1.0, 2.0, 3.0)


def test_file_is_valid_mrc2014_with_the_given_labels_only(tmp_path, stack):
    path = tmp_path / "tilts.mrc"
    write_mrc(path, stack, 1.0, ["difftem 0.1", "tilt axis = y"])
    assert mrcfile.validate(path)
    with mrcfile.open(path) as mrc:
        assert mrc.get_labels() == ["difftem 0.1", "tilt axis = y"]


def test_same_input_gives_the_same_bytes(tmp_path, stack, monkeypatch):
    paths = [tmp_path / "a.mrc", tmp_path / "b.mrc"]
    for path in paths:
        write_mrc(path, stack, 1.0, ["one"])
        # The next file would be of another second.
        monkeypatch.setattr("time.time", lambda: 2e9)
    assert paths[0].read_bytes() == paths[1].read_bytes()
    assert paths[0].stat().st_size == 1024 + 60 * 4
    assert b"20" not in paths[0].read_bytes()[220:1024]  # no year in the labels


def test_existing_file_is_kept_unless_overwriting_is_asked_for(tmp_path, stack):
    path = tmp_path / "tilts.mrc"
    write_mrc(path, stack, 1.0)
    with pytest.raises(InputError, match=r"tilts\.mrc: exists already; --overwrite"):
        write_mrc(path, stack + 1, 1.0)
    assert read_mrc(path).data[0, 0, 0] == 0
    write_mrc(path, stack + 1, 1.0, overwrite=True)
    assert read_mrc(path).data[0, 0, 0] == 1


def test_failure_while_writing_leaves_the_old_file_and_nothing_else(tmp_path, stack, monkeypatch):
    path = tmp_path / "tilts.mrc"
    write_mrc(path, stack, 1.0)
    before = path.read_bytes()

    def no_space(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(mrcfile.mrcfile.MrcFile, "set_data", no_space)
    with pytest.raises(InputError, match=r"tilts\.mrc: cannot be written: No space left"):
        write_mrc(path, stack + 1, 1.0, overwrite=True)
    assert path.read_bytes() == before
    assert [entry.name for entry in tmp_path.iterdir()] == ["tilts.mrc"]


@pytest.mark.parametrize(
    ("array", "voxel_size", "labels", "message"),
    [
        (np.zeros(3), 1.0, [], r"\(y, x\) or \(z, y, x\) and not empty, got \(3,\)"),
        (np.zeros((0, 4)), 1.0, [], r"not empty, got \(0, 4\)"),
        (np.full((2, 2), np.nan), 1.0, [], "array must be finite, got 4 bad values"),
        (np.zeros((2, 2)), 0.0, [], r"voxel_size must be positive, got 0\.0 Å"),
        (np.zeros((2, 2)), 1.0, ["x" * 81], "labels must be at most 10 ASCII lines"),
        (np.zeros((2, 2)), 1.0, ["Å"], "labels must be at most 10 ASCII lines"),
    ],
)
def test_what_mrc_cannot_hold_is_refused(tmp_path, array, voxel_size, labels, message):
    with pytest.raises(ValueError, match=message):
        write_mrc(tmp_path / "bad.mrc", array, voxel_size, labels)
    assert list(tmp_path.iterdir()) == []


def test_missing_truncated_and_foreign_files_are_named(tmp_path, stack):
    with pytest.raises(InputError, match=r"none\.mrc: no such file"):
        read_mrc(tmp_path / "none.mrc")
    with pytest.raises(InputError, match="is a folder, expected a file"):
        read_mrc(tmp_path)
    path = tmp_path / "cut.mrc"
    write_mrc(path, stack, 1.0)
    whole = path.read_bytes()
    path.write_bytes(whole[:-40])
    with pytest.raises(InputError, match="whole MRC file: Expected 240 bytes in data block but"):
        read_mrc(path)
    path.write_bytes(whole[:100])
    with pytest.raises(InputError, match="not a whole MRC file: Couldn't read enough bytes"):
        read_mrc(path)
    path.write_bytes(b"\x89PNG and then something else entirely" * 100)
    with pytest.raises(InputError, match="not a whole MRC file: Map ID string not found"):
        read_mrc(path)


def test_big_endian_file_comes_in_native_byte_order(tmp_path, stack):
    path = tmp_path / "big.mrc"
    with mrcfile.new(path, data=stack.astype(">f4")) as mrc:
        assert mrc.data.dtype.byteorder == ">"
    data = read_mrc(path).data
    assert data.dtype.isnative
    np.testing.assert_array_equal(data, stack)


def test_tilt_angles_are_one_per_line(tmp_path):
    path = tmp_path / "tilts.rawtlt"
    write_rawtlt(path, [-60, 0, 2.125])
    assert path.read_text() == "-60.00\n0.00\n2.12\n"
    with pytest.raises(InputError, match="exists already"):
        write_rawtlt(path, [0])
    with pytest.raises(ValueError, match="list of finite numbers, got "):
        write_rawtlt(tmp_path / "bad.rawtlt", [0.0, np.nan])
    with pytest.raises(InputError, match="there is no folder"):
        write_rawtlt(tmp_path / "nowhere" / "tilts.rawtlt", [0])


@pytest.mark.parametrize(
    ("name", "shape", "voxel_size"),
    [
        ("micrographs/krios_k2_300kV_crop2048.mrc", (2048, 2048), 0.854),
        ("tilt_series/HAADF.mrc", (77, 256, 256), None),
        ("temsim/input_TMV/tiltseries_nonoise.mrc", (3, 400, 400), None),
    ],
)
def test_files_of_microscopes_and_other_programs_are_read(shared_data, name, shape, voxel_size):
    image = read_mrc(shared_data / name)
    assert image.data.shape == shape
    assert np.isfinite(image.data).all()
    if voxel_size is not None:
        assert image.voxel_size == pytest.approx([voxel_size] * 3, rel=1e-4)


def test_what_a_library_says_of_another_is_no_complaint_about_the_file(tmp_path, monkeypatch):
    write_mrc(tmp_path / "image.mrc", np.zeros((4, 4), np.float32), 2.0)
    opened = mrcfile.open

    def open_with_a_word(*arguments, **options):
        warnings.warn("arrays are given a shape otherwise", DeprecationWarning, stacklevel=2)
        return opened(*arguments, **options)

    monkeypatch.setattr(mrcfile, "open", open_with_a_word)
    assert read_mrc(tmp_path / "image.mrc").complaints == []
