"""`difftem.render`: what is where in the picture, what is shown of a volume, movies and pages."""

import numpy as np
import pytest
import torch

import difftem
from difftem.io.mrc import write_mrc

pytest.importorskip("pyvista", reason="the extra render is not installed")

SIDE, PIXELS = 24, 96
PLACES = {"x": (7, 0, 0), "y": (0, 7, 0), "z": (0, 0, 7)}  # voxels from the middle


def ball(center, width=1.8, shape=(SIDE, SIDE, SIDE)):
    """Volume of a Gaussian ball, x, y, z of its centre from the middle in voxels."""
    grids = [torch.arange(n, dtype=torch.float32) - (n - 1) / 2 for n in shape]
    z, y, x = torch.meshgrid(*grids, indexing="ij")
    square = sum((at - to) ** 2 for at, to in zip((x, y, z), center, strict=True))
    return torch.exp(-square / (2 * width**2)).numpy()


@pytest.fixture
def written(tmp_path):
    """Write a volume, and give its path."""

    def call(volume, name="v", voxel_size=10.0):
        write_mrc(tmp_path / f"{name}.mrc", volume, voxel_size, is_volume=True)
        return tmp_path / f"{name}.mrc"

    return call


def spot(image):
    """Where the light is in a picture without its scale bar: right, up, from the middle."""
    light = image.astype(float).sum(2)
    light[int(0.86 * len(light)) :] = 0
    rows, columns = np.indices(light.shape)
    right = (light * columns).sum() / light.sum() - (light.shape[1] - 1) / 2
    up = (light.shape[0] - 1) / 2 - (light * rows).sum() / light.sum()
    return right, up


# Right and up on the screen of each axis; at 90° the camera stands on +x, from above on +y.
SEEN = {
    (0, 0): {"x": (1, 0), "y": (0, 1), "z": (0, 0)},
    (90, 0): {"x": (0, 0), "y": (0, 1), "z": (-1, 0)},
    (0, 90): {"x": (1, 0), "y": (0, 0), "z": (0, -1)},
    (180, 0): {"x": (-1, 0), "y": (0, 1), "z": (0, 0)},
}


@pytest.mark.parametrize("style", ["volume", "surface"])
@pytest.mark.parametrize("axis", PLACES)
def test_a_ball_is_seen_where_it_is_and_not_in_its_mirror_image(axis, style, written):
    from difftem.workflows.render.camera import CameraView

    path = written(ball(PLACES[axis]))
    result = difftem.render(path, style=style, threshold=0.3, size=PIXELS)
    half = SIDE * 10 / 2
    with result._scenes(PIXELS) as (scene,):
        for (azimuth, elevation), expected in SEEN.items():
            image = scene.picture(CameraView(azimuth, elevation, (0.0, 0.0, 0.0), half))
            right, up = spot(image)
            at = np.array([right, up]) / (7 / SIDE * PIXELS)
            np.testing.assert_allclose(at, expected[axis], atol=0.12)
