import pytest
import torch

from difftem.functional.whiteness import ring_power, whiteness_test
from difftem.metrics.whiteness import ResidualWhiteness


def test_images_of_any_size_add_to_one_spectrum(generator):
    images = [
        1.1 * torch.randn(n, 1, size, size, generator=generator) for n, size in ((2, 64), (1, 80))
    ]
    metric = ResidualWhiteness(n_rings=8)
    for image in images:
        metric.update(image)
    found = {name: value.item() for name, value in metric.compute().items()}
    sums = torch.cat([ring_power(image[:, 0], 8) for image in images]).sum(0)
    expected = whiteness_test(sums)
    assert found["chi2_per_ring"] == pytest.approx(expected.chi2 / 9)
    assert found["p_value"] == pytest.approx(expected.p_value)
    assert found["deviation"] == pytest.approx(expected.deviation)
    assert found["variance"] == pytest.approx(1.21, abs=0.05)
