"""Formats of the images of a set."""

import json

import numpy as np
import pytest

import difftem
from difftem.io.image_stack import read_stack
from difftem.io.star import read_star
from difftem.workflows.generate.sheet import draw_sheet

BLOB = {"name": "blob", "source": "phantom", "phantom": {"size_nm": [8, 8, 8]}, "count": 2}
SMALL = {"particles": [BLOB], "size": (32, 32), "pixel_size": 4.0, "threads": 1}


@pytest.mark.parametrize(("name", "suffix"), [("tiff", ".tif"), ("zarr", ".zarr")])
def test_a_set_holds_the_same_images_in_every_format(tmp_path, name, suffix):
    pytest.importorskip("zarr")
    plain = difftem.generate(tmp_path / "mrc", micrographs=2, **SMALL)
    other = difftem.generate(tmp_path / name, micrographs=2, format=name, pickers=["eman"], **SMALL)
    for number, (theirs, ours) in enumerate(zip(plain.items, other.items, strict=True)):
        for stem in (f"micrograph_{number:06d}", "noise_free"):
            expected, _ = read_stack(theirs / f"{stem}.mrc")
            images, pixel_size = read_stack(ours / f"{stem}{suffix}")
            assert np.array_equal(images, expected)
            assert pixel_size == pytest.approx(4.0)
        table = read_star(ours / "micrographs.star")["micrographs"]
        image = f"{number:06d}/micrograph_{number:06d}{suffix}"
        assert table["rlnMicrographName"] == [image]
    assert draw_sheet(other.items).get_suptitle() == "all 2 items of the set"
    with pytest.raises(ValueError, match=r"files\.format = "):
        difftem.generate(tmp_path / name, micrographs=2, **SMALL)


def test_a_tilt_series_is_one_array_with_its_tilts(tmp_path):
    zarr = pytest.importorskip("zarr")
    made = difftem.generate(tmp_path / "set", tilts_deg=[-10.0, 20.0], format="zarr", **SMALL)
    opened = zarr.open_array(made.items[0] / "micrograph_000000.zarr", mode="r")
    record = json.loads((made.items[0] / "run.json").read_text("utf-8"))
    assert opened.shape == (2, 32, 32)
    assert opened.attrs["_ARRAY_DIMENSIONS"] == ["tilt", "y", "x"]
    assert opened.attrs["tilt_deg"] == [-10.0, 20.0]
    assert opened.attrs["defocus_um"] == record["defocus_um"]
    assert draw_sheet(made.items).axes[0].get_title().endswith("image 2 of 2: tilt 20°")
