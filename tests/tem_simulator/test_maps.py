from itertools import permutations

import mrcfile
import numpy as np
import pytest
import torch

from difftem.io.errors import InputError
from difftem.io.mrc import write_mrc
from difftem.tem_simulator.files.maps import read_map, write_map
from difftem.tem_simulator.files.particle_maps import read_particle_maps
from difftem.tem_simulator.files.specimen import ParticleInput

ORDERS = ["".join(order) for order in permutations("xyz")]


@pytest.fixture
def potential():
    """Potential of 2 x 3 x 4 voxels (z, y, x), each value different, in V."""
    return torch.arange(24, dtype=torch.float32).reshape(2, 3, 4) - 5.5


@pytest.mark.parametrize("axis_order", ORDERS)
@pytest.mark.parametrize("byte_order", ["native", "be", "le"])
@pytest.mark.parametrize("file_format", ["mrc", "mrc-int", "raw"])
def test_map_is_read_back_in_every_form(tmp_path, potential, file_format, byte_order, axis_order):
    path = tmp_path / "map"
    form = {"file_format": file_format, "byte_order": byte_order, "axis_order": axis_order}
    assert write_map(path, potential, 1.5, **form) == []
    given = {"size": (4, 3, 2), "voxel_size": 1.5} if file_format == "raw" else {}
    found = read_map(path, **form, **given)
    assert found.potential.dtype == torch.float32
    torch.testing.assert_close(found.potential, potential, rtol=0, atol=1e-6)
    assert found.voxel_size == 1.5
    assert found.notes == []


def test_x_is_the_fastest_axis_of_xyz_and_the_slowest_of_zyx(tmp_path, potential):
    for order, expected in (("xyz", potential), ("zyx", potential.permute(2, 1, 0))):
        write_map(tmp_path / order, potential, 1.0, file_format="raw", axis_order=order)
        np.testing.assert_array_equal(
            np.fromfile(tmp_path / order, "f4"), expected.contiguous().ravel()
        )


def test_header_says_what_the_axes_are(tmp_path, potential):
    path = tmp_path / "map.mrc"
    write_map(path, potential, 2.0, axis_order="yzx")
    assert mrcfile.validate(path)
    with mrcfile.open(path) as mrc:
        assert mrc.is_volume()
        np.testing.assert_array_equal(mrc.data, potential.permute(2, 0, 1))
        assert [int(mrc.header[name]) for name in ("mapc", "mapr", "maps")] == [2, 3, 1]
        assert [int(mrc.header[name]) for name in ("nx", "ny", "nz")] == [3, 2, 4]
        assert [int(mrc.header[name]) for name in ("mx", "my", "mz")] == [4, 3, 2]
        assert mrc.header.cella.tolist() == (8.0, 6.0, 4.0)
        assert mrc.get_labels() == ["Created by difftem", "Potential in V"]
    # The file's own order counts.
    assert torch.equal(read_map(path).potential, potential)


def test_integers_are_millivolts(tmp_path):
    path = tmp_path / "map.mrc"
    notes = write_map(path, np.array([[[1.2345, -0.0006, 40.0]]]), 1.0, file_format="mrc-int")
    assert notes == ["1 of 3 values are beyond 16 bits and are clipped"]
    with mrcfile.open(path) as mrc:
        assert mrc.data.ravel().tolist() == [1234, -1, 32767]
        assert int(mrc.header.mode) == 1
    found = read_map(path, file_format="mrc")  # the file itself says it holds integers
    assert found.potential.ravel().tolist() == pytest.approx([1.234, -0.001, 32.767])


def test_a_map_of_another_program_is_read(tmp_path, potential):
    write_mrc(tmp_path / "map.mrc", potential.numpy(), 0.9, is_volume=True)
    found = read_map(tmp_path / "map.mrc")
    assert torch.equal(found.potential, potential)
    assert found.voxel_size == pytest.approx(0.9)


def test_the_given_voxel_size_counts_with_a_note_if_it_differs(tmp_path, potential):
    path = tmp_path / "map.mrc"
    write_map(path, potential, 2.0)
    assert read_map(path, voxel_size=2.01).notes == []
    found = read_map(path, voxel_size=2.1)
    assert found.voxel_size == 2.1
    assert found.notes == ["map.mrc: voxel size 2.1 Å is used, the header says 2 Å"]


def header(path, **values):
    with mrcfile.open(path, mode="r+") as mrc:
        for name, value in values.items():
            mrc.header[name] = value


@pytest.mark.parametrize("fields", [{"cella": (0, 0, 0)}, {"mx": 0, "my": 0, "mz": 0}])
def test_a_map_without_voxel_size_needs_one(tmp_path, potential, fields):
    path = tmp_path / "map.mrc"
    write_map(path, potential, 2.0)
    header(path, **fields)
    with pytest.raises(InputError, match=r"map\.mrc: the header has no voxel size, give voxel_si"):
        read_map(path)
    found = read_map(path, voxel_size=3.0)
    assert (found.voxel_size, found.notes) == (3.0, [])


def test_an_old_map_without_order_of_axes_has_x_fastest(tmp_path, potential):
    path = tmp_path / "map.mrc"
    write_map(path, potential, 2.0)
    header(path, mapc=0, mapr=0, maps=0)
    assert torch.equal(read_map(path).potential, potential)


def test_bad_maps_are_named(tmp_path, potential):
    path = tmp_path / "map.mrc"
    with pytest.raises(InputError, match=r"map\.mrc: no such file"):
        read_map(path)
    write_mrc(path, potential.numpy(), (1.0, 1.0, 1.5), is_volume=True)
    with pytest.raises(InputError, match=r"voxels must be cubes, the header says 1 x 1 x 1\.5 Å"):
        read_map(path)
    with mrcfile.new(path, data=np.zeros((2, 2, 2), np.uint16), overwrite=True):
        pass
    with pytest.raises(InputError, match=r"mode 1 \(mV\) or 2 \(V\), this one holds uint16"):
        read_map(path, voxel_size=1.0)
    with mrcfile.new(path, data=np.zeros((2, 2, 2, 2), np.float32), overwrite=True):
        pass
    with pytest.raises(InputError, match=r"must be three-dimensional, got \(2, 2, 2, 2\)"):
        read_map(path, voxel_size=1.0)
    np.full(8, np.nan, np.float32).tofile(path)
    raw = {"file_format": "raw", "voxel_size": 1.0}
    with pytest.raises(InputError, match=r"map\.mrc: map must be finite, has 8 bad values"):
        read_map(path, **raw, size=(2, 2, 2))
    with pytest.raises(InputError, match=r"3 x 2 x 2 voxels are 48 bytes, got 32"):
        read_map(path, **raw, size=(3, 2, 2))
    with pytest.raises(InputError, match="nx, ny, nz and voxel_size of a raw map are needed"):
        read_map(path, **raw)


def test_one_map_is_split_by_the_amplitude_contrast(tmp_path, potential):
    write_map(tmp_path / "re.mrc", potential, 5.0)
    particle = ParticleInput(
        name="virus",
        source="map",
        map_file_re_in=tmp_path / "re.mrc",
        use_imag_pot=False,
        famp=0.6,
        voxel_size_nm=0.4,
    )
    maps = read_particle_maps(particle)
    torch.testing.assert_close(maps.potential, 0.8 * potential)
    torch.testing.assert_close(maps.absorption, 0.6 * potential)
    assert maps.voxel_size == 4.0
    assert maps.notes == ["re.mrc: voxel size 4 Å is used, the header says 5 Å"]


def test_a_particle_has_two_maps_of_one_shape(tmp_path, potential):
    form = {"file_format": "raw", "byte_order": "be", "axis_order": "zyx"}
    write_map(tmp_path / "re.raw", potential, 5.0, **form)
    write_map(tmp_path / "im.raw", potential / 10, 5.0, **form)
    values = {
        "source": "map",
        "map_file_re_in": tmp_path / "re.raw",
        "map_file_im_in": tmp_path / "im.raw",
        "map_file_byte_order": "be",
        "map_axis_order": "zyx",
        "nx": 4,
        "ny": 3,
        "nz": 2,
        "voxel_size_nm": 0.5,
    }
    maps = read_particle_maps(ParticleInput(**values, map_file_format="raw"))
    assert torch.equal(maps.potential, potential)
    assert torch.equal(maps.absorption, potential / 10)
    assert maps.voxel_size == 5.0
    write_map(tmp_path / "re.raw", potential, 5.0)
    write_map(tmp_path / "im.raw", potential[1:], 5.0)
    with pytest.raises(InputError, match=r"\(z, y, x\), got \(2, 3, 4\) and \(1, 3, 4\)"):
        read_particle_maps(ParticleInput(**values, origin="a: line 1: particle"))
    write_map(tmp_path / "im.raw", potential, 6.0)
    with pytest.raises(InputError, match="must have the same voxel size, got 5 and 6 Å"):
        read_particle_maps(ParticleInput(**(values | {"voxel_size_nm": None})))
