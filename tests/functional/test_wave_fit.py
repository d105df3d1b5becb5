import pytest
import torch

from difftem.functional.mtf import apply_transfer
from difftem.functional.wave_fit import expected_squared_error, optimal_rate, spread_energy
from difftem.modules import LorentzianMTF

SHAPE = (12, 15)


def exposures(generator, n=3):
    return torch.poisson(torch.full((n, *SHAPE), 20.0), generator).double()


def transfer():
    return LorentzianMTF().transfer(SHAPE, torch.zeros(1, dtype=torch.float64)).detach()


def test_the_expected_error_is_the_mean_over_noisy_copies(generator):
    y, h = exposures(generator), transfer()
    rate = 20 + 5 * torch.rand(SHAPE, generator=generator, dtype=torch.float64)
    counts = torch.poisson(rate.expand(5000, *SHAPE), generator=generator)
    copies = apply_transfer(counts, h)
    errors = (copies[:, None] - y).square().sum((-2, -1)).mean(1)
    standard_error = float(errors.std()) / len(errors) ** 0.5
    found = float(expected_squared_error(rate, y, h))
    assert abs(float(errors.mean()) - found) < 4 * standard_error
    assert standard_error < 0.01 * float(spread_energy(h, SHAPE) * rate.sum())  # it would be missed


def test_a_dot_spreads_by_the_sum_of_squares_of_the_blur():
    assert float(spread_energy(torch.ones(12, 8), (12, 15))) == pytest.approx(1)
    box = torch.zeros(12, 15)
    box[0, [-1, 0, 1]] = 1 / 3
    assert float(spread_energy(torch.fft.rfft2(box).real, (12, 15))) == pytest.approx(1 / 3)


@pytest.mark.parametrize("blurred", [False, True])
def test_the_optimum_is_the_average_less_a_constant_and_nothing_is_better(generator, blurred):
    y, h = exposures(generator), transfer() if blurred else None
    best = optimal_rate(y, h).requires_grad_()
    least = expected_squared_error(best, y, h)
    (slope,) = torch.autograd.grad(least, best)
    assert slope.abs().max() < 1e-9
    seen = best if h is None else apply_transfer(best, h)
    energy = 1.0 if h is None else float(spread_energy(h, SHAPE))
    assert (y.mean(0) - seen - energy / 2).abs().max() < 1e-10
    for _ in range(5):
        other = best + 0.1 * torch.randn(SHAPE, generator=generator, dtype=torch.float64)
        assert expected_squared_error(other, y, h) > least


def test_a_frequency_that_the_camera_does_not_pass_has_no_optimum(generator):
    h = transfer()
    h[3, 4] = 0.0
    with pytest.raises(ValueError, match="transfer must not be 0"):
        optimal_rate(exposures(generator), h)
