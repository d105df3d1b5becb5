import math

import pytest
import torch

from difftem.functional.gaussian_basis import cut_gaussian, gaussian_basis, gaussian_reach


@pytest.mark.parametrize("limits", [(200.0, 201.0), (200.0, 420.0), (18.0, 700.0)])
def test_basis_reproduces_every_gaussian(limits, generator):
    low, high = limits
    widths = low + (high - low) * torch.rand(40, 3, generator=generator, dtype=torch.float64)
    q_max = 2.0 / math.sqrt(low / 4)
    basis = gaussian_basis(widths, q_max)
    q = basis.step * torch.arange(basis.radial.shape[1], dtype=torch.float64)
    got = basis.coefficients @ basis.radial
    expected = torch.exp(-widths[..., None] * q**2 / 4)
    weighted = (got - expected) * q / q[-1]
    assert weighted.abs().max() < 1e-5
    assert len(basis.radial) < 16


def test_equal_widths_need_one_function():
    basis = gaussian_basis(torch.full((5, 2), 200.0), 0.9)
    assert len(basis.radial) == 1
    assert torch.equal(basis.coefficients, torch.ones(5, 2, 1).double())


@pytest.mark.parametrize("widths", [(60.0, 90.0, 300.0), (80.0, 80.0, 80.0)])
def test_derivative_is_that_of_the_gaussian(widths):
    b = torch.tensor(widths, dtype=torch.float64, requires_grad=True)
    basis = gaussian_basis(b, 0.5)
    index = 700
    q = basis.step * index
    (basis.coefficients @ basis.radial[:, index]).sum().backward()
    expected = -(q**2) / 4 * torch.exp(-b.detach() * q**2 / 4)
    torch.testing.assert_close(b.grad, expected, rtol=1e-4, atol=1e-9)


def test_cut_gaussian_is_the_transform_of_a_gaussian_that_ends():
    q = torch.linspace(0, 0.8, 9, dtype=torch.float64)
    width = torch.tensor([[200.0], [350.0]], dtype=torch.float64)
    got = cut_gaussian(q, width, 10.0)
    for i, b in enumerate(width[:, 0].tolist()):
        r = torch.linspace(0, gaussian_reach(b, 10.0), 20_001, dtype=torch.float64)
        density = (4 * math.pi / b) ** 1.5 * torch.exp(-4 * math.pi**2 * r**2 / b)
        wave = torch.special.sinc(2 * q[:, None] * r)
        expected = torch.trapezoid(4 * math.pi * r**2 * density * wave, r)
        torch.testing.assert_close(got[i], expected, rtol=0, atol=3e-6)
    assert 1 - got[0, 0].item() == pytest.approx(1.70e-4, rel=0.02)
    far = cut_gaussian(q, width, 40.0)
    torch.testing.assert_close(far, torch.exp(-width * q**2 / 4), rtol=0, atol=1e-5)


def test_reach_is_where_the_gaussian_has_fallen():
    r = gaussian_reach(200.0, 10.0)
    assert math.exp(-4 * math.pi**2 * r**2 / 200.0) == pytest.approx(math.exp(-10))
