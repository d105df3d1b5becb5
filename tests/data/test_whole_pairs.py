import math

import pytest
import torch

from difftem.data.whole_pairs import MeasuredPairs, SplitPairs
from tests.helpers.exposures import ELECTRONS, scene, whitened

SIDE = 192


def noise_of(pair):
    """What both images of a pair have beside the expected values of the kept electrons."""
    signal = (scene(SIDE) - 1) * math.sqrt(pair.electrons)
    return pair.noisy - signal, pair.target - signal


def correlation(a, b):
    return float((a * b).mean() / (a.std() * b.std()))


@pytest.mark.parametrize("fraction", [0.5, 0.75])
def test_both_parts_expect_the_same_and_their_noise_does_not_correlate(fraction):
    values = whitened(1, SIDE)
    pair = SplitPairs(values, ELECTRONS, fraction, seed=3).pair(5)
    assert pair.electrons == fraction * ELECTRONS
    kept, other = noise_of(pair)
    for noise, variance in ((kept, 1.0), (other, fraction / (1 - fraction))):
        assert noise.mean() == pytest.approx(0, abs=4 * math.sqrt(variance) / SIDE)
        assert noise.var() == pytest.approx(variance, rel=4 * 1.5 / SIDE)
    assert pair.target_variance == pytest.approx(fraction / (1 - fraction))
    assert abs(correlation(kept, other)) < 4 / SIDE


def test_values_that_are_no_counts_are_split_by_noise_that_follows_the_brightness():
    values = whitened(1, SIDE)
    kept, other = noise_of(SplitPairs(values + 0.01, ELECTRONS, 0.5).pair(0))
    assert abs(correlation(kept, other)) < 4 / SIDE
    bright = scene(SIDE) > 1.15
    assert abs(correlation(kept[bright], other[bright])) < 4 / math.sqrt(float(bright.sum()))


def test_a_number_is_a_pair_and_others_are_other_pairs():
    for source in (
        SplitPairs(whitened(1, 64), ELECTRONS, 0.5, seed=1),
        MeasuredPairs(whitened(6, 64), ELECTRONS, seed=1),
    ):
        one, again, other = source.pair(2), source.pair(2), source.pair(3)
        assert torch.equal(one.noisy, again.noisy) and torch.equal(one.target, again.target)
        assert not torch.equal(one.noisy, other.noisy)
    split = SplitPairs(whitened(1, 64), ELECTRONS, 0.5, seed=2).pair(2)
    assert not torch.equal(split.noisy, SplitPairs(whitened(1, 64), ELECTRONS, 0.5).pair(2).noisy)


def test_two_exposures_predict_each_other_both_ways():
    values = whitened(2, 64)
    source = MeasuredPairs(values, ELECTRONS)
    one, other = source.pair(0), source.pair(1)
    assert torch.equal(one.noisy, other.target) and torch.equal(one.target, other.noisy)
    assert {float(one.noisy[0, 0]), float(one.target[0, 0])} == {
        float(value[0, 0]) for value in values
    }
    assert one.target_variance == 1 and one.electrons == ELECTRONS


@pytest.mark.parametrize("n", [3, 4, 5])
def test_several_exposures_are_used_once_each_and_keep_unit_noise(n):
    pair = MeasuredPairs(whitened(n, SIDE), ELECTRONS).pair(1)
    half = n // 2
    assert pair.electrons == half * ELECTRONS
    assert pair.target_variance == pytest.approx(half / (n - half))
    kept, other = noise_of(pair)
    assert kept.var() == pytest.approx(1, rel=0.04)
    assert other.var() == pytest.approx(half / (n - half), rel=0.04)
    assert abs(correlation(kept, other)) < 4 / SIDE


def test_a_single_exposure_has_no_pair():
    with pytest.raises(ValueError, match="pairs need at least 2 exposures of a field, got 1"):
        MeasuredPairs(whitened(1, 64), ELECTRONS)
