"""`difftem render`: the chain of commands, and bad input in one line that leaves nothing."""

import shutil

import mrcfile
import numpy as np
import pytest
import torch
from PIL import Image

from difftem.cli.main import main
from difftem.io.mrc import write_mrc

pytestmark = pytest.mark.usefixtures("drawing")


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """Folder with good and bad volumes, in which the command runs."""
    monkeypatch.chdir(tmp_path)
    volume = np.zeros((10, 12, 14), np.float32)
    volume[4:7, 5:8, 6:9] = 1
    write_mrc("good.mrc", volume, 5.0, is_volume=True)
    write_mrc("unknown.mrc", volume, None, is_volume=True)
    write_mrc("image.mrc", volume[5], 5.0)
    write_mrc("empty.mrc", 0 * volume, 5.0, is_volume=True)
    volume[0, 0, 0] = np.nan
    with pytest.warns(RuntimeWarning), mrcfile.new("nan.mrc") as mrc:
        mrc.set_data(volume)
    (tmp_path / "there.png").write_bytes(b"there")
    return tmp_path


def test_a_volume_becomes_a_picture_with_titles(folder, capsys):
    code = main(["render", "good.mrc", "good.mrc", "--titles", "one", "two", "--output", "v.png",
                 "--size", "80", "--style", "surface", "--threshold", "0.5"])  # fmt: skip
    output = capsys.readouterr()
    assert code == 0, output.err
    assert "one, two: shown from 0.5 (given)" in output.out and "wrote v.png" in output.out
    with Image.open(folder / "v.png") as picture:
        assert picture.size == (164, 98)


def test_files_of_one_name_are_told_apart_by_their_folders(folder, capsys):
    (folder / "truth").mkdir()
    shutil.copy("good.mrc", "truth/good.mrc")
    code = main(["render", "good.mrc", "truth/good.mrc", "--output", "v.png", "--size", "80",
                 "--style", "surface", "--threshold", "0.5"])  # fmt: skip
    output = capsys.readouterr()
    assert code == 0, output.err
    assert f"{folder.name}/good, truth/good: shown from 0.5" in output.out


BAD = {
    "an image": ("image.mrc --output v.png", "one image of 14 x 12 pixels, expected a volume"),
    "an empty volume": ("empty.mrc --output v.png", "constant volume: every voxel is 0"),
    "no number": ("nan.mrc --output v.png", "1 of 1680 voxels are not finite"),
    "no file": ("missing.mrc --output v.png", "missing.mrc: no such file"),
    "a suffix": ("good.mrc --output v.avi", "the name must end in one of .png .mp4 .gif .html"),
    "no folder": ("good.mrc --output no/v.png", "there is no folder no"),
    "a file that is there": ("good.mrc --output there.png", "exists already; --overwrite"),
    "a threshold": ("good.mrc --output v.png --threshold 2", "below the highest value of the vol"),
    "a top": ("good.mrc --output v.png --threshold .5 --top .4", "top must be above threshold 0.5"),
    "titles": ("good.mrc --output v.png --titles a b", "2 titles (--titles) for 1 volumes"),
    "crop": ("good.mrc --output v.png --crop 0 0 0 14 12 11", "not within the 10 there are"),
    "an empty part": ("good.mrc --output v.png --crop 0 0 0 3 3 3", "shown is constant"),
    "bin": ("good.mrc --output v.png --bin 6", "bin 6 leaves less than 2 of 14 x 12 x 10 voxels"),
    "seconds": ("good.mrc --output v.mp4 --seconds 1000", "seconds must be 0.1 to 600, got 1000"),
    "size": ("good.mrc --output v.png --size 10", "size must be 64 to 4096 pixels, got 10"),
    "elevation": ("good.mrc --output v.png --elevation 91", "elevation_deg must be -90 to 90"),
    "a movie of slices": ("good.mrc --output v.mp4 --style slices", "slices are a picture"),
    "voxel sizes": ("good.mrc unknown.mrc --output v.png", "give --voxel-size"),
    "memory": ("good.mrc --output v.png --memory-limit 0.01", "GB of memory"),
}


@pytest.mark.parametrize("what", BAD)
def test_bad_input_is_one_line_and_leaves_nothing(folder, capsys, what):
    arguments, message = BAD[what]
    before = sorted(folder.iterdir())
    assert main(["render", *arguments.split()]) == 2
    errors = [line for line in capsys.readouterr().err.splitlines() if "error:" in line]
    assert len(errors) == 1 and message in errors[0]
    assert sorted(folder.iterdir()) == before
    assert (folder / "there.png").read_bytes() == b"there"


def fails(capsys, *arguments):
    assert main(["render", *arguments]) == 2
    (error,) = [line for line in capsys.readouterr().err.splitlines() if "error:" in line]
    return error


def test_a_machine_that_cannot_draw_says_so(folder, capsys, monkeypatch):
    monkeypatch.setattr("difftem.workflows.render.scene._supports_drawing", lambda: False)
    assert "nothing can be drawn here: no display" in fails(capsys, "good.mrc", "--output", "v.png")
    assert main(["render", "good.mrc", "--output", "s.png", "--style", "slices"]) == 0


def test_without_ffmpeg_there_is_no_mp4(folder, capsys, monkeypatch):
    def missing():
        raise RuntimeError("No ffmpeg exe could be found.")

    monkeypatch.setattr("imageio_ffmpeg.get_ffmpeg_exe", missing)
    assert "no ffmpeg to write .mp4" in fails(capsys, "good.mrc", "--output", "v.mp4")
    assert not (folder / "v.mp4").exists()


def test_without_pyvista_slices_are_left_and_said_in_one_line(folder, capsys, monkeypatch):
    for module in ("render", "output"):
        monkeypatch.setattr(f"difftem.workflows.render.{module}.has_pyvista", lambda: False)
    assert "needs pyvista (pip install" in fails(capsys, "good.mrc", "--output", "v.html")
    told = fails(capsys, "good.mrc", "--output", "v.png", "--style", "volume")
    assert "style volume needs pyvista" in told
    assert main(["render", "good.mrc", "--output", "v.png", "--size", "80"]) == 0
    output = capsys.readouterr()
    assert output.err.count("pyvista is not installed") == 1
    assert "good: central slices" in output.out


def test_a_movie_that_fails_leaves_the_old_one(folder, capsys, monkeypatch):
    def broken(self, view):
        raise ValueError("no picture")

    monkeypatch.setattr("difftem.workflows.render.scene.VolumeScene.picture", broken)
    (folder / "v.mp4").write_bytes(b"old")
    before = sorted(folder.iterdir())
    assert "no picture" in fails(capsys, "good.mrc", "--output", "v.mp4", "--overwrite")
    assert sorted(folder.iterdir()) == before
    assert (folder / "v.mp4").read_bytes() == b"old"


def test_what_reconstruct_writes_is_rendered_upright(folder, capsys):
    from difftem.workflows.reconstruct.volume_file import write_volume

    write_volume(folder / "w.mrc", torch.from_numpy(mrcfile.read("good.mrc")), 5.0, "imod")
    for name in ("good", "w"):
        assert main(["render", f"{name}.mrc", "--output", f"{name}.png", "--size", "64"]) == 0
    assert "turned from IMOD's order of axes" in capsys.readouterr().err
    assert (folder / "good.png").read_bytes() == (folder / "w.png").read_bytes()
