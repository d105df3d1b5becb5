"""A smooth curve through a noisy spectrum, continued to zero."""

import pytest
import torch

from difftem.micrograph.smooth_curve import _integrated, smooth_even_curve

Q = torch.linspace(0.06, 0.7, 80, dtype=torch.float64)


def test_a_parabola_is_continued_to_zero():
    curve, error = smooth_even_curve(
        Q, 3 - 9 * Q**2, torch.full_like(Q, 1e-3), torch.tensor([0.0, 0.03, 0.4])
    )
    truth = torch.tensor([3.0, 3 - 9 * 0.03**2, 3 - 9 * 0.4**2], dtype=torch.float64)
    assert float((curve - truth).abs().max()) < 2e-3
    assert float(error.max()) < 0.05


def test_its_error_covers_noise(generator):
    truth = -5 * Q**2 + 0.1 * torch.cos(12 * Q)
    z = []
    for _ in range(30):
        noise = 0.02 * torch.randn(len(Q), generator=generator, dtype=torch.float64)
        curve, error = smooth_even_curve(Q, truth + noise, torch.full_like(Q, 0.02), Q[::10])
        z.append((curve - truth[::10]) / error)
    assert 0.7 < float(torch.stack(z).square().mean().sqrt()) < 1.3


def test_the_covariance_is_that_of_integrated_brownian_motion():
    s, t = 0.3, 0.8
    u = (torch.arange(20000, dtype=torch.float64) + 0.5) / 20000 * s
    by_hand = float(((s - u) ** 2 * (t - u) ** 2 / 4).mean()) * s
    both = _integrated(torch.tensor([s]).double(), torch.tensor([t]).double())
    assert float(both) == pytest.approx(by_hand, rel=1e-6)
