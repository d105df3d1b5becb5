import pytest
import torch

from difftem.micrograph.contrasts import contrasts


def test_two_equal_exposures_give_their_difference_over_the_root_of_two(generator):
    exposures = torch.rand(2, 3, 8, 8, generator=generator) + 5
    images, means = contrasts(exposures, torch.tensor([5.0, 5.0]))
    expected = (exposures[0] - exposures[1]) / 2**0.5
    torch.testing.assert_close(images[0].abs(), expected.abs(), atol=1e-6, rtol=1e-5)
    torch.testing.assert_close(means, exposures.double().mean((0, 2, 3))[None])


def test_noise_keeps_its_variance_and_structure_goes_at_any_ratio_of_doses(generator):
    levels = torch.tensor([10.0, 20.0, 35.0])
    field = 1 + 0.3 * torch.sin(torch.arange(256) / 9.0)
    rate = (levels[:, None, None, None] * field).expand(3, 1, 256, 256)
    counts = torch.poisson(rate, generator=generator)
    read = 4 * torch.randn(rate.shape, generator=generator)
    images, means = contrasts(counts + read, levels)
    assert images.shape == (2, 1, 256, 256)
    variance = images.double().var((-2, -1))
    torch.testing.assert_close(variance, means + 16, rtol=0.02, atol=0)
    # The profile along x, averaged over y, is noise: variance over 256.
    profile = images.double().mean(-2).var(-1)
    torch.testing.assert_close(profile, (means + 16) / 256, rtol=0.4, atol=0)
    correlation = torch.corrcoef(images.flatten(1))[0, 1]
    assert abs(correlation) < 0.15  # 0 for equal levels


def test_equal_levels_give_independent_combinations(generator):
    counts = torch.poisson(torch.full((4, 1, 256, 256), 20.0), generator=generator)
    images, means = contrasts(counts, torch.ones(4))
    correlation = torch.corrcoef(images.flatten(1)) - torch.eye(3)
    assert float(correlation.abs().max()) < 4 / 256
    torch.testing.assert_close(means, torch.full((3, 1), 20.0).double(), rtol=2e-3, atol=0)


def test_one_exposure_has_no_difference():
    with pytest.raises(ValueError, match="two exposures or more, got 1"):
        contrasts(torch.zeros(1, 1, 8, 8), torch.ones(1))
