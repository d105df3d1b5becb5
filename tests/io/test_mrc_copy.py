"""Headers that are handed on."""

import gzip

import mrcfile
import numpy as np
import pytest

from difftem.io.mrc import read_mrc, write_mrc
from difftem.io.mrc_copy import copy_header

TILTS = np.arange(3, dtype="<i2") * 100 - 100  # hundredths of a degree


def tilt_series(path, size=(3, 8, 6)):
    """A stack as SerialEM writes it: a short for each section's tilt."""
    with mrcfile.new(path) as mrc:
        mrc.set_data(np.arange(np.prod(size), dtype=np.int16).reshape(size))
        mrc.set_image_stack()
        mrc.header.exttyp = b"SERI"
        extra = bytearray(mrc.header.extra2.tobytes())
        extra[16:20] = np.array([2, 1], "<i2").tobytes()
        mrc.header.extra2 = bytes(extra)
        mrc.set_extended_header(TILTS.view("V1"))
        mrc.header.origin = (1.0, 2.0, 3.0)
        mrc.header.label[:] = b""
        mrc.header.label[0] = b"Tilt axis angle = 85.3"
        mrc.header.nlabl = 1
    return path


@pytest.fixture
def made(tmp_path):
    path = tmp_path / "made.mrc"
    write_mrc(path, np.ones((3, 8, 6)), 2.5, ["denoised"])
    return path


def test_records_origin_and_labels_are_handed_on_and_data_stay(tmp_path, made):
    assert copy_header(tilt_series(tmp_path / "in.mrc"), made)
    with mrcfile.open(made) as mrc:
        np.testing.assert_array_equal(mrc.extended_header.view("<i2"), TILTS)
        assert mrc.header.exttyp == b"SERI"
        assert mrc.header.extra2.tobytes()[16:20] == np.array([2, 1], "<i2").tobytes()
        assert mrc.header.origin.tolist() == (1.0, 2.0, 3.0)
        assert [*mrc.header.label[:2]] == [b"Tilt axis angle = 85.3", b"denoised"]
        assert mrc.header.nlabl == 2
    assert mrcfile.validate(made)
    assert (read_mrc(made).data == 1).all()
    assert read_mrc(made).voxel_size[0] == pytest.approx(2.5)


def test_a_compressed_source_is_read(tmp_path, made):
    path = tilt_series(tmp_path / "in.mrc")
    packed = tmp_path / "in.mrc.gz"
    packed.write_bytes(gzip.compress(path.read_bytes()))
    assert copy_header(packed, made)
    assert read_mrc(made).header.extended == "SERI of 6 bytes"


def test_ten_labels_are_kept_with_the_own_one_last(tmp_path, made):
    path = tmp_path / "in.mrc"
    write_mrc(path, np.ones((3, 8, 6)), 1.0, [f"label {i}" for i in range(10)])
    assert copy_header(path, made)
    with mrcfile.open(made) as mrc:
        assert [*mrc.header.label[8:]] == [b"label 8", b"denoised"]


@pytest.mark.parametrize("spoil", ["size", "axes", "endian", "text", "gone"])
def test_nothing_is_copied_of_what_does_not_fit(tmp_path, made, spoil):
    path = tilt_series(tmp_path / "in.mrc", (4, 8, 6) if spoil == "size" else (3, 8, 6))
    content = bytearray(path.read_bytes())
    if spoil == "axes":
        content[64:76] = np.array([2, 1, 3], "<i4").tobytes()
    elif spoil == "endian":
        write = np.frombuffer(bytes(content[: 4 * 56]), "<i4").byteswap()
        content[: 4 * 56] = write.tobytes()
        content[212:216] = b"\x11\x11\x00\x00"
        content[208:212] = b"MAP "
    path.write_bytes(b"no image" if spoil == "text" else bytes(content))
    if spoil == "gone":
        path.unlink()
    before = made.read_bytes()
    assert not copy_header(path, made)
    assert made.read_bytes() == before
