import numpy as np
import pytest
import torch

from difftem.functional.grid import frequency_grid, radius
from difftem.functional.mtf import (
    apply_transfer,
    gauss_lorentz_sinc,
    log_spline,
    lorentzians,
    rullgard,
    tabulated,
)

FREQUENCY = torch.linspace(0, 0.75, 31, dtype=torch.float64)
W = FREQUENCY.numpy()


def tensors(*values):
    return [torch.tensor(v, dtype=torch.float64) for v in values]


def test_lorentzians_are_their_formula():
    got = lorentzians(FREQUENCY, *tensors(0.7, 0.2, 0.3, 10.0, 40.0))
    expected = (0.7 / (1 + 10 * W**2) + 0.2 / (1 + 40 * W**2) + 0.3) / 1.2
    np.testing.assert_allclose(got, expected, rtol=1e-14)


def test_rullgard_is_the_formula_of_tem_simulator():
    a, b, c, alpha, beta, p, q = 0.6, 0.3, 0.05, 8.0, 60.0, 1.7, 0.4

    def f(alpha, p):
        y = 1 + alpha * W**2
        return 2**p * y**-p / (2 + (2**p - 2) * y**-p)

    expected = (c + a * f(alpha, p) + b * f(beta, q)) / (a + b + c)
    got = rullgard(FREQUENCY, *tensors(a, b, c, alpha, beta, p, q))
    np.testing.assert_allclose(got, expected, rtol=1e-13)


def test_rullgard_with_unit_exponents_is_two_lorentzians():
    shared = tensors(0.7, 0.2, 0.1, 10.0, 40.0)
    got = rullgard(FREQUENCY, *shared, *tensors(1.0, 1.0))
    torch.testing.assert_close(got, lorentzians(FREQUENCY, *shared), rtol=1e-14, atol=0)


def test_gauss_lorentz_sinc_is_its_formula():
    got = gauss_lorentz_sinc(FREQUENCY, *tensors(0.3, 0.2, 5.0))
    spread = 0.3 * np.exp(-(W**2) / 0.08) + 0.7 / (1 + 5 * W**2)
    np.testing.assert_allclose(got, spread * np.sinc(W), rtol=1e-13, atol=1e-15)


@pytest.mark.parametrize("n_knots", [2, 3, 5, 12])
def test_log_spline_is_the_natural_cubic_spline_of_scipy(n_knots):
    interpolate = pytest.importorskip("scipy.interpolate")
    generator = torch.Generator().manual_seed(n_knots)
    fall = -torch.rand(n_knots - 1, generator=generator, dtype=torch.float64).cumsum(0)
    knots = np.linspace(0, 0.5, n_knots)
    spline = interpolate.CubicSpline(knots, np.r_[0, fall.numpy()], bc_type="natural")
    expected = spline(W)
    beyond = W > 0.5
    expected[beyond] = spline(0.5) + (W[beyond] - 0.5) * spline(0.5, 1)
    np.testing.assert_allclose(log_spline(FREQUENCY, fall).log(), expected, rtol=0, atol=1e-12)


def test_log_spline_may_end_elsewhere():
    values = torch.tensor([-0.5, -1.5], dtype=torch.float64)
    at_knots = log_spline(torch.tensor([0.0, 0.35, 0.7], dtype=torch.float64), values, 0.7)
    np.testing.assert_allclose(at_knots.log(), [0, -0.5, -1.5], atol=1e-14)


def test_table_is_interpolated_linearly_normalised_and_ends_at_zero():
    knots, values = tensors([0.0, 0.1, 0.3, 0.5], [2.0, 1.8, 1.0, 0.2])
    got = tabulated(FREQUENCY, knots, values)
    inside = W <= 0.5
    np.testing.assert_allclose(got[inside], np.interp(W[inside], knots, values / 2), atol=1e-14)
    beyond = np.maximum(0.2 - 4 * (W[~inside] - 0.5), 0) / 2
    np.testing.assert_allclose(got[~inside], beyond, atol=1e-14)
    assert (got >= 0).all()


@pytest.mark.parametrize("shape", [(12, 15), (15, 12)])
def test_transfer_function_multiplies_the_spectrum(shape):
    generator = torch.Generator().manual_seed(0)
    image = torch.randn(2, *shape, generator=generator, dtype=torch.float64)
    full = lorentzians(radius(frequency_grid(shape, 1.0)), *tensors(0.7, 0.2, 0.1, 10.0, 40.0))
    half = lorentzians(
        radius(frequency_grid(shape, 1.0, half=True)), *tensors(0.7, 0.2, 0.1, 10.0, 40.0)
    )
    expected = np.fft.ifft2(np.fft.fft2(image.numpy()) * full.numpy()).real
    np.testing.assert_allclose(apply_transfer(image, half), expected, atol=1e-13)
    assert apply_transfer(image, half).mean().item() == pytest.approx(image.mean().item())
