import math

import pytest
import torch

from difftem.baselines.stabilised import denoise_counts, stabilise

SEEN = {}


def keep(values):
    SEEN["values"] = values
    return values


@pytest.mark.parametrize("electrons", [4.0, 30.0])
def test_denoisers_see_unit_noise_and_counts_come_back(electrons, generator):
    counts = torch.poisson(torch.full((256, 255), electrons), generator)
    image = (counts - electrons) / math.sqrt(electrons)
    estimate = denoise_counts(image, electrons, 1.0, stabilise(keep))
    assert SEEN["values"].var() == pytest.approx(1, rel=0.03)
    assert SEEN["values"].mean() == pytest.approx(0, abs=1e-5)
    # Nothing was taken off: what comes back differs by the variance that the inverse corrects for.
    assert (estimate - image).abs().max() < 0.25


def test_a_flat_estimate_is_the_mean_without_bias():
    for electrons in (0.8, 3.0, 12.0):
        counts = torch.poisson(torch.full((400, 400), electrons))
        flat = stabilise(lambda values: 0 * values)(counts.numpy())
        assert flat.mean() == pytest.approx(electrons, rel=0.01)
        assert flat.mean() == pytest.approx(counts.mean().item(), abs=0.004)


def test_binning_gives_way_for_small_images(generator):
    shapes = []

    def note(counts):
        shapes.append(counts.shape)
        return counts

    for shape, binning in [((256, 300), 8.0), ((64, 300), 8.0), ((9, 40), 8.0)]:
        denoise_counts(torch.randn(shape, generator=generator), 10.0, binning, note)
    assert shapes == [(32, 38), (16, 75), (9, 40)]
