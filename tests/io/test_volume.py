"""Volumes come back upright from every order of axes, and bad ones are refused in one line."""

import mrcfile
import numpy as np
import pytest
import torch

from difftem.io.errors import InputError
from difftem.io.mrc import write_mrc
from difftem.io.volume import ORDERS, order_told, read_volume, to_imod
from difftem.workflows.reconstruct.volume_file import write_volume


@pytest.fixture
def volume(generator):
    """Random, of three different sides, ``(z, y, x)``."""
    return torch.randn(4, 5, 6, generator=generator)


@pytest.mark.parametrize("axes", ["imod", "zyx"])
def test_what_reconstruct_writes_is_read_upright_whichever_its_order(volume, axes, tmp_path):
    write_volume(tmp_path / "v.mrc", volume, 3.5, axes)
    found = read_volume(tmp_path / "v.mrc")
    np.testing.assert_array_equal(found.data, volume.numpy())
    assert found.voxel_size == 3.5


def test_axes_told_by_the_user_overrule_the_labels(volume, tmp_path):
    write_mrc(tmp_path / "v.mrc", to_imod(volume.numpy()), 2.0, is_volume=True)
    assert read_volume(tmp_path / "v.mrc").data.shape == (5, 4, 6)
    np.testing.assert_array_equal(read_volume(tmp_path / "v.mrc", "imod").data, volume.numpy())


@pytest.mark.parametrize("axes", [(2, 1, 3), (3, 2, 1), (1, 3, 2), (2, 3, 1), (3, 1, 2)])
def test_foreign_orders_of_the_header_are_put_right(volume, axes, tmp_path):
    upright = volume.numpy()
    order = [{1: 2, 2: 1, 3: 0}[axis] for axis in reversed(axes)]  # dimensions of sections, rows...
    with mrcfile.new(tmp_path / "v.mrc") as mrc:
        mrc.set_data(np.ascontiguousarray(upright.transpose(order)))
        mrc.set_volume()
        mrc.header.mapc, mrc.header.mapr, mrc.header.maps = axes
    np.testing.assert_array_equal(read_volume(tmp_path / "v.mrc").data, upright)


def test_a_later_label_of_a_program_that_turns_volumes_ends_imods_order():
    ours = ["difftem reconstruct", f"{ORDERS['imod']}; tilt axis y, beam z"]
    assert order_told(ours) == "imod"
    assert order_told([*ours, "newstack: Images copied"]) == "imod"
    assert order_told([*ours, "clip: rotx - rotation by -90 about X"]) == "zyx"
    assert order_told(["some program"]) == "zyx"


BAD = {
    "an image": (np.eye(5), 1.0, "one image of 5 x 5 pixels, expected a volume"),
    "one section": (np.eye(5)[None], 1.0, "one image of 5 x 5 pixels, expected a volume"),
    "complex": (np.eye(5)[None].repeat(3, 0) * 1j, 1.0, "expected a real volume"),
    "constant": (np.full((3, 4, 5), 2.0), 1.0, "constant volume: every voxel is 2"),
    "no cubes": (np.arange(60.0).reshape(3, 4, 5), (1.0, 1.0, 2.0), "voxels must be cubes"),
}


@pytest.mark.parametrize("what", BAD)
def test_what_is_no_volume_is_refused_in_one_line(what, tmp_path):
    data, size, message = BAD[what]
    write_mrc(tmp_path / "v.mrc", data, size, is_volume=data.ndim == 3)
    with pytest.raises(InputError, match=message):
        read_volume(tmp_path / "v.mrc")


def test_voxels_that_are_not_finite_are_counted(tmp_path):
    data = np.zeros((3, 4, 5), np.float32)
    data[1, 2, 3], data[0, 0, 0] = np.nan, 1.0
    with pytest.warns(RuntimeWarning, match="NaN"), mrcfile.new(tmp_path / "v.mrc") as mrc:
        mrc.set_data(data)
    with pytest.raises(InputError, match="1 of 60 voxels are not finite"):
        read_volume(tmp_path / "v.mrc")
