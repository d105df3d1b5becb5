import json

import pytest
import torch

from difftem.io.mrc import write_mrc, write_rawtlt
from difftem.workflows.generate.item import RECORD
from difftem.workflows.generate.sheet import draw_sheet


@pytest.fixture
def items(tmp_path):
    """Make folders of items of some tilts, as far as the sheet reads them."""

    def make(number, tilts):
        folders = [tmp_path / f"{i:06d}" for i in range(number)]
        for i, folder in enumerate(folders):
            folder.mkdir()
            images = torch.randn(len(tilts), 16, 16).numpy()
            name = f"micrograph_{i:06d}.mrc"
            write_mrc(folder / name, images if len(tilts) > 1 else images[0], 2.0)
            if len(tilts) > 1:
                write_rawtlt((folder / name).with_suffix(".rawtlt"), tilts)
            (folder / RECORD).write_text(json.dumps({"defocus_um": 1.234}), "utf-8")
        return folders

    return make


@pytest.mark.parametrize(
    ("number", "expected"),
    [(1, "all 1 item of the set"), (4, "all 4 items of the set"), (9, "all 9 items of the set"),
     (11, "the first 9 of 11 items of the set")],
)  # fmt: skip
def test_a_sheet_says_how_many_of_how_many_it_shows(items, number, expected):
    figure = draw_sheet(items(number, [0.0]))
    assert figure.get_suptitle() == expected
    titles = [axes.get_title() for axes in figure.axes if axes.get_title()]
    assert titles == [f"{i:06d}: 1.23 µm" for i in range(min(number, 9))]


def test_a_sheet_of_tilt_series_names_the_tilt_that_is_shown(items):
    figure = draw_sheet(items(2, [-20.0, 10.0, 30.0]))
    assert [axes.get_title() for axes in figure.axes[:2]] == [
        f"{i:06d}: 1.23 µm\nimage 2 of 3: tilt 10°" for i in range(2)
    ]
