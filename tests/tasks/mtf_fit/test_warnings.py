import pytest
import torch

from difftem.functional.grid import frequency_grid, radius
from difftem.functional.mtf import apply_transfer
from difftem.modules import IdealMTF
from difftem.tasks.mtf_fit import fit_spectrum, measure, mtf_family
from tests.helpers.flat_fields import GAIN, flat_fields, off_start, tmv_curve


def fit(batch, gain, read_noise=0.0):
    measured, s0 = measure(**batch, gain=gain)
    return fit_spectrum(measured, off_start(), s0, read_noise, n_starts=2)


def ice(n, size):
    """Structure of 5 % rms, independent in each crop."""
    generator = torch.Generator().manual_seed(5)
    q = radius(frequency_grid((size, size), 1.0, half=True))
    noise = torch.randn(n, size, size, generator=generator, dtype=torch.float64)
    field = apply_transfer(noise, (1 + (q / 0.03) ** 2) ** -1.5)
    return 0.05 * field / field.std()


@pytest.mark.parametrize("gain", [None, GAIN])
def test_flat_spectrum_of_a_counting_camera_is_recognised(gain):
    result = fit(flat_fields(5, 128, mtf=IdealMTF()), gain)
    assert any("noise cannot give its MTF" in w for w in result.warnings)
    assert not any("aliased" in w for w in result.warnings)  # white it stays, whatever folds back
    clean = fit(flat_fields(5, 128), gain)
    assert not any("noise cannot" in w or "structure" in w for w in clean.warnings)
    assert any("aliased" in w for w in clean.warnings)  # H(0.5) is 0.32


@pytest.mark.parametrize("gain", [None, GAIN])
def test_structure_in_the_background_is_recognised_and_differences_remove_it(gain):
    structure = ice(5, 128)
    first, second = (
        flat_fields(5, 128, seed, rate=20.0, structure=structure)["images"] for seed in (1, 2)
    )
    batch = {"images": first, "means": first.mean((1, 2))}
    assert any("structure in the background" in w for w in fit(batch, gain).warnings)
    batch["images"] = (first - second) / 2**0.5
    result = fit(batch, gain)
    assert not any("structure" in w for w in result.warnings)
    error = (result.curve - tmv_curve(result.frequency)).abs().max()
    assert error < (0.05 if gain is None else 0.015)


def test_read_noise_must_be_modelled_and_then_costs_little():
    batch = flat_fields(5, 256, read_noise=2.0)  # 1 count
    error = {}
    for read_noise in (0.0, 2.0, None):
        result = fit(batch, GAIN, read_noise)
        error[read_noise] = (result.curve - tmv_curve(result.frequency)).abs().max()
        if read_noise == 0.0:
            assert any("not white" in w for w in result.warnings)
    assert error[0.0] > 0.15
    assert error[2.0] < 0.01
    assert error[None] < 0.05
    assert result.read_noise == pytest.approx(2.0, abs=4 * result.read_noise_error)
    assert 0 < result.read_noise_error < 1


def test_lines_are_left_out_and_counted():
    batch = flat_fields(5, 128)
    generator = torch.Generator().manual_seed(1)
    batch["images"] = batch["images"] + 1.5 * torch.randn(128, generator=generator)
    result = fit(batch, GAIN)
    assert any("1 whole lines" in w for w in result.warnings)
    assert result.excluded >= 60
    assert (result.curve - tmv_curve(result.frequency)).abs().max() < 0.02


def test_parts_of_the_curve_that_no_data_reach_are_named():
    measured, s0 = measure(**flat_fields(3, 128), gain=GAIN, limits=(0.1, 0.3))
    result = fit_spectrum(measured, mtf_family("even_spline_5", 0.3), s0)
    (text,) = (w for w in result.warnings if "not measured" in w)
    assert text.startswith("frequencies below 0.10 cycles/pixel are not measured")
    assert "; above 0.30 cycles/pixel the curve is not measured" in text
    assert not any("folds" in w for w in result.warnings)
    assert not any("not measured" in w for w in fit(flat_fields(3, 128), GAIN).warnings)
