import pytest
import torch

from difftem.analysis.dqe import (
    detective_quantum_efficiency,
    normalised_noise_power,
    relative_dqe,
)
from difftem.analysis.noise_spectrum import collapse_rings, mean_periodogram
from difftem.modules import Detector, LorentzianMTF, RullgardMTF


def test_lost_electrons_and_a_narrow_signal_show_in_the_dqe(generator):
    n, shape, fluence = 40, (64, 64), 30.0
    signal, noise = LorentzianMTF(), RullgardMTF(0.2, 0.1, 1.0)
    detector = Detector(signal, noise, gain=3.0, dqe0=0.6).double()
    expected = torch.full((n, *shape), fluence, dtype=torch.float64)
    counts = torch.poisson(detector.rate(expected), generator=generator)
    image = detector(counts, expected)
    rings = collapse_rings(mean_periodogram(image), shape, n)
    nnps = normalised_noise_power(rings.power, image.mean())
    mtf = signal(rings.frequency)
    measured = detective_quantum_efficiency(mtf, nnps, fluence)
    truth = relative_dqe(mtf, noise(rings.frequency), 0.6)
    scatter = (measured / truth - 1) * rings.ordinates.sqrt()
    assert scatter.mean().abs() < 5 / len(scatter) ** 0.5
    assert scatter.std().item() == pytest.approx(1, abs=0.1)


def test_dqe_from_the_noise_alone_is_constant():
    ntf = LorentzianMTF()(torch.linspace(0, 0.5, 9))
    torch.testing.assert_close(relative_dqe(ntf, ntf, 0.7), torch.full((9,), 0.7))


def test_impossible_numbers_are_refused():
    one = torch.ones(2)
    with pytest.raises(ValueError, match="fluence must be positive, got 0"):
        detective_quantum_efficiency(one, one, 0.0)
    with pytest.raises(ValueError, match=r"dqe0 must be in \(0, 1\], got 1.5"):
        relative_dqe(one, one, 1.5)
