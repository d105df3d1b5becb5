import pytest
import torch

from difftem.analysis.fisher import spectral_information
from difftem.analysis.noise_spectrum import RingSpectrum, collapse_rings, mean_periodogram
from difftem.losses.whittle import white_level, whittle_loss
from difftem.modules import Detector, LorentzianMTF

NU = torch.tensor([2.0, 4.0, 3.5, 8.0]).double()
Q = torch.tensor([0.1, 0.2, 0.3, 0.5]).double()


def model(theta):
    return theta[0] / (1 + theta[1] * Q**2) ** 2 + theta[2]


def test_loss_is_the_negative_log_density_of_exponential_ordinates():
    power, at = torch.tensor([3.0, 2.0, 1.0, 0.5]).double(), model(torch.tensor([4.0, 9.0, 0.1]))
    # Gamma(ν) / ν: its log density less the terms without S.
    gamma = torch.distributions.Gamma(NU, NU / at)
    constant = torch.distributions.Gamma(NU, NU).log_prob(power) + NU * power
    expected = -(gamma.log_prob(power) - constant).sum()
    assert whittle_loss(RingSpectrum(Q, power, NU), at).item() == pytest.approx(expected.item())


def test_score_agrees_with_finite_differences():
    at = torch.tensor([4.0, 9.0, 0.1], dtype=torch.float64, requires_grad=True)
    spectrum = RingSpectrum(Q, torch.tensor([3.0, 2.0, 1.0, 0.5]).double(), NU)
    assert torch.autograd.gradcheck(lambda v: whittle_loss(spectrum, model(v)), at)


def test_mean_score_is_zero_and_its_variance_the_information(generator):
    at = torch.tensor([4.0, 9.0, 0.1], dtype=torch.float64)
    derivatives = torch.autograd.functional.jacobian(lambda v: torch.log(model(v)), at)
    information = spectral_information(derivatives, NU)
    n, scores = 20000, []
    draws = torch._standard_gamma(NU.expand(n, 4), generator=generator) / NU * model(at)
    scores = (NU * (1 - draws / model(at))) @ derivatives
    error = information.diagonal().sqrt() / n**0.5
    assert (scores.mean(0).abs() < 4 * error).all()
    torch.testing.assert_close(scores.T @ scores / n, information, rtol=0.05, atol=1e-3)


def test_white_level_of_a_counting_camera_is_gain_times_mean(generator):
    n, shape, gain, lost = 60, (48, 48), 3.0, 0.6
    detector = Detector(LorentzianMTF(), gain=gain, dqe0=lost).double()
    counts = torch.poisson(
        detector.rate(torch.full((n, *shape), 7.0).double()), generator=generator
    )
    image = detector(counts)
    rings = collapse_rings(mean_periodogram(image), shape, n)
    h2 = detector.mtf(rings.frequency) ** 2
    level = (rings.ordinates * rings.power / h2).sum() / rings.ordinates.sum()
    assert white_level(image.mean(), gain).item() == pytest.approx(gain * gain * lost * 7, rel=0.01)
    assert level.item() == pytest.approx(white_level(image.mean(), gain).item(), rel=0.02)
