import numpy as np
import pytest
import torch

from difftem.analysis.spectrum import power_spectrum
from tests.helpers.rings import radial_average


@pytest.mark.parametrize("shape", [(20, 24), (21, 25)])
def test_white_noise_has_its_variance_in_every_ring(shape, generator):
    image = 3 * torch.randn(400, *shape, generator=generator, dtype=torch.float64) + 7
    spectrum = power_spectrum(image).mean(0)
    assert spectrum[0, 0] < 1e-20
    center, mean = radial_average(spectrum, shape, 5)
    np.testing.assert_allclose(center, [0.05, 0.15, 0.25, 0.35, 0.45])
    # The first ring holds the emptied DC pixel.
    torch.testing.assert_close(mean[1:], torch.full((4,), 9.0).double(), rtol=0.03, atol=0)


@pytest.mark.parametrize("shape", [(20, 24), (21, 25)])
def test_rings_count_every_frequency_of_the_full_transform_once(shape, generator):
    image = torch.randn(*shape, generator=generator, dtype=torch.float64)
    full = np.abs(np.fft.fft2(image - image.mean())) ** 2 / image.numel()
    q = np.hypot(np.fft.fftfreq(shape[0])[:, None], np.fft.fftfreq(shape[1])[None])
    ring = (q * 2 * 7).astype(int)
    expected = [full[ring == i].mean() for i in range(7)]
    got = radial_average(power_spectrum(image), shape, 7)[1]
    np.testing.assert_allclose(got, expected, rtol=1e-9)


def test_the_full_spectrum_holds_the_half_one_and_the_variance():
    image = torch.rand(6, 9, dtype=torch.float64)
    full = power_spectrum(image, half=False)
    assert torch.allclose(full[:, :5], power_spectrum(image), atol=1e-13)
    assert float(full.mean()) == pytest.approx(float(image.var(correction=0)))
