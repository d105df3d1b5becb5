import pytest
import torch

from difftem.functional.fourier_ring import agreed_frequency
from difftem.functional.half_agreement import half_agreement, half_products
from difftem.metrics.half_agreement import AgreementOfHalves


def test_spectra_of_images_are_added(generator):
    metric = AgreementOfHalves(0.5, n_rings=6)
    products = 0
    for size in (32, 40):
        signal = torch.randn(size, size, generator=generator)
        four = [signal + torch.randn(size, size, generator=generator) for _ in range(4)]
        metric.update(*four)
        products = products + half_products(*four, 6)
    expected = half_agreement(products)
    found = metric.compute()
    assert found["correlation"].item() == pytest.approx(expected.correlation)
    assert found["raw"].item() == pytest.approx(agreed_frequency(expected.raw, 0.5))
    assert set(found) == {"denoised", "with_raw", "raw", "correlation"}
