import torch

from difftem.analysis.noise_spectrum import collapse_rings, mean_periodogram
from difftem.analysis.ring_bins import bin_rings, equal_bins, merge_rings


def test_merging_rings_keeps_ordinates_and_power(generator):
    rings = collapse_rings(mean_periodogram(torch.randn(1, 40, 40, generator=generator)), (40, 40))
    for merged in (bin_rings(rings, 9), merge_rings(rings, equal_bins(rings, 9))):
        assert len(merged.frequency) == 9
        assert (merged.frequency.diff() > 0).all()
        torch.testing.assert_close(merged.ordinates.sum(), rings.ordinates.sum())
        torch.testing.assert_close(
            (merged.ordinates * merged.power).sum(), (rings.ordinates * rings.power).sum()
        )
    equal = merge_rings(rings, equal_bins(rings, 9)).ordinates
    assert equal.max() < 1.2 * equal.min()
