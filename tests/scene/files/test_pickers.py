"""Coordinates in the formats of particle pickers, read back by what their manuals say."""

import pytest
import torch

from difftem.io.errors import InputError
from difftem.io.star import read_star
from difftem.scene.files.cryolo import write_cbox
from difftem.scene.files.eman_box import write_eman_box
from difftem.scene.files.relion_picks import write_relion_coordinate_files, write_relion_picks
from difftem.scene.files.topaz import join_topaz, write_topaz

PIXELS = torch.tensor([[100.4, 20.6], [0.0, 63.0]], dtype=torch.float64)


def test_eman_boxes_begin_at_their_corner_of_least_x_and_y(tmp_path):
    write_eman_box(tmp_path / "m.box", PIXELS, 64)
    assert (tmp_path / "m.box").read_text() == "68\t-11\t64\t64\n-32\t31\t64\t64\n"
    with pytest.raises(InputError, match="exists already"):
        write_eman_box(tmp_path / "m.box", PIXELS, 64)


def test_topaz_has_centres_as_whole_pixels_and_names_without_suffix(tmp_path):
    for name in ("a", "b"):
        write_topaz(tmp_path / f"{name}.txt", name, PIXELS)
    text = "image_name\tx_coord\ty_coord\na\t100\t21\na\t0\t63\n"
    assert (tmp_path / "a.txt").read_text() == text
    join_topaz(tmp_path / "all.txt", [tmp_path / "a.txt", tmp_path / "b.txt"])
    assert (tmp_path / "all.txt").read_text() == text + "b\t100\t21\nb\t0\t63\n"


def test_cryolo_boxes_have_corners_sides_and_diameters(tmp_path):
    write_cbox(tmp_path / "m.cbox", PIXELS, 64, torch.tensor([50.0, 40.0]))
    text = (tmp_path / "m.cbox").read_text()
    assert text.startswith("data_global\n\n_cbox_format_version 1.0\n")
    assert text.index("data_cryolo\n") < text.index("data_cryolo_include\n\nloop_\n_slice_index")
    table = read_star(tmp_path / "m.cbox")["cryolo"]
    x, y, width = ([float(c) for c in table[n]] for n in ("CoordinateX", "CoordinateY", "Width"))
    assert [a + w / 2 for a, w in zip(x, width, strict=True)] == pytest.approx([100.4, 0.0])
    assert [a + w / 2 for a, w in zip(y, width, strict=True)] == pytest.approx([20.6, 63.0])
    assert table["EstWidth"] == ["50.0000", "40.0000"]
    assert table["CoordinateZ"] == ["<NA>", "<NA>"]
    none = torch.zeros(0, 2, dtype=torch.float64)
    write_cbox(tmp_path / "none.cbox", none, 64, torch.zeros(0))


def test_relions_picks_are_centres_and_a_table_names_their_files(tmp_path):
    write_relion_picks(tmp_path / "m_truth.star", PIXELS)
    (table,) = read_star(tmp_path / "m_truth.star").values()
    assert table == {
        "rlnCoordinateX": ["100.400000", "0.000000"],
        "rlnCoordinateY": ["20.600000", "63.000000"],
    }
    write_relion_coordinate_files(tmp_path / "c.star", ["a/m.mrc"], ["a/m_truth.star"])
    assert read_star(tmp_path / "c.star")["coordinate_files"] == {
        "rlnMicrographName": ["a/m.mrc"],
        "rlnMicrographCoordinates": ["a/m_truth.star"],
    }
