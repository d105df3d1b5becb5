import math

import pytest
import torch

from difftem.functional.spread import kernel_transform, kernel_width, spread_deltas, spread_weights

BANDS = [0.3, 0.5, 2 / 3, 0.9, 0.95]


@pytest.mark.parametrize("band", BANDS)
def test_polynomials_reproduce_the_kaiser_bessel_kernel(band):
    special = pytest.importorskip("scipy.special")
    width = kernel_width(band)
    beta = math.pi * math.sqrt((width * (1 - band / 2)) ** 2 - 0.8)
    coordinate = 10 + torch.linspace(0, 0.999, 37, dtype=torch.float64)
    first, weights = spread_weights(coordinate, band)
    distance = first[:, None] + torch.arange(width) - coordinate[:, None]
    inside = (1 - (2 * distance / width) ** 2).clamp(min=0).sqrt()
    expected = torch.as_tensor(special.i0(beta * inside.numpy()) / special.i0(beta))
    assert (weights - expected).abs().max() < 2e-6


@pytest.mark.parametrize("band", BANDS)
def test_kernel_transform_is_the_integral_of_the_kernel(band):
    special = pytest.importorskip("scipy.special")
    width = kernel_width(band)
    beta = math.pi * math.sqrt((width * (1 - band / 2)) ** 2 - 0.8)
    x = torch.linspace(-width / 2, width / 2, 20001, dtype=torch.float64)
    inside = (1 - (2 * x / width) ** 2).clamp(min=0).sqrt()
    kernel = torch.as_tensor(special.i0(beta * inside.numpy()) / special.i0(beta))
    frequency = torch.linspace(0, band / 2, 11, dtype=torch.float64)
    waves = torch.cos(2 * math.pi * frequency[:, None] * x)
    integral = torch.trapezoid(kernel * waves, x)
    torch.testing.assert_close(
        kernel_transform(frequency, band), integral, rtol=0, atol=1e-6 * width
    )


@pytest.mark.parametrize("band", BANDS)
@pytest.mark.parametrize("shape", [(24, 31), (31, 24)])
def test_spread_delta_has_the_phase_ramp_of_its_place_inside_the_band(band, shape):
    # Off the grid, and over the edges: wrapped around.
    at = torch.tensor([[0.3, 29.62], [-1.2, 5.5], [15.999, 0.0]], dtype=torch.float64)
    weight = torch.tensor([[1.0], [-2.0], [0.5]], dtype=torch.float64)
    spectrum = torch.fft.fft2(spread_deltas(at, weight, shape, band)[0])
    fy, fx = (torch.fft.fftfreq(n, dtype=torch.float64) for n in shape)
    ramp = at[:, 1, None, None] * fy[:, None] + at[:, 0, None, None] * fx
    expected = (weight[:, :, None] * torch.exp(-2j * math.pi * ramp)).sum(0)
    inside = torch.hypot(*torch.meshgrid(fy, fx, indexing="ij")) <= band / 2
    kernel = kernel_transform(fy.abs().clamp(max=band / 2), band)[:, None] * kernel_transform(
        fx.abs().clamp(max=band / 2), band
    )
    error = (spectrum / kernel - expected)[inside].abs() / 3.5  # sum of the weights
    assert error.max() < 2e-4  # only in the corner of the last ring
    assert error.pow(2).mean().sqrt() < 4e-5


@pytest.mark.parametrize("band", BANDS)
def test_weights_are_differentiable_in_the_coordinate(band):
    coordinate = torch.tensor([3.21, 7.77, -0.4], dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(lambda c: spread_weights(c, band)[1], coordinate, eps=1e-5)


@pytest.mark.parametrize("band", [0.0, -0.1, 0.96, 1.0])
def test_band_without_guard_frequencies_is_refused(band):
    with pytest.raises(ValueError, match=r"band_limit must be in \(0, 0\.95\]"):
        kernel_width(band)
