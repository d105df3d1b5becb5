import bz2
import gzip
import itertools

import mrcfile
import numpy as np
import pytest
import torch

from difftem.io.errors import InputError
from difftem.io.mrc import write_mrc
from difftem.scene.templates.read import read_template


@pytest.fixture
def values(generator):
    data = torch.zeros(12, 10, 8)
    data[4:8, 4:7, 3:6] = torch.rand(4, 3, 3, generator=generator)
    return data


def write(path, values, **kwargs):
    write_mrc(path, values.numpy(), kwargs.pop("voxel_size", 3.0), is_volume=True)
    if kwargs:
        with mrcfile.open(path, "r+") as mrc:
            mrc.voxel_size = kwargs["header"]
    return path


def test_a_map_is_read_with_its_voxels_and_its_middle(values, tmp_path):
    template = read_template(write(tmp_path / "map.mrc", values))
    assert torch.equal(template.values, values)
    assert template.voxel_size == pytest.approx(3.0)
    assert template.center == (0.0, 0.0, 0.0)
    # Voxels 4 to 7 of z lie -2 to 1 from voxel 6; its corner is the farthest point.
    assert 6.0 < template.radius < 20.0


def test_a_given_voxel_size_counts_more_than_the_headers(values, tmp_path):
    path = write(tmp_path / "map.mrc", values, header=(3.0, 3.0, 4.0))
    assert read_template(path, 2.5).voxel_size == 2.5


def test_a_rounded_header_still_has_cubes(values, tmp_path):
    path = write(tmp_path / "map.mrc", values, header=(3.0, 3.002, 2.998))
    assert read_template(path).voxel_size == pytest.approx(3.0)


def bad(path, data):
    with mrcfile.new(path, overwrite=True) as mrc:
        mrc.set_data(data)
        mrc.voxel_size = 2.0
    return path


@pytest.mark.filterwarnings("ignore:Data array contains NaN:RuntimeWarning")
def test_maps_that_are_no_templates_are_refused_in_one_line(values, tmp_path):
    path = tmp_path / "map.mrc"
    whole = values.numpy()
    holes = whole.copy()
    holes[0, 0, :3] = np.nan
    cases = [
        (lambda: bad(path, holes), None, "3 voxels are not finite"),
        (lambda: bad(path, 0 * whole), None, "every voxel is 0"),
        (lambda: bad(path, whole[0]), None, r"expected a real volume, got shape \(10, 8\)"),
        (lambda: bad(path, whole.astype(np.complex64)), None, "expected a real volume"),
        (lambda: write(path, values, header=(3.0, 3.0, 4.0)), None, "voxels must be cubes"),
        (lambda: write(path, values, header=(0.0, 0.0, 0.0)), None, "no voxel size"),
        (lambda: bad(path, whole), -1.0, "voxel_size must be positive, got -1.0 Å"),
        (lambda: bad(path, whole), float("nan"), "voxel_size must be positive"),
    ]
    for make, voxel_size, message in cases:
        path.unlink(missing_ok=True)
        with pytest.raises(InputError, match=message) as caught:
            read_template(make(), voxel_size)
        assert "\n" not in str(caught.value)
        assert str(path) in str(caught.value)
    with pytest.raises(InputError, match="no such file"):
        read_template(tmp_path / "none.mrc")
    path.write_bytes(b"")
    with pytest.raises(InputError, match="not a whole MRC file"):
        read_template(path)


def permuted(path, zyx, axes, side):
    """A map whose columns, rows and sections run along these axes (1 is x)."""
    in_file = zyx.numpy().transpose([3 - axis for axis in reversed(axes)])
    with mrcfile.new(path, data=np.ascontiguousarray(in_file)) as mrc:
        mrc.set_volume()
        for axis, n in zip("zyx", zyx.shape, strict=True):
            mrc.header[f"m{axis}"], mrc.header.cella[axis] = n, n * side
        mrc.header.mapc, mrc.header.mapr, mrc.header.maps = axes
    return path


@pytest.mark.parametrize("axes", list(itertools.permutations((1, 2, 3))))
def test_a_map_of_any_order_of_axes_is_the_same_template(values, tmp_path, caplog, axes):
    caplog.set_level("INFO", "difftem")
    template = read_template(permuted(tmp_path / "map.mrc", values, axes, 3.0))
    assert torch.equal(template.values, values)
    (line,) = caplog.messages
    assert line.startswith("map.mrc: 8 x 10 x 12 voxels of 3 Å")
    order = " ".join("xyz"[axis - 1] for axis in axes)
    assert (f"axes {order} reordered" in line) == (axes != (1, 2, 3))
    assert "centre at voxel (4, 5, 6)" in line


@pytest.mark.parametrize("name", ["map_xyz.mrc", "map_zyx.mrc", "map_yxz.mrc"])
def test_maps_of_the_trials_have_their_peak_above_the_middle(shared_data, name):
    path = shared_data.parent / "trials" / name
    if not path.exists():
        pytest.skip("no ../shared/trials")
    values = read_template(path).values
    z, y, x = np.unravel_index(int(values.argmax()), values.shape)
    assert (x - 12, y - 12, z - 12) == (0, 0, 5)


def test_what_a_header_says_and_is_not_used_is_named(values, tmp_path, caplog):
    caplog.set_level("INFO", "difftem")
    path = write(tmp_path / "map.mrc", values)
    with mrcfile.open(path, "r+") as mrc:
        mrc.header.origin.x, mrc.header.nystart, mrc.header.ispg = 12.5, -6, 19
        mrc.voxel_size = (1.0, 1.0, 2.0)
    read_template(path, 3.0)
    (line,) = caplog.messages
    taken, left = line.split("; not used: ")
    assert "8 x 10 x 12 voxels of 3 Å" in taken
    assert left == (
        "voxel size 1 x 1 x 2 Å, origin 12.5 0 0 Å, nstart 0 -6 0, symmetry of space group 19"
    )


@pytest.mark.filterwarnings("ignore:overflow encountered:RuntimeWarning")  # mrcfile's statistics
@pytest.mark.parametrize(
    ("scale", "dtype", "message"),
    [
        (1e38, np.float32, r"values reach .*e\+37, but .* is it in mV, or in arbitrary units"),
        (9000.0, np.float32, r"values reach .*, but a potential in V .* stays below 77 V"),
        (9000.0, np.int16, "16-bit integers are mV in TEM-simulator: divide by 1000"),
    ],
)
def test_a_map_beyond_what_matter_reaches_in_volts_is_refused(
    values, tmp_path, scale, dtype, message
):
    path = tmp_path / "map.mrc"
    with mrcfile.new(path, data=(scale * values.numpy()).astype(dtype)) as mrc:
        mrc.set_volume()
        mrc.voxel_size = 3.0
    with pytest.raises(InputError, match=message) as refused:
        read_template(path)
    assert "\n" not in str(refused.value)


def test_a_map_near_those_limits_is_doubted(values, tmp_path, caplog):
    def warnings():
        return [each.getMessage() for each in caplog.records if each.levelname == "WARNING"]

    read_template(write(tmp_path / "strong.mrc", 200 * values))
    read_template(write(tmp_path / "weak.mrc", 0.01 * values))
    strong, weak = warnings()
    assert "V; a potential in V averaged over voxels of 3 Å stays below 77 V" in strong
    assert "arbitrary units must be scaled to V" in weak
    caplog.clear()
    read_template(write(tmp_path / "sharp.mrc", 600 * values, voxel_size=1.0))  # one heavy atom
    assert warnings() == []


@pytest.mark.parametrize(
    ("side", "message"),
    [
        (1e6, r"header's voxel size of 1e\+06 Å must be within 0.01 and 100 Å; give voxel_size"),
        (1e-10, "voxel size of 1e-10 Å must be within"),
    ],
)
def test_a_voxel_size_in_another_unit_is_refused_and_can_be_given(values, tmp_path, side, message):
    path = write(tmp_path / "map.mrc", values, voxel_size=side)
    with pytest.raises(InputError, match=message):
        read_template(path)
    assert read_template(path, 3.0).voxel_size == 3.0
    with pytest.raises(InputError, match=r"voxel_size must be within 0\.01 and 100 Å, got 3e-10"):
        read_template(path, 3e-10)


def test_a_cell_that_is_no_box_is_refused(values, tmp_path):
    path = write(tmp_path / "map.mrc", values)
    with mrcfile.open(path, "r+") as mrc:
        mrc.header.cellb.gamma = 120.0
    with pytest.raises(InputError, match="voxels must be cubes, the cell has angles of 90 90 120"):
        read_template(path)
    assert read_template(path, 3.0).voxel_size == 3.0


def test_packed_maps_are_read(values, tmp_path):
    path = write(tmp_path / "map.mrc", values)
    for suffix, pack in ((".gz", gzip.compress), (".bz2", bz2.compress)):
        packed = tmp_path / f"map.mrc{suffix}"
        packed.write_bytes(pack(path.read_bytes()))
        assert torch.equal(read_template(packed).values, values)
        packed.write_bytes(pack(path.read_bytes())[:-30])
        with pytest.raises(InputError, match="not a whole MRC file"):
            read_template(packed)
