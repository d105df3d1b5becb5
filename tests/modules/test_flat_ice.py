import math

import pytest
import torch

from difftem.functional.pose import tilt_rotation
from difftem.modules import Beam, FlatIce

BEAM = Beam(300.0)


def through(ice, tilt=0.0, dtype=torch.complex128):
    wave = torch.ones(4, 5, dtype=dtype)
    tilts = tilt_rotation(torch.as_tensor(tilt).double(), torch.tensor(0.3).double())
    return ice(wave, BEAM, tilts)


def test_ice_of_one_mean_free_path_leaves_one_part_in_e():
    intensity = through(FlatIce(300.0, 300.0)).abs() ** 2
    torch.testing.assert_close(
        intensity, torch.full((4, 5), 1 / math.e).double(), rtol=1e-6, atol=0
    )


def test_ice_shifts_the_phase_by_its_mean_inner_potential():
    for options, volts in (({}, 4.5262), ({"density_g_per_cm3": 1.0}, 4.8669)):
        wave = through(FlatIce(1.0, **options))
        expected = BEAM.sigma.item() * volts * 10
        assert torch.angle(wave[0, 0]).item() == pytest.approx(expected, rel=2e-5)


@pytest.mark.parametrize(("kv", "path_nm"), [(100, 149.52), (200, 240.5), (300, 300.0)])
def test_the_measured_path_follows_the_voltage(kv, path_nm):
    ice, beam = FlatIce(50.0), Beam(float(kv))
    image = ice(torch.ones(2, 2, dtype=torch.float64), beam, torch.eye(3).double())
    beta2 = 1 - 1 / (1 + kv / 510.99895) ** 2
    expected = math.exp(-50 / (300 * beta2 / (1 - 1 / (1 + 300 / 510.99895) ** 2)))
    assert image[0, 0].item() == pytest.approx(expected, rel=1e-6)
    assert -50 / math.log(image[0, 0].item()) == pytest.approx(path_nm, rel=1e-3)


def test_a_path_that_is_no_number_is_refused():
    with pytest.raises(ValueError, match="must be a number, \"measured\" or None, got 'long'"):
        FlatIce(30.0, "long")
    for path in ("measured", None):
        with pytest.raises(ValueError, match="can be learned from a number in nm only"):
            FlatIce(30.0, path, learnable=["mean_free_path_nm"])


def test_tilted_ice_is_longer_and_batches_follow_the_tilt():
    tilt = torch.tensor([0.0, 1.0], dtype=torch.float64)
    wave = through(FlatIce(100.0, 250.0), tilt)
    assert wave.shape == (2, 4, 5)
    loss = -torch.log(wave[:, 0, 0].abs() ** 2)
    torch.testing.assert_close(loss, 0.4 / torch.cos(tilt), rtol=1e-6, atol=0)


def test_type_of_the_wave_is_kept():
    assert through(FlatIce(20.0), dtype=torch.complex64).dtype == torch.complex64
    with pytest.raises(ValueError, match="thickness_nm must not be negative"):
        FlatIce(-3.0)


def test_an_intensity_is_dimmed_as_the_square_of_the_wave_is():
    ice = FlatIce(120.0, 300.0)
    image = ice(torch.full((3, 4), 2.0), BEAM, torch.eye(3))
    torch.testing.assert_close(image, torch.full((3, 4), 2.0 * math.exp(-0.4)))
