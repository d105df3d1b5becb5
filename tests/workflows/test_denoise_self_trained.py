import math

import pytest
import torch

from difftem.functional.wiener import wiener_estimate
from difftem.networks import BiasFreeUNet
from difftem.workflows.denoise.self_trained import n2n, split
from tests.helpers.exposures import ELECTRONS, whitened

SIDE = 96


def small(seed=0):
    torch.manual_seed(seed)
    return BiasFreeUNet(channels=(8, 8), blocks=(1, 1))


@pytest.mark.parametrize(("method", "n"), [(split, 1), (split, 2), (n2n, 2)])
def test_a_network_that_learned_nothing_yet_gives_wiener_s_estimate(method, n):
    exposures = whitened(n, SIDE)
    accounts = []
    found = method(
        exposures,
        ELECTRONS,
        torch.Generator().manual_seed(1),
        steps=1,
        start=small(),
        told=accounts.append,
    )
    root = math.sqrt(n)
    wiener = wiener_estimate(exposures.mean(0) * root) / root
    torch.testing.assert_close(found, wiener, rtol=0, atol=0.05)
    assert accounts[0].steps == 1 and accounts[0].history


@pytest.mark.parametrize(("method", "n"), [(split, 1), (n2n, 2)])
def test_the_generator_decides_everything(method, n):
    exposures = whitened(n, SIDE)
    one, again = (
        method(exposures, ELECTRONS, torch.Generator().manual_seed(3), steps=3, start=small())
        for _ in range(2)
    )
    assert torch.equal(one, again)


def test_the_network_is_run_as_told():
    calls = []

    def run(network, noisy, wiener):
        calls.append((noisy.shape, wiener.shape))
        return torch.full_like(noisy, 7.0)

    exposures = whitened(4, SIDE)
    found = split(exposures, ELECTRONS, steps=1, start=small(), run=run)
    assert set(calls) == {((SIDE, SIDE), (SIDE, SIDE))}
    if len(calls) == 1:
        assert float(found.max()) == 3.5  # of one of four exposures


def test_a_new_network_depends_on_the_generator_and_leaves_the_global_state(generator):
    before = torch.get_rng_state()
    exposures = whitened(1, SIDE)
    made = [
        split(exposures, ELECTRONS, torch.Generator().manual_seed(2), steps=1) for _ in range(2)
    ]
    assert torch.equal(*made)
    assert torch.equal(torch.get_rng_state(), before)


def test_one_frame_is_refused_for_noise2noise():
    with pytest.raises(ValueError, match="n2n needs at least 2 exposures of a field, got 1"):
        n2n(whitened(1, SIDE), ELECTRONS, steps=1)
