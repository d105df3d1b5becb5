import bz2
import gzip
import itertools
import struct

import mrcfile
import numpy as np
import pytest

from difftem.io.errors import InputError
from difftem.io.mrc import read_mrc

PERMUTATIONS = list(itertools.permutations((1, 2, 3)))
SIDES = (1.0, 2.0, 3.0)  # Å along x, y, z


def permuted(path, zyx, axes, stored=None, **header):
    """Write a volume whose columns, rows and sections run along these axes."""
    in_file = zyx.transpose([3 - axis for axis in reversed(axes)])  # z, y, x are 3, 2, 1
    with mrcfile.new(path, data=np.ascontiguousarray(in_file), overwrite=True) as mrc:
        mrc.set_volume()
        sizes = dict(zip("zyx", zyx.shape, strict=True))
        for axis, side in zip("xyz", SIDES, strict=True):
            mrc.header[f"m{axis}"] = sizes[axis]
            mrc.header.cella[axis] = sizes[axis] * side
        names = zip(("mapc", "mapr", "maps"), stored or axes, strict=True)
        for name, value in [*names, *header.items()]:
            mrc.header[name] = value
    return path


def write_header(path, offset, fmt, *values):
    """Overwrite a part of a header."""
    content = bytearray(path.read_bytes())
    struct.pack_into(fmt, content, offset, *values)
    path.write_bytes(content)
    return path


@pytest.fixture
def volume(tmp_path):
    """Different sides, every value different."""
    return np.arange(2 * 3 * 4, dtype=np.float32).reshape(2, 3, 4)


@pytest.mark.parametrize("axes", PERMUTATIONS)
def test_every_order_of_the_axes_becomes_z_y_x(tmp_path, volume, axes):
    start = {f"n{'xyz'[i]}start": (10, 20, 30)[axis - 1] for i, axis in enumerate(axes)}
    image = read_mrc(permuted(tmp_path / "a.mrc", volume, axes, **start))
    np.testing.assert_array_equal(image.data, volume)
    assert image.data.flags.c_contiguous
    assert image.voxel_size == SIDES  # of x, y, z whatever the order
    assert image.header.nstart == (10, 20, 30)  # which the file has by column, row and section
    order = " ".join("xyz"[axis - 1] for axis in axes)
    assert image.reordered == ("" if axes == (1, 2, 3) else f"axes {order} reordered")


def test_axes_of_old_programs_are_x_y_z_and_others_are_refused(tmp_path, volume):
    path = tmp_path / "a.mrc"
    image = read_mrc(permuted(path, volume, (1, 2, 3), stored=(0, 0, 0)))
    np.testing.assert_array_equal(image.data, volume)
    for stored in ((1, 1, 1), (1, 2, 0), (1, 2, 4), (3, 3, 1), (-1, 2, 3)):
        permuted(path, volume, (1, 2, 3), stored=stored)
        with pytest.raises(InputError, match=r"MAPC, MAPR, MAPS are .* expected 1 2 3") as refused:
            read_mrc(path)
        assert " ".join(map(str, stored)) in str(refused.value)


def test_an_image_with_rows_along_x_is_transposed_and_stays_an_image(tmp_path):
    data = np.arange(12, dtype=np.float32).reshape(3, 4)
    with mrcfile.new(tmp_path / "a.mrc", data=data) as mrc:
        mrc.header.mapc, mrc.header.mapr = 2, 1
    np.testing.assert_array_equal(read_mrc(tmp_path / "a.mrc").data, data.T)


@pytest.mark.parametrize("dtype", [np.int8, np.int16, np.float32, np.uint16, np.float16])
@pytest.mark.parametrize("order", "<>")
def test_all_modes_and_both_byte_orders_give_the_numbers(tmp_path, dtype, order):
    data = np.arange(24).reshape(2, 3, 4).astype(np.dtype(dtype).newbyteorder(order))
    with mrcfile.new(tmp_path / "a.mrc", data=data):
        pass
    image = read_mrc(tmp_path / "a.mrc")
    np.testing.assert_array_equal(image.data, np.arange(24).reshape(2, 3, 4))
    assert image.data.dtype.isnative


def test_bytes_are_unsigned_where_imod_says_so(tmp_path):
    data = np.array([[0, 100], [-56, -1]], dtype=np.int8)
    path = tmp_path / "a.mrc"
    with mrcfile.new(path, data=data):
        pass
    assert read_mrc(path).data.tolist() == [[0, 100], [-56, -1]]
    write_header(path, 152, "<ii", 1146047817, 0)
    assert read_mrc(path).data.tolist() == [[0, 100], [200, 255]]
    write_header(path, 152, "<ii", 1146047817, 1)
    assert read_mrc(path).data.tolist() == [[0, 100], [-56, -1]]
    write_header(path, 152, "<ii", 1146047817, 16)
    with pytest.raises(InputError, match=r"two 4-bit values each .*newstack -mode 1"):
        read_mrc(path)


@pytest.mark.parametrize("nx", [5, 6])
@pytest.mark.parametrize("pack", [bytes, gzip.compress, bz2.compress])
def test_values_of_four_bits_are_unpacked_the_left_pixel_from_the_lower_bits(tmp_path, nx, pack):
    values = np.random.default_rng(0).integers(0, 16, (2, 3, nx)).astype(np.uint8)
    padded = np.pad(values, ((0, 0), (0, 0), (0, nx % 2)))
    packed = (padded[..., 0::2] | padded[..., 1::2] << 4).astype(np.int8)
    path = tmp_path / "a.mrc"
    with mrcfile.new(path, data=packed) as mrc:
        mrc.voxel_size = 1.5
        mrc.set_extended_header(np.frombuffer(b"x" * 96, dtype="V1"))
    write_header(path, 0, "<4i", nx, 3, 2, 101)
    write_header(path, 28, "<3i3f", nx, 3, 1, 1.5 * nx, 4.5, 1.5)
    whole = path.read_bytes()
    path.write_bytes(pack(whole))
    image = read_mrc(path)
    np.testing.assert_array_equal(image.data, values)
    assert image.voxel_size[:2] == (1.5, 1.5)
    path.write_bytes(pack(whole[:-1]))
    with pytest.raises(InputError, match=r"not a whole MRC file: [Ee]xpected (18|96) bytes"):
        read_mrc(path)


@pytest.mark.parametrize("pack", [bytes, gzip.compress, bz2.compress])
@pytest.mark.parametrize("mode", [0, 2, 101])
def test_a_header_that_claims_more_than_the_file_can_hold_is_refused_at_once(tmp_path, mode, pack):
    path = tmp_path / "a.mrc"
    with mrcfile.new(path, data=np.zeros((2, 3), dtype=np.float32)):
        pass
    write_header(path, 0, "<4i", 2**31 - 1, 2**20, 2**20, mode)
    path.write_bytes(pack(path.read_bytes()))
    with pytest.raises(InputError, match=r"Expected \d+ bytes in data block but it holds"):
        read_mrc(path)


def test_what_is_not_read_is_named_with_what_is(tmp_path, volume):
    path = permuted(tmp_path / "a.mrc", volume, (1, 2, 3))
    for mode, name in ((3, r" \(complex 16-bit integers\)"), (16, r" \(RGB\)"), (7, "")):
        write_header(path, 12, "<i", mode)
        with pytest.raises(InputError, match=rf"MRC mode {mode}{name} is not read, only 0, 1, 2, "):
            read_mrc(path)
    path = tmp_path / "movie.eer"
    path.write_bytes(b"II+\x00")
    with pytest.raises(InputError, match=r"EER is not read: .*relion_convert_to_tiff"):
        read_mrc(path)


def test_voxels_of_nonsense_are_unknown_and_harmless_faults_are_kept(tmp_path, volume):
    path = permuted(tmp_path / "a.mrc", volume, (1, 2, 3))
    write_header(path, 40, "<3f", float("nan"), -4.0, float("inf"))
    assert read_mrc(path).voxel_size == (0.0, 0.0, 0.0)
    path = permuted(tmp_path / "b.mrc", volume, (1, 2, 3))
    path.write_bytes(path.read_bytes() + b"more")
    (complaint,) = read_mrc(path).complaints
    assert "4 bytes larger than expected" in complaint


def test_a_header_without_map_and_byte_order_is_read_and_said_in_plain_words(tmp_path, volume):
    path = permuted(tmp_path / "fei.mrc", volume, (1, 2, 3))
    write_header(path, 208, "<8s", bytes(8))
    image = read_mrc(path)
    np.testing.assert_array_equal(image.data, volume)
    assert image.complaints == [
        "no word MAP in the header (old, or of a microscope: read all the same)",
        "no byte order in the header (found by its numbers)",
    ]


def test_an_extended_header_beyond_the_end_of_the_file_is_refused_at_once(tmp_path, volume):
    path = permuted(tmp_path / "a.mrc", volume, (1, 2, 3))
    write_header(path, 92, "<i", 2**31 - 1)
    with pytest.raises(InputError, match="an extended header of"):
        read_mrc(path)
