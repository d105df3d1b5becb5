import numpy as np
import pytest
import torch

from difftem.analysis.noise_spectrum import RingSpectrum
from difftem.losses.focal_frequency import focal_frequency_loss, pairwise_loss
from difftem.losses.log_spectrum import log_spectrum_loss


def test_gamma_zero_is_the_mean_squared_error(generator):
    a, b = torch.randn(2, 3, 6, 7, generator=generator, dtype=torch.float64)
    assert focal_frequency_loss(a, b, 0.0).item() == pytest.approx(((a - b) ** 2).mean().item())


@pytest.mark.parametrize("gamma", [0.5, 1.0, 2.0])
def test_focal_weight_is_that_of_jiang_and_others(gamma, generator):
    a, b = torch.randn(2, 2, 6, 8, generator=generator, dtype=torch.float64)
    distance = np.abs(np.fft.fft2((a - b).numpy(), norm="ortho"))
    weight = distance**gamma / (distance**gamma).max((1, 2), keepdims=True)
    assert focal_frequency_loss(a, b, gamma).item() == pytest.approx((weight * distance**2).mean())
    assert focal_frequency_loss(a, a, gamma).item() == 0
    with pytest.raises(ValueError, match="gamma must not be negative, got -1"):
        focal_frequency_loss(a, b, -1.0)


def test_pairwise_loss_of_independent_noise_is_smallest_without_any(generator):
    """E|F - G|² = s H² + s: no cross term, so the true amplitude is no minimum."""
    target, own = torch.randn(2, 200, 16, 16, generator=generator)
    losses = [pairwise_loss(h * own, target, 1.0).item() for h in (0.0, 0.5, 1.0)]
    assert losses[0] < losses[1] < losses[2]


def test_log_spectrum_loss_of_independent_noise_is_smallest_at_the_truth(generator):
    nu = torch.full((400,), 3.0).double()
    draws = torch._standard_gamma(nu.expand(2, 400), generator=generator) / nu
    rings = [RingSpectrum(nu, draw, nu) for draw in draws]
    factors = torch.linspace(0.5, 2, 61).log().exp().double()
    losses = [
        log_spectrum_loss(RingSpectrum(nu, f * rings[0].power, nu), rings[1]) for f in factors
    ]
    assert factors[int(torch.stack(losses).argmin())].item() == pytest.approx(1, abs=0.12)
