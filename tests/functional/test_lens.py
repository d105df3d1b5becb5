import itertools
import math

import numpy as np
import pytest
import torch

from difftem.functional.grid import frequency_grid
from difftem.functional.lens import (
    ABERRATIONS,
    aberration_gradient,
    aberration_phase,
    aperture,
    phase_plate,
)

LAM = torch.tensor(0.0250793404, dtype=torch.float64)
SHAPE = (18, 21)
# Å, so that each gives some rad at 25 mrad.
SIZES = {1: 300.0, 2: 1e4, 3: 1e6, 4: 3e7, 5: 1e9}


def grid():
    return frequency_grid(SHAPE, 0.45)


def test_names_are_all_krivanek_coefficients_up_to_fifth_order():
    names = "C10 C12 C21 C23 C30 C32 C34 C41 C43 C45 C50 C52 C54 C56".split()
    expected = [n + part for n in names for part in (("",) if n[2] == "0" else ("a", "b"))]
    assert sorted(ABERRATIONS) == sorted(expected)
    assert len(ABERRATIONS) == 25


@pytest.mark.parametrize("name", sorted(ABERRATIONS))
def test_each_coefficient_is_the_polar_formula(name):
    # numpy, polar: 2π/λ θ^(n+1)/(n+1) (Ca cos mφ + Cb sin mφ)
    n, m = int(name[1]), int(name[2])
    qy = np.fft.fftfreq(SHAPE[0], 0.45)[:, None]
    qx = np.fft.fftfreq(SHAPE[1], 0.45)[None]
    theta, phi = LAM.item() * np.hypot(qx, qy), np.arctan2(qy, qx)
    angular = np.sin(m * phi) if name.endswith("b") else np.cos(m * phi)
    expected = 2 * np.pi / LAM.item() * theta ** (n + 1) / (n + 1) * SIZES[n] * angular
    value = torch.tensor(SIZES[n], dtype=torch.float64)
    got = aberration_phase(*grid(), LAM, {name: value})
    assert np.abs(expected).max() > 0.3
    np.testing.assert_allclose(got, expected, rtol=0, atol=1e-12 * np.abs(expected).max())


def test_every_coefficient_at_once_agrees_with_abtem():
    transfer = pytest.importorskip("abtem.transfer")
    generator = torch.Generator().manual_seed(0)
    ours, theirs = {}, {}
    for n in range(1, 6):
        for m in range(n + 1, -1, -2):
            size = SIZES[n] * (0.3 + torch.rand((), generator=generator, dtype=torch.float64))
            angle = torch.rand((), generator=generator, dtype=torch.float64)
            theirs[f"C{n}{m}"] = size.item()
            if m == 0:
                ours[f"C{n}0"] = size
                continue
            theirs[f"phi{n}{m}"] = angle.item()
            ours[f"C{n}{m}a"] = size * torch.cos(m * angle)
            ours[f"C{n}{m}b"] = size * torch.sin(m * angle)
    ctf = transfer.Aberrations(energy=200e3, **theirs)
    qx, qy = np.meshgrid([-0.7, -0.2, 0.0, 0.35, 0.9], [-0.6, 0.1, 0.8], indexing="ij")
    lam = ctf.wavelength
    alpha, phi = lam * np.hypot(qx, qy), np.arctan2(qy, qx)
    expected = np.asarray(ctf._evaluate_from_angular_grid(alpha, phi))
    points = (torch.as_tensor(qy.ravel()), torch.as_tensor(qx.ravel()))
    chi = aberration_phase(points[0][:, None, None], points[1][:, None, None], LAM, ours)
    got = torch.exp(-1j * chi).reshape(5, 3)
    assert chi.abs().max() > 10
    # abTEM calculates in single precision unless told otherwise.
    assert np.abs(got.numpy() - expected).max() < 2e-5 * chi.abs().max().item()


@pytest.mark.parametrize("name", sorted(ABERRATIONS))
def test_gradient_of_each_coefficient_is_that_of_autograd(name):
    value = torch.tensor(SIZES[int(name[1])], dtype=torch.float64)
    qy, qx = (q.clone().expand(SHAPE).clone().requires_grad_() for q in grid())
    aberration_phase(qy, qx, LAM, {name: value}).sum().backward()
    gy, gx = aberration_gradient(*grid(), LAM, {name: value})
    scale = qx.grad.abs().max().item()
    torch.testing.assert_close(gy, qy.grad, rtol=0, atol=1e-11 * scale)
    torch.testing.assert_close(gx, qx.grad, rtol=0, atol=1e-11 * scale)


def test_coefficients_may_have_a_batch_shape():
    focus = torch.tensor([[100.0], [-300.0]], dtype=torch.float64)
    cs = torch.tensor([1e7, 2e7, 3e7], dtype=torch.float64)
    chi = aberration_phase(*grid(), LAM, {"C10": focus, "C30": cs})
    assert chi.shape == (2, 3, *SHAPE)
    for i, j in itertools.product(range(2), range(3)):
        alone = aberration_phase(*grid(), LAM, {"C10": focus[i, 0], "C30": cs[j]})
        assert (chi[i, j] - alone).abs().max() < 1e-11 * alone.abs().max()


def test_unknown_aberration_is_named():
    with pytest.raises(ValueError, match="unknown aberration 'C11'"):
        aberration_phase(*grid(), LAM, {"C11": torch.tensor(1.0)})


def test_aperture_is_half_open_at_its_semiangle_and_sharp_for_a_small_softness():
    theta = torch.tensor([0.0, 5e-3, 9.7e-3, 10e-3, 10.3e-3, 15e-3], dtype=torch.float64)
    semiangle = torch.tensor([10e-3, 20e-3], dtype=torch.float64)
    softness = torch.tensor(0.1e-3, dtype=torch.float64)
    a = aperture(torch.zeros(1, 1).double(), (theta / LAM)[None], LAM, semiangle, softness)
    assert a.shape == (2, 1, 6)
    half = math.erfc(-3) / 2  # 0.3 mrad inside an edge of 0.1 mrad
    expected = torch.tensor([1, 1, half, 0.5, 1 - half, 0], dtype=torch.float64)
    torch.testing.assert_close(a[0, 0], expected, rtol=0, atol=1e-9)
    torch.testing.assert_close(a[1, 0], torch.ones(6).double(), rtol=0, atol=1e-9)


def test_aperture_has_finite_gradients_on_the_axis():
    qy, qx = (q.clone().requires_grad_() for q in grid())
    lam = LAM.clone().requires_grad_()
    semiangle = torch.tensor(10e-3, dtype=torch.float64, requires_grad=True)
    softness = torch.tensor(1e-3, dtype=torch.float64, requires_grad=True)
    inputs = (qy, qx, lam, semiangle, softness)
    aperture(*inputs).sum().backward()
    assert all(each.grad.isfinite().all() for each in inputs)
    assert semiangle.grad > 0


def test_phase_plate_leaves_the_unscattered_beam_and_shifts_the_rest():
    shift = torch.tensor(math.pi / 2, dtype=torch.float64)
    cut_on = torch.tensor(0.01, dtype=torch.float64)
    phase = phase_plate(*grid(), shift, cut_on)
    assert phase[0, 0] == 0
    q2 = grid()[0] ** 2 + grid()[1] ** 2
    expected = math.pi / 2 * (1 - torch.exp(-q2 / 2e-4))
    torch.testing.assert_close(phase, expected)
    assert phase[0, 2:-2].min() > 0.999 * math.pi / 2
