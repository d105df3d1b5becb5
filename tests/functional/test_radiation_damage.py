import math

import pytest
import torch
from scipy.integrate import quad

from difftem.functional.radiation_damage import critical_exposure, faded, fading


def number(value):
    return torch.tensor(value, dtype=torch.float64)


KEV_300, KEV_200 = number(300e3), number(200e3)


def test_the_critical_exposure_is_the_published_curve():
    k = number([0.05, 0.1, 1 / 3, 0.5])
    expected = [0.245 * each**-1.665 + 2.81 for each in k.tolist()]
    assert critical_exposure(k, KEV_300).tolist() == pytest.approx(expected, rel=1e-12)
    # 10 Å: 14 e/Å²; 3 Å: 4.3 e/Å².
    assert critical_exposure(number(0.1), KEV_300).item() == pytest.approx(14.1, abs=0.1)
    assert critical_exposure(number(1 / 3), KEV_300).item() == pytest.approx(4.34, abs=0.01)
    ratio = critical_exposure(k, KEV_200) / critical_exposure(k, KEV_300)
    assert ratio.tolist() == pytest.approx([0.8] * 4, abs=0.005)
    assert critical_exposure(number(0.0), KEV_300).item() == math.inf


@pytest.mark.parametrize(("before", "dose"), [(0.0, 30.0), (60.0, 3.0), (12.0, 0.0), (5.0, 1e-5)])
def test_the_amplitude_is_the_mean_over_the_exposure(before, dose):
    k = number([0.0, 0.02, 0.1, 0.4])
    found = fading(k, number(before), number(dose), KEV_300)
    assert found[0] == 1
    for each, amplitude in zip(k[1:].tolist(), found[1:].tolist(), strict=True):
        critical = 0.245 * each**-1.665 + 2.81
        at = before
        if dose > 1e-3:
            whole, _ = quad(lambda n, c=critical: math.exp(-n / (2 * c)), before, before + dose)
            assert amplitude == pytest.approx(whole / dose, rel=1e-9)
        else:
            assert amplitude == pytest.approx(math.exp(-at / (2 * critical)), rel=1e-5)


def test_a_grating_fades_by_its_factor_and_the_mean_stays():
    y, x = torch.meshgrid(torch.arange(30.0).double(), torch.arange(40.0).double(), indexing="ij")
    wave = torch.cos(2 * math.pi * (3 * y / 30 + 4 * x / 40))
    image = 1 + 0.1 * wave
    found = faded(image, 2.0, number(10.0), number(2.0), KEV_300)
    k = number(math.hypot(3 / 60, 4 / 80))
    factor = fading(k, number(10.0), number(2.0), KEV_300)
    assert torch.allclose(found, 1 + 0.1 * factor * wave, atol=1e-12)
    single = faded(image.float(), 2.0, number(10.0), number(2.0), KEV_300)
    assert single.dtype == torch.float32
    assert torch.allclose(single.double(), found, atol=1e-6)
    odd = image[:29, :39]
    assert faded(odd, 2.0, number(1.0), number(1.0), KEV_300).shape == (29, 39)


def test_dose_and_image_have_gradients():
    image = torch.rand(6, 5, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    before, dose = (number(each).requires_grad_() for each in (3.0, 5.0))
    assert torch.autograd.gradcheck(
        lambda i, b, d: faded(i, 2.0, b, d, KEV_300), (image.requires_grad_(), before, dose)
    )
