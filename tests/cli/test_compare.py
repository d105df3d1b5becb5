"""`difftem compare`: what it prints and writes, and one line for what does not fit."""

import numpy as np
import pytest

from difftem.cli.main import main
from difftem.io.image_stack import write_stack
from difftem.io.mrc import read_mrc, write_mrc
from difftem.io.tiff_write import write_tiff


@pytest.fixture
def files(tmp_path, monkeypatch):
    """Small files in the folder that one is in."""
    monkeypatch.chdir(tmp_path)
    rng = np.random.default_rng(0)
    images, volumes = rng.normal(size=(3, 32, 40)), rng.normal(size=(2, 16, 20, 24))
    write_mrc("image.mrc", images[0], 2.0)
    write_mrc("truth.mrc", images[0] + images[1], 2.0)
    write_tiff(tmp_path / "page.tif", images[0], 2.0)
    write_mrc("faint.mrc", np.eye(32, 40) / 4, 2.0)
    write_mrc("fine.mrc", images[0], 1.0)
    write_mrc("large.mrc", np.pad(images[0], 1), 2.0)
    write_mrc("stack.mrcs", images, 2.0)
    write_mrc("volume.mrc", volumes[0], 4.0, is_volume=True)
    write_mrc("other.mrc", volumes[1], 4.0, is_volume=True)
    write_mrc("binned.mrc", volumes[0, ::2, ::2, ::2], 8.0, is_volume=True)
    (tmp_path / "one.tlt").write_text("10\n")
    (tmp_path / "radians.tlt").write_text("-1\n0\n1\n")
    (tmp_path / "text.mrc").write_text("no image")
    return tmp_path


def compare(*words):
    """Call ``difftem compare``."""
    return main(["compare", *words])


def test_an_image_is_compared_with_its_truth_whatever_its_format(files, capsys):
    assert compare("image.mrc", "page.tif", "--truth", "truth.mrc", "--output", "report.html") == 0
    printed = capsys.readouterr().out
    assert "image.mrc, page.tif against truth.mrc: 40 x 32 pixels (x, y) of 2 Å" in printed
    (row,) = (line for line in printed.splitlines() if line.startswith("correlation"))
    first, second = row.split()[1:]
    assert first == second
    assert float(first) == pytest.approx(0.5**0.5, abs=0.05)
    assert printed.endswith("wrote report.html\n")
    assert (files / "report.html").stat().st_size > 20_000


def test_volumes_are_halves_unless_there_is_a_truth(files, capsys):
    words = ("volume.mrc", "other.mrc", "--mask", "sphere", "--tilt-range", "-60", "60")
    assert compare(*words, "--output", "halves") == 0
    printed = capsys.readouterr().out
    assert "volume.mrc and other.mrc: 24 x 20 x 16 voxels (x, y, z) of 4 Å" in printed
    assert {each.name for each in (files / "halves").iterdir()} == {
        "report.md", "curves.png", "panels.png", "scores.csv", "correlation.csv",
    }  # fmt: skip


BAD = {
    "alone": (["image.mrc"], "image.mrc: there is nothing to compare it with"),
    "missing": (["image.mrc", "none.mrc"], "none.mrc: no such file"),
    "no image": (["text.mrc", "image.mrc"], "text.mrc: not a whole MRC file"),
    "a binned volume": (
        ["volume.mrc", "binned.mrc"],
        ": nothing is resampled; bin the larger one, or reconstruct with another --bin",
    ),
    "another shape": (
        ["large.mrc", "--truth", "image.mrc"],
        "large.mrc has 42 x 34 pixels (x, y), but image.mrc 40 x 32 pixels (x, y)",
    ),
    "another pixel size": (
        ["fine.mrc", "--truth", "image.mrc"],
        "fine.mrc has pixels of 1 Å, but image.mrc of 2 Å",
    ),
    "image and volume": (["volume.mrc", "image.mrc"], "image.mrc: holds an image, but volume.mrc"),
    "volume and stack": (["volume.mrc", "stack.mrcs"], "holds a stack of images, but volume.mrc"),
    "many images": (
        ["stack.mrcs", "stack.mrcs", "--kind", "image"],
        "stack.mrcs: holds 3 images, expected one (--kind stack)",
    ),
    "tilts of images": (
        ["image.mrc", "truth.mrc", "--tilt-range", "-60", "60"],
        "tilts are of volumes, but the files hold images",
    ),
    "one tilt": (
        ["volume.mrc", "other.mrc", "--tilts", "one.tlt"],
        "one.tlt: one angle only",
    ),
    "radians": (["volume.mrc", "other.mrc", "--tilts", "radians.tlt"], "are they in radians?"),
    "mask of another shape": (
        ["volume.mrc", "other.mrc", "--mask", "image.mrc", "--kind", "volume"],
        "one image of 40 x 32 pixels, expected a volume",
    ),
    "no mask": (["image.mrc", "truth.mrc", "--mask", "ball"], "ball: no such mask"),
    "mask of noise": (
        ["image.mrc", "truth.mrc", "--mask", "image.mrc"],
        "image.mrc: a mask has values of 0 to 1",
    ),
    "mask of nothing": (
        ["image.mrc", "truth.mrc", "--mask", "faint.mrc"],
        "faint.mrc: a mask has values of 0 to 1, got 0 to 0.25",
    ),
    "diameter without sphere": (
        ["image.mrc", "truth.mrc", "--mask-diameter", "20"],
        "mask_diameter is of the mask sphere, but mask is hann",
    ),
    "negative size": (["image.mrc", "truth.mrc", "--pixel-size", "-1"], "a positive number"),
    "little memory": (["image.mrc", "truth.mrc", "--memory-limit", "0.01"], "memory"),
}


@pytest.mark.usefixtures("files")
@pytest.mark.parametrize("what", BAD)
def test_what_does_not_fit_is_one_line_and_nothing_is_written(what, tmp_path, capsys):
    words, message = BAD[what]
    before = {each.name for each in tmp_path.iterdir()}
    assert compare(*words, "--output", "new") == 2
    error = capsys.readouterr().err.strip().splitlines()[-1]
    assert error.startswith("difftem: error: ")
    assert message in error
    assert {each.name for each in tmp_path.iterdir()} == before


@pytest.mark.usefixtures("files")
@pytest.mark.parametrize(
    ("output", "message"),
    [
        ("report.pdf", "a report must end in .html or .md, or be a folder"),
        ("none/report.html", "there is no folder none"),
        ("none/deep", "there is no folder none"),
        ("truth.mrc", "a report must end in .html or .md"),
    ],
)
def test_an_output_that_cannot_be_is_refused_before_files_are_read(output, message, capsys):
    assert compare("none.mrc", "image.mrc", "--output", output) == 2
    assert message in capsys.readouterr().err


def test_images_of_a_zarr_folder_are_compared_and_a_missing_one_is_named(files, capsys):
    pytest.importorskip("zarr", reason="zarr is an extra")
    write_stack(files / "one.zarr", read_mrc("image.mrc").data, 2.0, ("y", "x"))
    assert compare("one.zarr", "--truth", "truth.mrc", "--output", "report.html") == 0
    assert "one.zarr against truth.mrc: 40 x 32 pixels (x, y) of 2 Å" in capsys.readouterr().out
    assert compare("two.zarr", "--truth", "truth.mrc", "--output", "other.html") == 2
    assert "two.zarr: " in capsys.readouterr().err
