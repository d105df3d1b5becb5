import numpy as np
import pytest
import torch

from difftem.functional.lens import ABERRATIONS, aberration_phase
from difftem.scene.files.zernike import zernike_lists, zernike_sum

WAVELENGTH = 0.0196875
K = np.linspace(-0.4, 0.4, 23)
KY, KX = K[:, None] + 0 * K, K + 0 * K[:, None]


def phase(coefficients):
    tensors = {name: torch.tensor(v, dtype=torch.float64) for name, v in coefficients.items()}
    wavelength = torch.tensor(WAVELENGTH, dtype=torch.float64)
    k = torch.from_numpy(K)
    return aberration_phase(k[:, None], k, wavelength, tensors).numpy()


@pytest.mark.parametrize("name", ABERRATIONS)
def test_every_aberration_is_minus_its_phase_in_the_odd_list_or_its_phase_in_the_even_one(name):
    odd, even = zernike_lists({name: 1e4}, WAVELENGTH)
    if ABERRATIONS[name][0] % 2 == 0:
        found, expected, empty = zernike_sum(odd, True, KY, KX), -phase({name: 1e4}), even
    else:
        found, expected, empty = zernike_sum(even, False, KY, KX), phase({name: 1e4}), odd
    assert empty == ()
    assert np.abs(found - expected).max() < 1e-12 * max(1, np.abs(expected).max())


def test_lists_have_the_published_polynomials_in_relions_order():
    # Z_3^1 = (3 k³ - 2 k) cos φ comes fifth of the odd ones, Z_4^0 = 6 k⁴ - 6 k² + 1 seventh of
    # the even ones; those of lower order of the same parity come before.
    k, azimuth = np.hypot(KX, KY), np.arctan2(KY, KX)
    unit = [tuple(float(j == i) for j in range(9)) for i in range(9)]
    odd = [zernike_sum(each, True, KY, KX) for each in unit]
    even = [zernike_sum(each, False, KY, KX) for each in unit]
    expected_odd = [
        k * np.sin(azimuth),
        k * np.cos(azimuth),
        k**3 * np.sin(3 * azimuth),
        (3 * k**3 - 2 * k) * np.sin(azimuth),
        (3 * k**3 - 2 * k) * np.cos(azimuth),
        k**3 * np.cos(3 * azimuth),
    ]
    expected_even = [
        1 + 0 * k,
        k**2 * np.sin(2 * azimuth),
        2 * k**2 - 1,
        k**2 * np.cos(2 * azimuth),
        k**4 * np.sin(4 * azimuth),
        (4 * k**4 - 3 * k**2) * np.sin(2 * azimuth),
        6 * k**4 - 6 * k**2 + 1,
        (4 * k**4 - 3 * k**2) * np.cos(2 * azimuth),
        k**4 * np.cos(4 * azimuth),
    ]
    for found, expected in zip(odd, expected_odd, strict=False):
        assert np.allclose(found, expected, atol=1e-13)
    for found, expected in zip(even, expected_even, strict=True):
        assert np.allclose(found, expected, atol=1e-13)


def test_lists_add_up_and_are_empty_without_aberrations():
    many = {"C21a": 500.0, "C23b": -300.0, "C45a": 1e6, "C34b": 1e5, "C50": 5e7}
    odd, even = zernike_lists(many, WAVELENGTH)
    total = zernike_sum(even, False, KY, KX) - zernike_sum(odd, True, KY, KX)
    assert np.abs(total - phase(many)).max() < 1e-12
    assert zernike_lists({"C21a": 0.0, "C50": 0.0}, WAVELENGTH) == ((), ())
