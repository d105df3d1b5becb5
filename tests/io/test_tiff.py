import gzip
import struct

import numpy as np
import pytest
import tifffile
from PIL import Image

from difftem.io.errors import InputError
from difftem.io.frames import read_frames


@pytest.fixture
def counts():
    """Two exposures of 40 x 48 pixels with 300 electrons each."""
    return np.random.default_rng(0).poisson(300, (2, 40, 48))


def patched(path, counts, tag, value):
    """Write a TIFF file and change an entry of its directory."""
    tifffile.imwrite(path, counts[0].astype(np.uint8))
    content = bytearray(path.read_bytes())
    (start,) = struct.unpack_from("<I", content, 4)
    (n,) = struct.unpack_from("<H", content, start)
    for entry in range(start + 2, start + 2 + 12 * n, 12):
        found, kind = struct.unpack_from("<HH", content, entry)
        if found == tag:
            struct.pack_into("<H" if kind == 3 else "<I", content, entry + 8, value)
    path.write_bytes(content)
    return path


@pytest.mark.parametrize(
    ("tag", "value", "message"),
    [
        (256, 0, r"has no pixels: 0 x 40 \(x, y\)"),
        (257, 0, r"has no pixels: 48 x 0 \(x, y\)"),
        (256, 60000, "not a whole TIFF file"),
        (258, 12, "imagecodecs.* or save the image uncompressed"),
        (259, 65000, "EER is not read: .*relion_convert_to_tiff"),
        (259, 12345, "its compression is not read: save it uncompressed"),
        (262, 3, "has colours of a palette, expected grey values"),
    ],
)
def test_tiff_files_that_are_no_grey_images_are_refused(tmp_path, counts, tag, value, message):
    with pytest.raises(InputError, match=message) as refused:
        read_frames(patched(tmp_path / "a.tif", counts, tag, value))
    assert "\n" not in str(refused.value)


def test_a_palette_of_pillow_is_refused_and_lost_noise_and_white_zero_are_said(tmp_path, counts):
    data = (counts[0] // 2).astype(np.uint8)
    Image.fromarray(data).convert("P").save(tmp_path / "p.tif")
    with pytest.raises(InputError, match="has colours of a palette"):
        read_frames(tmp_path / "p.tif")
    Image.fromarray(data).save(tmp_path / "j.tif", compression="jpeg")
    assert read_frames(tmp_path / "j.tif").notes[0].startswith("JPEG compression has changed")
    tifffile.imwrite(tmp_path / "w.tif", data, photometric="miniswhite")
    frames = read_frames(tmp_path / "w.tif")
    np.testing.assert_array_equal(frames.data[0], data)
    assert frames.notes[0].startswith("0 is white in this TIFF file")


def test_packed_tiff_files_are_read(tmp_path, counts):
    tifffile.imwrite(tmp_path / "a.tif", counts.astype(np.uint16))
    packed = tmp_path / "b.tif.gz"
    packed.write_bytes(gzip.compress((tmp_path / "a.tif").read_bytes()))
    np.testing.assert_array_equal(read_frames(packed).data, counts)
