import math

import pytest
import torch

from difftem.functional.coherence import spatial_envelope
from difftem.functional.lens import aberration_gradient
from difftem.functional.sampling import (
    delocalisation,
    good_fft_size,
    information_limit,
    thickest_slice,
)

WAVELENGTH = 0.0196875  # 300 kV, Å


def test_the_information_limit_is_the_least_of_its_limits():
    assert information_limit(WAVELENGTH, 0.0, None) == math.inf
    assert information_limit(WAVELENGTH, 0.0, 10e-3) == pytest.approx(10e-3 / WAVELENGTH)
    # 5 % of exp(-½ (π λ δ q²)²) at δ = 30 Å.
    q = information_limit(WAVELENGTH, 30.0, None)
    assert math.exp(-0.5 * (math.pi * WAVELENGTH * 30 * q**2) ** 2) == pytest.approx(0.05)


def test_half_the_thickest_slice_has_a_tenth_of_a_radian():
    thickness = thickest_slice(WAVELENGTH, 0.5)
    assert math.pi * WAVELENGTH * thickness / 2 * 0.5**2 == pytest.approx(0.1)


@pytest.mark.parametrize(("defocus", "cs"), [(15000, 2.7e7), (-500, 1.2e7), (300, 1e5), (0, 1e7)])
def test_delocalisation_is_the_steepest_phase_below_the_limit(defocus, cs):
    limit = 0.8
    steps = [limit * i / 4000 for i in range(4001)]
    angles = [WAVELENGTH * q for q in steps]
    brute = max(abs(defocus * angle - cs * angle**3) for angle in angles)
    assert delocalisation(WAVELENGTH, limit, defocus, cs) == pytest.approx(brute, rel=1e-4)


def test_what_a_source_blurs_is_not_delocalised_further():
    """Where the spatial envelope of the lens itself is 5 %."""
    frequency = torch.tensor(1.0, dtype=torch.float64)
    reach = delocalisation(WAVELENGTH, 1.0, 1e6, 0.0, source=1e-5)
    assert delocalisation(WAVELENGTH, 1.0, 1e4, 0.0, source=1e-5) == pytest.approx(1e4 * WAVELENGTH)
    gradient = aberration_gradient(
        0 * frequency, frequency, torch.tensor(WAVELENGTH).double(), {"C10": torch.tensor(-1.0)}
    )
    defocus = reach / WAVELENGTH  # whose delocalisation at 1/Å is the reach
    gradient = (gradient[0] * defocus, gradient[1] * defocus)
    envelope = spatial_envelope(gradient, torch.tensor(WAVELENGTH).double(), torch.tensor(1e-5))
    assert float(envelope) == pytest.approx(0.05, rel=1e-3)


def test_good_sizes_are_even_and_have_small_factors():
    assert [good_fft_size(n) for n in (1, 7, 16, 511, 513, 719)] == [2, 8, 16, 512, 540, 720]
