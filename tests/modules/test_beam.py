import pytest
import torch

from difftem.modules import Beam


def test_beam_has_the_wavelength_and_sigma_of_its_voltage():
    beam = Beam(200.0)
    assert beam.energy.item() == 200e3
    assert beam.wavelength.dtype == torch.float64
    assert beam.wavelength.item() == pytest.approx(0.0250793, abs=1e-7)
    assert beam.sigma.item() == pytest.approx(7.288401e-4, abs=1e-10)
    assert beam.tilt is None


def test_tilt_is_given_in_mrad_as_x_and_y():
    tilt = Beam(tilt_mrad=(2.0, -1.0)).tilt
    torch.testing.assert_close(tilt, torch.tensor([2e-3, -1e-3]))
    assert Beam(learnable=("tilt_mrad",)).tilt is not None


def test_learnable_voltage_keeps_its_value_and_stays_positive():
    beam = Beam(torch.tensor(300.0, dtype=torch.float64), learnable=("voltage_kv",))
    assert beam.energy.item() == pytest.approx(300e3, rel=1e-12)
    (parameter,) = beam.parameters()
    with torch.no_grad():
        parameter -= 50
    assert 0 < beam.energy < 1e-12


@pytest.mark.parametrize("voltage", [0.0, -300.0, 300e3])
def test_voltage_in_volts_is_refused(voltage):
    with pytest.raises(ValueError, match=r"voltage_kv must be in \(0, 5000\]"):
        Beam(voltage)
