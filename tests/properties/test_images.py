"""MRC and TIFF files that are almost right."""

import gzip
import io

import mrcfile
import numpy as np
import pytest
import tifffile

from difftem.io.array_kind import array_kind
from difftem.io.frames import read_frames
from difftem.io.mrc import read_mrc
from tests.properties.mutations import bytes_of, for_each


def pixels(*shape):
    return np.random.default_rng(0).normal(20.0, 3.0, shape).astype(np.float32)


@pytest.fixture
def mrc(tmp_path):
    """Bytes of a stack of two images."""
    path = tmp_path / "whole.mrc"
    with mrcfile.new(path) as file:
        file.set_data(pixels(2, 12, 16))
        file.voxel_size = 1.5
    content = path.read_bytes()
    path.unlink()
    return content


def tiff(**options):
    file = io.BytesIO()
    tifffile.imwrite(file, pixels(2, 12, 16), **options)
    return file.getvalue()


def finite_shape(path):
    data = read_frames(path).data
    assert data.ndim == 3 and min(data.shape) > 0


@pytest.mark.filterwarnings("ignore")
def test_a_mutated_mrc_file_is_images_or_one_line(attempt, times, mrc):
    assert attempt("a.mrc", mrc, finite_shape) == 0
    for_each(bytes_of(mrc), 30 * times, lambda content: attempt("a.mrc", content, finite_shape))
    for_each(
        bytes_of(mrc[:1100] + mrc[1024:]),
        10 * times,
        lambda content: attempt("a.map", content, lambda path: read_mrc(path) and None),
    )


@pytest.mark.filterwarnings("ignore")
def test_what_a_mutated_mrc_file_holds_is_told_or_refused(attempt, times, mrc):
    told = {("image", True), ("stack", False), ("volume", True)}

    def tell(path):
        assert array_kind(path) in told

    for_each(bytes_of(mrc), 20 * times, lambda content: attempt("a.mrc", content, tell))


@pytest.mark.filterwarnings("ignore")
def test_a_mutated_packed_mrc_file_is_images_or_one_line(attempt, times, mrc):
    assert attempt("a.mrc.gz", gzip.compress(mrc), finite_shape) == 0
    for_each(
        bytes_of(gzip.compress(mrc, mtime=0)),
        15 * times,
        lambda content: attempt("a.mrc.gz", content, finite_shape),
    )


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(
    "options",
    [{}, {"compression": "zlib"}, {"imagej": True, "resolution": (1e7, 1e7)}, {"bigtiff": True}],
    ids=["plain", "deflate", "imagej", "big"],
)
def test_a_mutated_tiff_file_is_images_or_one_line(attempt, times, options):
    assert attempt("a.tif", tiff(**options), finite_shape) == 0
    for_each(
        bytes_of(tiff(**options)),
        12 * times,
        lambda content: attempt("a.tif", content, finite_shape),
    )


def test_an_image_that_its_file_cannot_hold_is_refused_at_once(attempt):
    content = bytearray(tiff(compression="zlib"))
    rows = content.index(bytes([1, 1, 4, 0, 1, 0, 0, 0]))  # tag 257: ImageLength
    content[rows + 8 : rows + 12] = b"\xff\xff\xff\xbf"
    assert attempt("a.tif", bytes(content), finite_shape) == 2
