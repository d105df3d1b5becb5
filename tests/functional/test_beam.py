import pytest
import torch

from difftem.functional.beam import interaction_constant, wavelength

KV = 1e3


def test_wavelength_has_its_tabulated_value():
    # Kirkland (2010) table of wavelengths, extended with CODATA 2018 constants.
    for voltage, expected in [(100, 0.0370144), (200, 0.0250793), (300, 0.0196875)]:
        energy = torch.tensor(voltage * KV, dtype=torch.float64)
        assert wavelength(energy).item() == pytest.approx(expected, abs=6e-8)


def test_interaction_constant_has_its_tabulated_value():
    # 7.288402e-4 and 6.526163e-4 are often quoted: older constants, 2e-7 apart.
    for voltage, expected in [(200, 7.288401e-4), (300, 6.526161e-4)]:
        energy = torch.tensor(voltage * KV, dtype=torch.float64)
        assert interaction_constant(energy).item() == pytest.approx(expected, abs=6e-11)


def test_interaction_constant_is_two_pi_m_e_lambda_over_h_squared():
    # SI constants written down here, not those of the package.
    m0, e, h, c = 9.1093837015e-31, 1.602176634e-19, 6.62607015e-34, 299792458.0
    for voltage in (80, 120, 300, 1000):
        energy = torch.tensor(voltage * KV, dtype=torch.float64)
        gamma = 1 + voltage * KV * e / (m0 * c**2)
        momentum = m0 * c * (gamma**2 - 1) ** 0.5
        assert wavelength(energy).item() == pytest.approx(h / momentum * 1e10, rel=1e-12)
        sigma = 2 * torch.pi * gamma * m0 * e * (h / momentum) / h**2 * 1e-10
        assert interaction_constant(energy).item() == pytest.approx(sigma, rel=1e-12)


@pytest.mark.parametrize("function", [wavelength, interaction_constant])
def test_derivative_with_respect_to_energy_is_the_finite_difference(function):
    energy = torch.tensor(200 * KV, dtype=torch.float64, requires_grad=True)
    function(energy).backward()
    step = 10.0
    with torch.no_grad():
        difference = (function(energy + step) - function(energy - step)) / (2 * step)
    assert energy.grad.item() == pytest.approx(difference.item(), rel=1e-7)
    assert energy.grad.item() < 0
