import math

import pytest
import torch

from difftem.functional.pose import random_rotations, rotation_from_vector
from difftem.functional.projection import (
    DEFAULT,
    FINE,
    central_slices,
    template_spectrum,
)
from difftem.functional.slice_grid import patches_from_slices, slice_grid
from tests.helpers.oracles import project_voxels

VOXEL = 2.0
CUTOFF = 1 / 6  # 2/3 of Nyquist


def gaussians(n, generator, imaginary=False, width=3.0, reach=0.36):
    """Volume of blobs inside a sphere, and their places: its projections are known."""
    places = torch.randn(300, 3, generator=generator, dtype=torch.float64)
    radii = torch.rand(300, 1, generator=generator, dtype=torch.float64) ** (1 / 3)
    places = places / places.norm(dim=1, keepdim=True) * radii * reach * n * VOXEL
    axis = (torch.arange(n, dtype=torch.float64) - n // 2) * VOXEL
    along = [torch.exp(-((axis - places[:, [i]]) ** 2) / 2 / width**2) for i in range(3)]
    volume = torch.einsum("az,ay,ax->zyx", along[2], along[1], along[0])
    return torch.complex(volume, 0.3 * volume.flip(0)) if imaginary else volume, places


def project(volume, rotations, size, interpolation=DEFAULT, position=None, cutoff=CUTOFF, **kwargs):
    spectrum = template_spectrum(volume, VOXEL, min(cutoff, 0.5 / VOXEL), interpolation)
    grid = slice_grid(size, kwargs.pop("pixel_size", VOXEL), cutoff, dtype=torch.float64, **kwargs)
    points = torch.nn.functional.pad(grid.frequency, (0, 1))
    position = torch.full((len(rotations), 2), float(size // 2)) if position is None else position
    slices = central_slices(spectrum, rotations, points)
    return patches_from_slices(slices, grid, position.double())


def relative_rms(image, truth):
    truth = truth - truth.mean()
    return float((image - image.mean() - truth).abs().square().mean().sqrt() / truth.abs().std())


@pytest.mark.parametrize(("interpolation", "limit"), [(DEFAULT, 1e-2), (FINE, 2e-3)])
@pytest.mark.parametrize("imaginary", [False, True])
def test_central_slices_equal_the_projection_in_real_space(
    generator, interpolation, limit, imaginary
):
    volume, _ = gaussians(40, generator, imaginary)
    rotations = random_rotations(50, generator)
    images = project(volume, rotations, 60, interpolation)
    errors = []
    for rotation, image in zip(rotations, images, strict=True):
        truth = project_voxels(volume, VOXEL, rotation, 60, VOXEL, CUTOFF)
        errors.append(relative_rms(image, truth))
    assert max(errors) < limit
    assert max(errors) < (2e-3 if interpolation is DEFAULT else 3e-5)  # what we measured, rounded


@pytest.mark.parametrize("n", [33, 40])
def test_projection_of_blobs_is_a_sum_of_two_dimensional_gaussians(generator, n):
    width = 4.0
    volume, places = gaussians(n, generator, width=width, reach=0.33)
    rotation = random_rotations(1, generator)
    shift = torch.tensor([[24.3, 25.1]], dtype=torch.float64)
    image = project(volume, rotation, 50, FINE, shift)[0].real
    axis = torch.arange(50, dtype=torch.float64)
    turned = places @ rotation[0].T
    dx = (axis - shift[0, 0]) * VOXEL - turned[:, [0]]
    dy = (axis - shift[0, 1]) * VOXEL - turned[:, [1]]
    profiles = [torch.exp(-(d**2) / 2 / width**2) for d in (dy, dx)]
    truth = math.sqrt(2 * math.pi) * width * torch.einsum("ay,ax->yx", *profiles)
    assert torch.allclose(image, truth, atol=2e-3 * float(truth.max()))


def test_turned_by_a_right_angle_the_volume_is_summed_along_another_axis(generator):
    volume, _ = gaussians(40, generator, width=5.0, reach=0.3)
    about_y = rotation_from_vector(torch.tensor([[0, math.pi / 2, 0]], dtype=torch.float64))
    image = project(volume, about_y, 40, FINE)[0].real
    along_x = volume.sum(2).T * VOXEL  # (y, z): x' = z, z' = -x
    assert relative_rms(image, along_x) < 2e-4


def test_pixels_need_not_be_as_large_as_voxels(generator):
    volume, _ = gaussians(40, generator, width=8.0, reach=0.25)
    rotations = random_rotations(1, generator)
    coarse = project(volume, rotations, 20, FINE, cutoff=0.1, pixel_size=2 * VOXEL)[0]
    fine = project(volume, rotations, 40, FINE, cutoff=0.1)[0]
    assert torch.allclose(coarse.real, fine.real[::2, ::2], atol=1e-6 * float(fine.real.max()))


def test_gradients_to_rotation_shift_and_template_are_right(generator):
    volume, _ = gaussians(8, generator)
    vector = 0.5 * torch.randn(2, 3, generator=generator, dtype=torch.float64)
    position = 5 + torch.rand(2, 2, generator=generator, dtype=torch.float64)
    weights = torch.randn(2, 10, 10, generator=generator, dtype=torch.float64)

    def loss(volume, vector, position):
        images = project(volume, rotation_from_vector(vector), 10, position=position)
        return (weights * (images.real + 0.5 * images.imag)).mean()

    inputs = [each.detach().clone().requires_grad_() for each in (volume, vector, position)]
    assert torch.autograd.gradcheck(loss, inputs, eps=1e-5, atol=1e-6, rtol=1e-6)


def test_volume_of_one_projection_is_the_integral_of_the_template(generator):
    volume, _ = gaussians(32, generator)
    image = project(volume, random_rotations(3, generator), 48, FINE)
    integral = volume.sum() * VOXEL**3
    assert torch.allclose(
        image.real.sum((1, 2)) * VOXEL**2, integral.expand(3), rtol=1e-5, atol=0.0
    )


@pytest.mark.parametrize(
    ("shape", "frequency", "message"),
    [((4, 4), 0.1, "nz, ny, nx"), ((4, 4, 4), 0.3, "Nyquist"), ((4, 4, 4), 0.0, "max_frequency")],
)
def test_impossible_templates_are_refused(shape, frequency, message):
    with pytest.raises(ValueError, match=message):
        template_spectrum(torch.zeros(shape), VOXEL, frequency)
