import sys

import mrcfile
import numpy as np
import pytest
import tifffile

from difftem.io.image_stack import SUFFIXES, check_format, write_stack
from difftem.io.mrc import read_mrc
from difftem.io.tiff import read_tiff

REAL = np.random.default_rng(0).normal(size=(3, 5, 4)).astype(np.float32)
WAVE = (REAL + 1j * REAL[::-1]).astype(np.complex64)
AXES = ("tilt", "y", "x")


@pytest.mark.parametrize("data", [REAL, REAL[0]])
def test_tiff_has_float32_images_and_the_pixel_size_as_imagej_has_it(tmp_path, data):
    write_stack(tmp_path / "a.tif", data, 1.25, AXES[-data.ndim :], ["first", "second"])
    image = read_tiff(tmp_path / "a.tif")
    read, pixel_size = image.data, image.pixel_size
    assert np.array_equal(read, data.reshape(-1, 5, 4))
    assert pixel_size == pytest.approx(1.25, rel=1e-6)
    with tifffile.TiffFile(tmp_path / "a.tif") as file:
        assert file.imagej_metadata["unit"] == "nm"
        assert file.imagej_metadata["Info"] == "first\nsecond"
        assert file.series[0].axes == "ZYX"[-data.ndim :]
        assert file.series[0].dtype == np.float32


def test_a_tiff_beyond_the_limit_of_imagej_keeps_images_and_pixel_size(tmp_path, monkeypatch):
    monkeypatch.setattr("difftem.io.tiff_write._IMAGEJ_BYTES", 100)
    write_stack(tmp_path / "a.tif", REAL, 1.25, AXES, ["text"])
    image = read_tiff(tmp_path / "a.tif")
    read, pixel_size = image.data, image.pixel_size
    assert np.array_equal(read, REAL)
    assert pixel_size == pytest.approx(1.25, rel=1e-5)
    with tifffile.TiffFile(tmp_path / "a.tif") as file:
        assert file.is_bigtiff


def test_a_complex_wave_is_two_channels_in_tiff_and_mode_4_in_mrc(tmp_path):
    for name in ("wave.tif", "wave.mrc"):
        write_stack(tmp_path / name, WAVE, 2.0, AXES)
    channels = tifffile.imread(tmp_path / "wave.tif")
    assert np.array_equal(channels[:, 0] + 1j * channels[:, 1], WAVE)
    with mrcfile.open(tmp_path / "wave.mrc") as file:
        assert file.header.mode == 4
        assert np.array_equal(file.data, WAVE)
    assert mrcfile.validate(tmp_path / "wave.mrc")
    assert read_mrc(tmp_path / "wave.mrc").voxel_size[0] == 2.0


@pytest.mark.parametrize("data", [REAL, WAVE])
def test_zarr_has_an_image_in_each_chunk_and_names_axes_and_facts(tmp_path, data):
    zarr = pytest.importorskip("zarr")
    write_stack(tmp_path / "a.zarr", data, 2.0, AXES, ["text"], {"tilt_deg": [-1.0, 0.0, 1.0]})
    opened = zarr.open_array(tmp_path / "a.zarr", mode="r")
    assert np.array_equal(opened[...], data)
    assert (opened.dtype, opened.chunks) == (data.dtype, (1, 5, 4))
    assert dict(opened.attrs) == {
        "_ARRAY_DIMENSIONS": list(AXES),
        "pixel_size_angstrom": 2.0,
        "description": ["text"],
        "tilt_deg": [-1.0, 0.0, 1.0],
    }


@pytest.mark.parametrize("suffix", [*SUFFIXES.values()])
def test_what_is_there_stays(tmp_path, suffix):
    path = tmp_path / f"a{suffix}"
    path.write_text("mine", "utf-8")
    with pytest.raises(ValueError, match="exists already"):
        write_stack(path, REAL, 2.0, AXES)
    assert path.read_text("utf-8") == "mine"


def test_a_missing_package_is_named_before_the_work(monkeypatch):
    monkeypatch.setitem(sys.modules, "zarr", None)
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    check_format("tiff")
    with pytest.raises(ValueError, match=r"needs the zarr package: pip install 'difftem\[zarr\]'"):
        check_format("zarr")
