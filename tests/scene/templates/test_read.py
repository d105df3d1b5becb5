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
