"""What `difftem.render(...).save` writes: pictures, movies of the right length, pages, slices."""

import base64
import io
import json
import re
import subprocess

import numpy as np
import pytest
from PIL import Image

import difftem
from difftem.io.mrc import write_mrc

pytestmark = pytest.mark.usefixtures("drawing")

PIXELS = 64


@pytest.fixture
def rendered(tmp_path):
    """A ball on +x and nothing else, seen from +z."""
    grid = np.stack(np.meshgrid(*[np.arange(16) - 7.5] * 3, indexing="ij"), -1) - (0, 0, 5)
    write_mrc(tmp_path / "v.mrc", np.exp(-(grid**2).sum(-1) / 4), 10.0, is_volume=True)
    # What is below the threshold but in one corner makes the whole volume stay in view.
    return difftem.render(
        tmp_path / "v.mrc", threshold=0.2, size=PIXELS, azimuth_deg=0, elevation_deg=0
    )


def side(frame):
    """Where the light is, right of the middle in pixels."""
    light = np.asarray(frame, float).sum(2)[:48]
    return float((light.sum(0) * np.arange(PIXELS)).sum() / light.sum() - (PIXELS - 1) / 2)


def test_a_movie_has_its_frames_and_seconds_and_goes_once_round(rendered, tmp_path, monkeypatch):
    import imageio_ffmpeg

    from difftem.workflows.render.camera import CameraView

    view = CameraView(0, 0, (0.0, 0.0, 0.0), 80.0)
    monkeypatch.setattr(type(rendered), "view", lambda self, all_round: view)
    path = tmp_path / "v.mp4"
    assert rendered.save(path, seconds=2, fps=6) == [path]
    ffmpeg = imageio_ffmpeg.get_ffmpeg_exe()
    command = [ffmpeg, "-i", path, "-f", "rawvideo", "-pix_fmt", "rgb24", "-"]
    played = subprocess.run(command, capture_output=True, check=True)
    assert b"Duration: 00:00:02.00" in played.stderr
    frames = np.frombuffer(played.stdout, np.uint8).reshape(12, PIXELS, PIXELS, 3)
    # The camera goes to +x, where the ball is before the middle, and on to -z.
    places = np.array([side(frames[i]) for i in (0, 3, 6, 9)]) / (5 / 16 * PIXELS)
    np.testing.assert_allclose(places, (1, 0, -1, 0), atol=0.1)


def test_a_gif_repeats_and_has_its_frames(rendered, tmp_path):
    rendered.save(tmp_path / "v.gif", seconds=1, fps=5)
    with Image.open(tmp_path / "v.gif") as gif:
        assert (gif.n_frames, gif.info["duration"], gif.info["loop"]) == (5, 200, 0)
        first = np.asarray(gif.convert("RGB"), float)
    assert first[20:40].max() > 100


def test_a_page_holds_all_frames_and_asks_for_no_other_file(rendered, tmp_path, monkeypatch):
    monkeypatch.setattr("difftem.workflows.render.result.PAGE_FRAMES", 6)
    rendered.save(tmp_path / "v.html")
    text = (tmp_path / "v.html").read_text("utf-8")
    assert not re.search(r"https?:|src=\"(?!data:)|@import|url\(", text)
    found = json.loads(re.search(r"const frames = (\[.*?\]);", text)[1])
    assert len(found) == 6 and 'max="5"' in text
    for each in found:
        kind, packed = each.split(",")
        assert kind == "data:image/jpeg;base64"
        with Image.open(io.BytesIO(base64.b64decode(packed))) as picture:
            assert picture.size == (PIXELS, PIXELS)


def test_a_picture_is_written_as_it_is_shown(rendered, tmp_path):
    rendered.save(tmp_path / "v.png")
    with Image.open(tmp_path / "v.png") as picture:
        np.testing.assert_array_equal(np.asarray(picture), rendered.image)
    assert rendered.figure.get_size_inches().tolist() == [0.64, 0.64]


def test_slices_have_one_range_of_grey_for_all_volumes(tmp_path, monkeypatch):
    monkeypatch.setattr("difftem.workflows.render.render.has_pyvista", lambda: False)
    ramp = np.linspace(0, 1, 8 * 9 * 10).reshape(8, 9, 10)
    for name, factor in (("a", 1.0), ("b", 3.0)):
        write_mrc(tmp_path / f"{name}.mrc", factor * ramp, 10.0, is_volume=True)
    result = difftem.render([tmp_path / "a.mrc", tmp_path / "b.mrc"], size=100)
    assert result.style == "slices"
    assert sum("central slices only" in line for line in result.messages) == 1
    images = [axes.images[0] for axes in result.figure.axes]
    assert len({each.get_clim() for each in images}) == 1 and len(images) == 6
    np.testing.assert_allclose(images[5].get_array(), 3 * ramp[:, :, 5], rtol=1e-6)
    assert {text.get_text() for axes in result.figure.axes for text in axes.texts} == {"2 nm"}
    result.save(tmp_path / "slices.png")
    with Image.open(tmp_path / "slices.png") as picture:
        assert picture.size == (300, 220)


def test_without_a_voxel_size_bars_count_voxels_or_are_not_there(tmp_path):
    volume = np.zeros((20, 20, 20))
    volume[2:18, 2:18, 2:18] = 1
    write_mrc(tmp_path / "v.mrc", volume, None, is_volume=True)
    result = difftem.render(tmp_path / "v.mrc", threshold=0.5)
    assert result._bar(result.view(all_round=False), 100)[1] == "5 voxels"
    slices = difftem.render(tmp_path / "v.mrc", style="slices").figure
    assert not any(axes.texts for axes in slices.axes)
