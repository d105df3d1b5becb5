import math

import torch

from difftem.analysis.held_out import band_masks, banded_log_likelihood
from difftem.functional.count_split import split_whitened
from difftem.functional.grid import frequency_grid, radius
from difftem.functional.mtf import apply_transfer
from difftem.functional.ring_balance import balanced, ring_balance
from difftem.functional.wiener import wiener_estimate

N = 256
Q = radius(frequency_grid((N, N), 1.0, half=True))


def field(generator, power=8.0, width=0.06):
    """Gaussian random field whose power falls with the frequency."""
    noise = torch.randn(N, N, generator=generator, dtype=torch.float64)
    return apply_transfer(noise, power * torch.exp(-0.5 * (Q / width) ** 2))


def test_the_gain_is_what_a_regression_on_the_truth_gives(generator):
    # A correction that is right by half below 0.1 and all wrong above.
    truth = field(generator)
    other = field(generator, 2.0, 0.2)
    correction = torch.where(Q < 0.1, 2.0, 0.0)
    made = apply_transfer(truth, correction) + apply_transfer(other, (Q >= 0.1).double())
    residual = truth + torch.randn(2, N, N, generator=generator, dtype=torch.float64)
    gain = ring_balance(made.expand(2, N, N), residual)
    assert float(gain.min()) >= 0 and float(gain.max()) <= 1.2
    inner = gain[(Q > 0.01) & (Q < 0.05)]
    torch.testing.assert_close(inner, torch.full_like(inner, 0.5), rtol=0, atol=0.05)
    assert float(gain[Q > 0.2].mean()) < 0.05


def test_a_correction_that_is_nothing_gets_no_gain():
    zeros = torch.zeros(1, N, N)
    assert bool((ring_balance(zeros, torch.randn(1, N, N)) == 0).all())


def test_ignored_rings_take_the_gain_of_their_neighbours(generator):
    truth = field(generator, 6.0, 0.15)
    ring = (Q > 0.1) & (Q < 0.12)
    # In the ring the held-out image says the opposite.
    residual = truth - 2 * apply_transfer(truth, ring.double())
    free = ring_balance(truth[None], residual[None])
    deaf = ring_balance(truth[None], residual[None], ignore=ring)
    assert float(free[ring].mean()) < 0.6
    assert float(deaf[ring].min()) > 0.95


def test_a_bad_denoiser_is_never_worse_than_the_wiener_filter_and_a_good_one_keeps_its_gain(
    generator,
):
    truth = field(generator)
    x = truth + torch.randn(N, N, generator=generator, dtype=torch.float64)
    fit = split_whitened(x, 0.5, generator)
    test = torch.randn(N, N, generator=generator, dtype=torch.float64) + truth
    masks = band_masks((N, N), None)
    wiener = wiener_estimate(x)
    base = banded_log_likelihood(wiener, test, masks, 64)

    def gain_over_wiener(denoise):
        part = wiener_estimate(fit.kept)
        gain = ring_balance((denoise(fit.kept, 0.5) - part)[None], (fit.target - part)[None])
        return banded_log_likelihood(
            balanced(wiener, denoise(x, 1.0), gain), test, masks, 64
        ).above(base)

    bad = gain_over_wiener(lambda v, _: 0.7 * v)
    assert bad.value() > -2 * bad.error() - 0.1
    good = gain_over_wiener(lambda v, p: 0.5 * wiener_estimate(v) + 0.5 * math.sqrt(p) * truth)
    plain = banded_log_likelihood(0.5 * wiener + 0.5 * truth, test, masks, 64).above(base)
    assert good.value() > 0.8 * plain.value() > 0
