import mrcfile
import numpy as np
import pytest

from difftem.io.array_kind import array_kind
from difftem.io.errors import InputError
from difftem.io.mrc import write_mrc

DATA = np.arange(60.0).reshape(3, 4, 5)


@pytest.mark.parametrize(
    ("name", "array", "is_volume", "expected"),
    [
        ("a.mrc", DATA, True, ("volume", True)),
        ("a.mrc", DATA, False, ("stack", False)),
        ("a.mrcs", DATA, True, ("stack", True)),
        ("a.rec", DATA, False, ("volume", True)),
        ("a.mrc", DATA[0], False, ("image", True)),
    ],
)
def test_name_and_space_group_tell_what_a_file_holds(name, array, is_volume, expected, tmp_path):
    write_mrc(tmp_path / name, array, 1.0, is_volume=is_volume)
    assert array_kind(tmp_path / name) == expected


def test_sections_that_do_not_run_along_z_are_a_volume(tmp_path):
    with mrcfile.new(tmp_path / "a.mrc") as mrc:
        mrc.set_data(DATA.astype(np.float32))
        mrc.header.mapc, mrc.header.mapr, mrc.header.maps = 1, 3, 2
        mrc.header.ispg = 0
    assert array_kind(tmp_path / "a.mrc") == ("volume", True)


def test_what_is_no_mrc_file_is_left_to_its_reader_and_a_missing_one_is_not(tmp_path):
    (tmp_path / "a.mrc").write_bytes(b"no header")
    assert array_kind(tmp_path / "a.mrc") == ("stack", False)
    with pytest.raises(InputError, match="no such file"):
        array_kind(tmp_path / "b.mrc")
