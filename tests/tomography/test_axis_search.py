"""Tilt axes found in images alone, and none where there is none."""

import pytest
import torch
from torch.nn.functional import avg_pool2d

from difftem.io.frames import read_frames
from difftem.tomography.axis_search import search_axis
from difftem.tomography.flat_view import without_noise
from difftem.tomography.projector import TiltProjector

AXIS = 84.7
TILTS = torch.arange(-60.0, 61.0, 6.0, dtype=torch.float64)
SIDE, THICK = 128, 16


def film_series(generator, noise):
    """Images of a film of points, wider than they are, shifted at random."""
    shape = (THICK, SIDE + 20, 2 * SIDE)
    film = torch.zeros(shape)
    places = [torch.randint(2, n - 2, (500,), generator=generator) for n in shape]
    film[tuple(places)] = 1 + torch.rand(500, generator=generator)
    shifts = 3 * torch.randn(len(TILTS), 2, generator=generator)
    with torch.no_grad():
        images = TiltProjector(TILTS, shape, (SIDE, SIDE), AXIS, shifts)(film)
    images = without_noise(images - images.mean((1, 2), keepdim=True), 0.1)
    return images / images.std() + noise * torch.randn(images.shape, generator=generator)


def test_the_axis_of_a_noisy_film_is_found_to_a_third_of_a_degree(generator):
    order = torch.randperm(len(TILTS), generator=generator)
    images = film_series(generator, noise=1.0)[order]
    found = search_axis(images, torch.deg2rad(TILTS[order]), THICK)
    assert found.axis_deg == pytest.approx(AXIS, abs=0.3)
    assert found.sd_deg < 0.6
    assert abs(found.halves_deg[0] - found.halves_deg[1]) < 4 * found.sd_deg
    assert found.method == "stretch"


@pytest.mark.parametrize("kind", ["noise", "nothing"])
def test_images_without_a_tilt_have_no_axis(generator, kind):
    if kind == "noise":
        images = torch.randn(len(TILTS), 40, 40, generator=generator)
    else:
        images = torch.zeros(len(TILTS), 40, 40)
    with pytest.raises(ValueError, match="no tilt axis found: "):
        search_axis(images, torch.deg2rad(TILTS), THICK)


def test_an_object_with_nothing_around_it_is_found_by_lines_in_common(generator):
    y, x = (torch.arange(64) - 32 for _ in range(2))
    places = torch.randn(12, 3, generator=generator) * torch.tensor([6.0, 6.0, 6.0])
    turn = torch.deg2rad(torch.tensor(AXIS - 90.0))
    images = []
    for tilt in torch.deg2rad(TILTS).float():
        across, along = places[:, 0] * tilt.cos() + places[:, 2] * tilt.sin(), places[:, 1]
        px = across * turn.cos() - along * turn.sin()
        py = across * turn.sin() + along * turn.cos()
        columns = torch.exp(-((x - px[:, None]) ** 2) / 8)
        images.append(torch.exp(-((y - py[:, None]) ** 2) / 8).mT @ columns)
    images, tilts = torch.stack(images), torch.deg2rad(TILTS)
    found = search_axis(images, tilts, 24, centre_deg=260.0, range_deg=12.0)
    assert found.method == "common lines"
    assert found.axis_deg == pytest.approx(AXIS + 180.0, abs=0.3)
    with pytest.raises(ValueError, match="no tilt axis f"):
        search_axis(images, tilts, 24, centre_deg=45.0, range_deg=12.0)


def test_the_axis_of_the_real_needle_lies_in_its_images(shared_data):
    """Lines through the middles of its columns turn as about an axis at 1.8° to 2.4°."""
    frames = read_frames(shared_data / "tilt_series" / "HAADF.mrc")
    images = avg_pool2d(torch.from_numpy(frames.data.astype("float32"))[::4], 2)
    tilts = torch.deg2rad(torch.arange(-76.0, 77.0, 8.0, dtype=torch.float64))
    images = images - images[:, :3].flatten(1).median(1).values[:, None, None]
    found = search_axis(images, tilts, 64, centre_deg=0.0, range_deg=8.0)
    assert found.method == "common lines"
    assert found.axis_deg == pytest.approx(2.0, abs=1.0)


def test_too_few_or_too_steep_tilts_are_refused():
    for tilts in (torch.tensor([-1.0, 0.0, 1.0]), torch.linspace(-1.55, 1.55, 21)):
        with pytest.raises(ValueError, match="at least 6 tilts of at most 85"):
            search_axis(torch.rand(len(tilts), 32, 32), tilts, 8)
    with pytest.raises(ValueError, match="above 0 and at most 90"):
        search_axis(torch.rand(21, 32, 32), torch.linspace(-1, 1, 21), 8, 0.0, 91.0)
