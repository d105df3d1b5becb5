import pytest
import torch

from difftem.functional.inelastic import CARBON, angular_transfer, coarse_angular_step
from difftem.functional.inelastic_multislice import inelastic_multislice
from difftem.modules import Beam
from difftem.modules.inelastic import ApertureTransfer, InelasticMultislice

BEAM = Beam(torch.tensor(200.0, dtype=torch.float64))
DEFOCUS = torch.tensor(2e4, dtype=torch.float64)


@pytest.fixture
def slices(generator):
    real = 100 * torch.rand(2, 16, 18, generator=generator, dtype=torch.float64)
    return torch.complex(real, 0.3 * real)


@pytest.mark.parametrize("coarse", [False, True])
def test_module_is_its_function(slices, coarse):
    step = coarse_angular_step(5.0, 2e4) if coarse else None
    options = {"angular_step_mrad": 1e3 * step} if coarse else {}
    module = InelasticMultislice(5.0, 8.3, band_limit=None, **options)
    wave, scattered = module(iter(slices), [0.0, 500.0], DEFOCUS, BEAM)
    transfer = angular_transfer(CARBON, BEAM.energy, 8.3e-3, 0.9 * 20500, step)
    expected = inelastic_multislice(
        slices, [0.0, 500.0], BEAM.sigma, BEAM.wavelength, 5.0, transfer, DEFOCUS, band_limit=None
    )
    torch.testing.assert_close(wave, expected[0])
    torch.testing.assert_close(scattered, expected[1], rtol=0, atol=1e-10)


def test_wide_aperture_brings_back_what_absorption_took(slices):
    module = InelasticMultislice(5.0, 1200.0, band_limit=None)
    wave, scattered = module(slices, [0.0, 500.0], torch.zeros(()).double(), BEAM)
    total = (wave.abs() ** 2).mean() + scattered.mean()
    assert total.item() == pytest.approx(1, abs=2e-3)
    _, passed = InelasticMultislice(5.0, 5.0)(slices, [0.0, 500.0], DEFOCUS, BEAM)
    assert 0.2 < passed.mean() / scattered.mean() < 0.9


def test_table_is_kept_until_voltage_or_distance_change(slices):
    transfer = ApertureTransfer(CARBON, 8.3)
    first = transfer(BEAM.energy, 5.0, 2e4)
    assert transfer(BEAM.energy, 5.0, 2e4) is first
    assert transfer(BEAM.energy, 5.0, 3e4) is not first
    assert transfer(BEAM.energy * 1.5, 5.0, 3e4).total < first.total
    learned = BEAM.energy.clone().requires_grad_()
    assert transfer(learned, 5.0, 3e4).total.requires_grad


def test_bad_aperture_is_refused():
    with pytest.raises(ValueError, match="aperture_mrad must be positive"):
        InelasticMultislice(5.0, 0.0)
