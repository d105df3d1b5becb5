"""Electrons per pixel from the skewness of noise."""

import pytest
import torch

from difftem.functional.mtf import apply_transfer
from difftem.micrograph.third_moment import electrons_by_skewness
from difftem.modules.mtf import LorentzianMTF

FREQUENCY = torch.linspace(0, 0.72, 100, dtype=torch.float64)


@pytest.mark.parametrize("electrons", [0.5, 5.0, 40.0])
def test_the_skewness_of_blurred_counts_tells_electrons_whatever_the_offset(electrons, generator):
    mtf = LorentzianMTF()
    counts = torch.poisson(torch.full((512, 512), electrons), generator)
    with torch.no_grad():
        image = 7 * apply_transfer(counts, mtf.transfer((512, 512), counts)) - 5000
        amplitude = 7 * electrons**0.5 * mtf(FREQUENCY)
    # The skewness of n values scatters by √(6 / n), half of the relative error of electrons.
    found = electrons_by_skewness(image, FREQUENCY, amplitude)
    assert found == pytest.approx(electrons, rel=0.03 + 6 * (6 * electrons) ** 0.5 / 512)


def test_gaussian_noise_tells_nothing(generator):
    image = torch.randn(512, 512, generator=generator)
    assert electrons_by_skewness(image, FREQUENCY, torch.ones_like(FREQUENCY)) is None
