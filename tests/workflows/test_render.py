"""`difftem.render`: what is where in the picture, and what is shown of volumes together."""

import importlib

import numpy as np
import pytest
import torch

import difftem
from difftem.io.mrc import write_mrc
from difftem.pictures import bar_length
from difftem.workflows.render.camera import CameraView
from tests.helpers.fresh_process import in_fresh_process

pytestmark = pytest.mark.usefixtures("drawing")

SIDE, PIXELS, AWAY = 24, 96, 7
AXES = {"x": (AWAY, 0, 0), "y": (0, AWAY, 0), "z": (0, 0, AWAY)}  # voxels from the middle


def ball(center=(0, 0, 0), width=1.8, side=SIDE):
    """Volume with a Gaussian ball, x, y, z of its centre from the middle in voxels."""
    at = torch.arange(side, dtype=torch.float32) - (side - 1) / 2
    grids = torch.meshgrid(at, at, at, indexing="ij")[::-1]
    square = sum((x - to) ** 2 for x, to in zip(grids, center, strict=True))
    return torch.exp(-square / (2 * width**2)).numpy()


@pytest.fixture
def written(tmp_path):
    """Write a volume of voxels of 10 Å, and give its path."""

    def call(volume, name="v", voxel_size=10.0):
        write_mrc(tmp_path / f"{name}.mrc", volume, voxel_size, is_volume=True)
        return tmp_path / f"{name}.mrc"

    return call


def spot(image):
    """Where the light is: right, up, from the middle in pixels."""
    light = image.astype(float).sum(2)
    rows, columns = np.indices(light.shape)
    right = (light * columns).sum() / light.sum() - (light.shape[1] - 1) / 2
    return right, (light.shape[0] - 1) / 2 - (light * rows).sum() / light.sum()


# Azimuth and elevation: right and up on the screen of each axis, of a right-handed volume.
SEEN = {
    (0, 0): {"x": (1, 0), "y": (0, 1), "z": (0, 0)},
    (90, 0): {"x": (0, 0), "y": (0, 1), "z": (-1, 0)},
    (0, 90): {"x": (1, 0), "y": (0, 0), "z": (0, -1)},
    (180, 0): {"x": (-1, 0), "y": (0, 1), "z": (0, 0)},
}


@pytest.mark.parametrize("style", ["volume", "surface"])
@pytest.mark.parametrize("axis", AXES)
def test_a_ball_is_seen_where_it_is_and_not_in_its_mirror_image(axis, style, written):
    result = difftem.render(written(ball(AXES[axis])), style=style, threshold=0.3)
    with result._scenes(PIXELS) as (scene,):
        for (azimuth, elevation), expected in SEEN.items():
            view = CameraView(azimuth, elevation, (0.0, 0.0, 0.0), SIDE * 10 / 2)
            at = np.array(spot(scene.picture(view))) / (AWAY / SIDE * PIXELS)
            np.testing.assert_allclose(at, expected[axis], atol=0.12)


def test_a_surface_is_where_the_threshold_is(written):
    radius = 6.0  # voxels, at which a Gaussian of width 4 is exp(-9 / 8)
    path = written(ball(width=4.0))
    result = difftem.render(path, style="surface", threshold=float(np.exp(-9 / 8)))
    with result._scenes(PIXELS) as (scene,):
        seen = scene.picture(CameraView(20, 30, (0.0, 0.0, 0.0), SIDE * 10 / 2)).any(2).sum()
    assert seen == pytest.approx(np.pi * (radius / SIDE * PIXELS) ** 2, rel=0.03)


def test_panels_share_one_transfer_function_whatever_their_order(written, generator):
    noise = 0.05 * torch.randn(2, SIDE, SIDE, SIDE, generator=generator).numpy()
    bright = written(ball(width=3) + noise[0], "bright")
    dim = written(0.5 * ball(width=3) + noise[1], "dim")
    one, other = (difftem.render(each, size=PIXELS) for each in ([bright, dim], [dim, bright]))
    assert one.transfer == other.transfer
    assert one.transfer.noise == pytest.approx(0.05, rel=0.1)
    # What is bright is so beside what is dim, and does not depend on where it stands.
    rows = slice(one.image.shape[0] - PIXELS, -30)  # between titles and scale bar
    left, right = slice(0, PIXELS), slice(PIXELS + 4, None)
    panels = [each.image[rows, columns] for each in (one, other) for columns in (left, right)]
    np.testing.assert_array_equal(panels[0], panels[3])
    np.testing.assert_array_equal(panels[1], panels[2])
    assert panels[0].max() > 1.15 * panels[1].max()


def test_the_threshold_is_three_deviations_of_the_noise_above_the_background(written, generator):
    noise = 7 + 2 * torch.randn(48, 48, 48, generator=generator).numpy()
    result = difftem.render(written(noise + 40 * ball(side=48), "v"))
    assert result.transfer.threshold == pytest.approx(7 + 3 * 2, abs=0.3)
    assert "3 deviations of the noise" in result.summary
    told = difftem.render(written(noise + 1, "w"), threshold=9.0, top=10.0).transfer
    assert (told.threshold, told.top) == (9.0, 10.0)


def test_noise_alone_is_shown_as_it_is(written, generator):
    result = difftem.render(written(torch.randn(20, 20, 20, generator=generator).numpy()))
    assert result.transfer.threshold < result.transfer.top <= float(result.volumes[0].data.max())


def test_the_scale_bar_is_as_long_as_it_says(written):
    path = written(ball((-AWAY, 0, 0)) + ball((AWAY, 0, 0)))
    result = difftem.render(path, azimuth_deg=0, elevation_deg=0, threshold=0.3, size=200)
    image = result.image.astype(int).sum(2)
    balls = image[:150] / image[:150].sum()
    left, right = balls[:, :100].sum(0), balls[:, 100:].sum(0)
    columns = np.arange(100)
    apart = 100 + np.average(columns, weights=right) - np.average(columns, weights=left)
    per_pixel = 2 * AWAY * 10 / apart  # Å
    length, label = bar_length(200 * per_pixel)
    bar = max((row == 3 * 255).sum() for row in image[180:])
    assert bar == pytest.approx(length / per_pixel, abs=2)
    assert label == "5 nm"


def test_imods_order_and_permuted_axes_give_the_same_picture(written, tmp_path):
    from difftem.workflows.reconstruct.volume_file import write_volume

    volume = ball((6, 3, 0)) + 0.7 * ball((-4, 5, 6))
    images = [difftem.render(written(volume), size=PIXELS, threshold=0.3).image]
    for axes in ("imod", "zyx"):
        path = tmp_path / f"{axes}.mrc"
        write_volume(path, torch.from_numpy(volume), 10.0, axes)
        images.append(difftem.render(path, size=PIXELS, threshold=0.3).image)
    np.testing.assert_array_equal(images[0], images[1])
    np.testing.assert_array_equal(images[0], images[2])


def test_dark_matter_is_seen_as_bright_matter_is(written):
    volume = ball((6, 3, 0)) + 0.7 * ball((-4, 5, 6))
    bright = difftem.render(written(volume), size=PIXELS)
    dark = difftem.render(written(-volume, "dark"), size=PIXELS, contrast="dark")
    np.testing.assert_array_equal(bright.image, dark.image)


def test_crop_and_bin_keep_what_is_where(written):
    path = written(ball((5, 0, 0)))
    result = difftem.render(path, crop=(12, 4, 4, 12, 16, 16), bin=2)
    (shown,) = result.volumes
    assert tuple(shown.data.shape) == (8, 8, 6)
    assert (shown.voxel_size, shown.sides) == (20.0, (120.0, 160.0, 160.0))
    z, y, x = np.unravel_index(int(shown.data.argmax()), shown.data.shape)
    assert (x, {z, y} <= {3, 4}) == (2, True)


def test_large_volumes_are_binned_unless_told_otherwise(written, monkeypatch):
    monkeypatch.setattr("difftem.workflows.render.load.MOST_VOXELS", 12**3)
    result = difftem.render(written(ball()))
    assert result.volumes[0].data.shape == (12, 12, 12)
    assert any("cubes of 2 voxels are averaged" in line for line in result.messages)
    assert difftem.render(written(ball(), "w"), bin=1).volumes[0].bin == 1


def test_triton_can_be_loaded_after_a_picture(written):
    pytest.importorskip("triton", reason="no triton on this system")
    path = written(ball())
    assert in_fresh_process("tests.workflows.test_render", f"loaded_after('{path}')")


def loaded_after(path):
    assert difftem.render(path, size=64).image.any()
    return importlib.import_module("triton.language").__name__ == "triton.language"
