"""Planes across the tilt axis: where voxels are seen, transposes, gradients."""

import math

import pytest
import torch

from difftem.tomography.slice_operators import back_project_slices, project_slices
from difftem.tomography.slice_weights import SliceShape, SliceWeights, strip

SHAPE = SliceShape(3, 4, 5)
TILTS = torch.tensor([-1.0, 0.7], dtype=torch.float64)
OFFSETS = torch.tensor([0.1, -0.25], dtype=torch.float64)


def weights(tilts, offsets):
    return SliceWeights(tilts, offsets, SHAPE, torch.float64)


def test_each_voxel_is_seen_where_a_turn_about_y_takes_it_and_shared_by_its_neighbours():
    tilts, offsets = torch.deg2rad(torch.tensor([0.0, 30.0, -90.0])).double(), torch.zeros(3)
    shape = SliceShape(8, 11, 16)
    columns = torch.zeros(shape.voxels, 1)
    z, x = 6, 3  # 2 below the middle, 2 left of it
    columns[z * shape.nx + x] = 1.0
    images = SliceWeights(tilts, offsets, shape).project(columns).reshape(3, 16)
    places = (images * torch.arange(16.0)).sum(1) - 8
    expected = [-2.0, -2 * math.cos(math.pi / 6) + 2 * 0.5, -2.0]
    assert torch.allclose(images.sum(1), torch.ones(3))
    # A pixel counts what lies in it as if it lay in its middle.
    assert torch.allclose(places, torch.tensor(expected), atol=0.05)
    assert (images > 0).sum(1).tolist() == [1, 2, 1]


def test_what_falls_beside_the_detector_is_lost_and_does_not_return():
    shape = SliceShape(1, 9, 5)
    one = SliceWeights(torch.zeros(1), torch.zeros(1), shape)
    assert one.project(torch.ones(9, 1)).flatten().tolist() == pytest.approx([1.0] * 5)
    back = one.back_project(torch.ones(5, 1)).flatten()
    assert back.tolist() == pytest.approx([0, 0, 1, 1, 1, 1, 1, 0, 0])


def test_projection_and_its_transpose_have_the_gradients_of_finite_differences(generator):
    def project(columns, tilts, offsets):
        return project_slices(columns, tilts, offsets, weights(tilts, offsets))

    def back_project(images, tilts, offsets):
        return back_project_slices(images, tilts, offsets, weights(tilts, offsets))

    tilts, offsets = TILTS.clone().requires_grad_(), OFFSETS.clone().requires_grad_()
    for function, rows in ((project, SHAPE.voxels), (back_project, 2 * SHAPE.nu)):
        given = torch.rand(rows, 1, generator=generator, dtype=torch.float64, requires_grad=True)
        assert torch.autograd.gradcheck(function, (given, tilts, offsets))


@pytest.mark.parametrize("thickness", [1, 6])
def test_a_slab_seen_at_a_tilt_is_longer_by_the_inverse_cosine(thickness):
    tilts = torch.deg2rad(torch.tensor([0.0, 45.0, 60.0])).double()
    shape = SliceShape(thickness, 200, 200)
    images = SliceWeights(tilts, torch.zeros(3), shape).project(torch.ones(shape.voxels, 1))
    middle = images.reshape(3, 200)[:, 80:120].mean(1)
    assert torch.allclose(middle, thickness / tilts.cos().float(), rtol=5e-3)


def test_the_strip_of_a_square_is_its_area(generator):
    points = torch.rand(100_000, 2, generator=generator, dtype=torch.float64) - 0.5
    for degrees, distance in ((0.0, 0.3), (30.0, -0.7), (45.0, 1.1), (90.0, 0.0)):
        tilt = torch.deg2rad(torch.tensor(degrees, dtype=torch.float64))
        seen = points @ torch.stack([tilt.cos(), tilt.sin()])
        inside = ((seen - distance).abs() < 0.5).double().mean()
        assert float(strip(torch.tensor(distance).double(), tilt)) == pytest.approx(
            float(inside), abs=5e-3
        )


def test_an_even_volume_looks_even_at_the_tilts_of_its_diagonals():
    tilts = torch.deg2rad(torch.tensor([45.0, 26.565, 60.0])).double()
    shape = SliceShape(40, 160, 160)
    images = SliceWeights(tilts, torch.zeros(3), shape).project(torch.ones(shape.voxels, 1))
    middle = images.reshape(3, 160)[:, 60:100]
    assert float((middle.std(1) / middle.mean(1)).max()) < 1e-5
