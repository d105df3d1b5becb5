import math

import pytest
import torch

from difftem.functional.multislice import fresnel_propagator, multislice
from difftem.functional.pose import random_rotations
from difftem.functional.projection import (
    FINE,
    central_slices,
    template_spectrum,
)
from difftem.functional.slabs import Slabs, slab_coefficients
from difftem.functional.slice_grid import patches_from_slices, slice_grid
from tests.functional.test_projection import CUTOFF, VOXEL, gaussians

EDGE = 0.999  # so that no coefficient lies exactly on the band limit
LAMBDA = torch.tensor(0.0197, dtype=torch.float64)  # 300 kV


def coefficients(volume, rotations, height, depth, thickness, wavelength=LAMBDA, radius=32.0):
    spectrum = template_spectrum(volume, VOXEL, CUTOFF * 1.02, FINE)
    grid = slice_grid(60, VOXEL, EDGE * CUTOFF, dtype=torch.float64)
    slabs = Slabs(wavelength, depth, thickness, radius)
    return slab_coefficients(spectrum, rotations, height, grid.frequency, slabs), grid


@pytest.mark.parametrize("depth", ["ignored", "particle"])
def test_slabs_of_a_thick_particle_add_up_to_all_of_it(generator, depth):
    volume, _ = gaussians(40, generator)
    rotations = random_rotations(3, generator)
    thickness = 15.0
    center = torch.tensor([3.0, -4.0, 7.4], dtype=torch.float64)
    planes = range(-2, 5)  # one period of the window
    parts = [
        coefficients(volume, rotations, center - s * thickness, depth, thickness)[0] for s in planes
    ]
    whole, _ = coefficients(volume, rotations, center, depth, None)
    scale = float(whole.abs().max())
    assert torch.allclose(sum(parts), whole, atol=1e-9 * scale)
    # The last one holds nothing: z + radius = 39.4 Å ends before its window begins at 45 Å.
    assert torch.allclose(sum(parts[:-1]), whole, atol=2e-3 * scale)


def test_a_slab_sees_only_what_is_near_its_plane(generator):
    n, thickness = 40, 20.0
    volume = torch.zeros(n, n, n, dtype=torch.float64)
    axis = (torch.arange(n, dtype=torch.float64) - n // 2) * VOXEL
    ball = torch.exp(-(axis**2) / 2 / 9)
    volume += torch.exp(-((axis - 24) ** 2) / 2 / 9)[:, None, None] * ball[:, None] * ball
    upright = torch.eye(3, dtype=torch.float64)[None]
    shares = []
    for s in range(-2, 4):
        height = torch.tensor([-s * thickness], dtype=torch.float64)
        part, _ = coefficients(volume, upright, height, "ignored", thickness)
        shares.append(float(part[0, 0].real))  # at q = 0: the volume it sees
    shares = torch.tensor(shares) / sum(shares)
    # The ball is at z = 24 Å: between the planes 1 (20 Å) and 2 (40 Å), cos² shares, blurred.
    expected = {3: math.cos(math.pi / 2 * 0.2) ** 2, 4: math.sin(math.pi / 2 * 0.2) ** 2}
    for index, share in enumerate(shares):
        assert share == pytest.approx(expected.get(index, 0.0), abs=0.05)


@pytest.mark.parametrize("height", [0.0, 130.0])
def test_depth_equals_thin_slices_of_a_weak_particle(generator, height):
    """First order in the potential: the same as propagating every voxel layer to the plane."""
    volume, _ = gaussians(40, generator)
    volume = 1e-7 * volume  # so that the second order is far below the tolerance
    wavelength = torch.tensor(0.5, dtype=torch.float64)  # slow electrons show the curvature
    upright = torch.eye(3, dtype=torch.float64)[None]
    heights = torch.tensor([height], dtype=torch.float64)
    values, grid = coefficients(volume, upright, heights, "slice", None, wavelength)
    middle = torch.full((1, 2), 30.0, dtype=torch.float64)
    projection = patches_from_slices(values, grid, middle)[0]
    flat, _ = coefficients(volume, upright, heights, "ignored", None, wavelength)
    flat = patches_from_slices(flat, grid, middle)[0]

    padded = torch.nn.functional.pad(volume, (10, 10, 10, 10)) * VOXEL
    sigma = torch.ones((), dtype=torch.float64)
    step = fresnel_propagator(
        (60, 60), VOXEL, VOXEL, wavelength, band_limit=2 / 3 * EDGE, taper=0.0
    )
    wave = multislice(padded, sigma, step)
    # Layer i is at (i - 20) Å x 2; the wave is one step behind the last layer. Bring it to z = 0.
    back = -(20 * VOXEL) - height
    wave = torch.fft.ifft2(
        torch.fft.fft2(wave)
        * fresnel_propagator((60, 60), VOXEL, back, wavelength, band_limit=2 / 3 * EDGE, taper=0.0)
    )
    scattered = wave - wave.mean()
    expected = 1j * (projection - projection.mean())
    error = (scattered - expected).abs().square().mean().sqrt() / expected.abs().std()
    without = (scattered - 1j * (flat - flat.mean())).abs().square().mean().sqrt()
    assert float(error) < 1e-4
    assert float(without / expected.abs().std()) > 0.02  # 200 times the tolerance


def test_a_thin_particle_needs_one_plane():
    assert Slabs(LAMBDA, "slice", None, 100.0).n_planes == 1
    assert Slabs(LAMBDA, "slice", 500.0, 650.0).n_planes == 9


def test_gradients_to_height_and_rotation_are_right(generator):
    volume, _ = gaussians(8, generator)
    spectrum = template_spectrum(volume, VOXEL, CUTOFF)
    frequency = slice_grid(6, VOXEL, 0.9 * CUTOFF, dtype=torch.float64).frequency
    slabs = Slabs(torch.tensor(0.3, dtype=torch.float64), "slice", 7.0, 8.0)
    height = torch.tensor([1.3, -4.0], dtype=torch.float64, requires_grad=True)
    rotations = random_rotations(2, generator).requires_grad_()

    def parts(height, rotations):
        return 1e-3 * torch.view_as_real(
            slab_coefficients(spectrum, rotations, height, frequency, slabs)
        )

    assert torch.autograd.gradcheck(parts, (height, rotations), fast_mode=True)


def test_without_depth_and_thickness_it_is_the_central_slice(generator):
    volume, _ = gaussians(16, generator)
    spectrum = template_spectrum(volume, VOXEL, CUTOFF)
    frequency = slice_grid(20, VOXEL, CUTOFF, dtype=torch.float64).frequency
    rotations = random_rotations(2, generator)
    flat = torch.nn.functional.pad(frequency, (0, 1))
    height = torch.tensor([5.0, -7.0], dtype=torch.float64)
    slabs = Slabs(LAMBDA, "ignored", None, 16.0)
    seen = slab_coefficients(spectrum, rotations, height, frequency, slabs)
    assert torch.equal(seen, central_slices(spectrum, rotations, flat))
