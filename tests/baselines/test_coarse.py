import pytest
import torch

from difftem.baselines.coarse import coarser, finer
from tests.helpers.random_field import random_field


def test_larger_pixels_keep_white_noise_and_count_the_signal(generator):
    noise = torch.randn(301, 402, generator=generator)
    signal = random_field(lambda q: 40.0 * (q < 0.04), (301, 402), generator) + 0.5
    coarse = coarser(noise, 3.0)
    assert coarse.shape == (100, 134)
    assert coarse.var().item() == pytest.approx(1, rel=0.03)
    assert (
        torch.corrcoef(torch.stack([coarse[:, 1:].flatten(), coarse[:, :-1].flatten()]))[0, 1].abs()
        < 0.02
    )
    binned = signal[:300].reshape(100, 3, 134, 3).mean((1, 3)) * 3
    assert (coarser(signal[:300], 3.0) - binned).square().mean() < 0.01 * binned.square().mean()


@pytest.mark.parametrize("binning", [1.0, 1.7, 4.0, 100.0])
def test_what_the_coarse_pixels_hold_comes_back(binning, generator):
    image = random_field(lambda q: 9.0 * (q < 0.05), (64, 75), generator)
    back = finer(coarser(image, binning), (64, 75))
    assert back.shape == image.shape
    assert back.mean().item() == pytest.approx(image.mean().item(), abs=1e-5)
    if binning <= 4:
        assert (back - image).square().mean() < 0.02 * image.square().mean()
    again = finer(coarser(back, binning), (64, 75))
    torch.testing.assert_close(again, back, atol=1e-5, rtol=0)
