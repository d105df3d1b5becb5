import torch

from difftem.functional.grid import frequency_grid, radius
from difftem.tasks.mtf_fit import (
    measure,
    restrict,
    select_family,
    usable_from,
    usual_families,
    without_ice_ring,
)
from tests.helpers.flat_fields import GAIN, flat_fields, tmv_curve


def structure(n, size, rms, generator):
    """Smooth random field below 0.05 cycles/pixel."""
    frequency = radius(frequency_grid((size, size), 1.0, half=True))
    noise = torch.fft.rfft2(torch.randn(n, size, size, generator=generator, dtype=torch.float64))
    field = torch.fft.irfft2(noise * (frequency < 0.05), s=(size, size))
    return rms * field / field.std()


def test_a_clean_background_is_fitted_from_zero_and_structure_from_above_it(generator):
    clean, s0 = measure(**flat_fields(8, 128), gain=GAIN)
    assert usable_from(clean, s0) == usable_from(clean) == 0.0
    field = structure(8, 128, 0.05, generator)
    spoilt, s0 = measure(**flat_fields(8, 128, structure=field, rate=20.0), gain=GAIN)
    assert usable_from(spoilt, s0) == usable_from(spoilt) == 0.1


def test_a_spectrum_without_low_frequencies_is_continued_by_even_splines(generator):
    field = structure(20, 128, 0.05, generator)
    measured, s0 = measure(**flat_fields(20, 128, structure=field), gain=GAIN, limits=(0.1, 1.0))
    assert float(measured.spectrum.frequency[0]) >= 0.1
    assert {name.split("_")[0] for name in usual_families(0.1)} == {"even"}
    best = select_family(measured, s0=s0, n_starts=1)[0]
    assert (best.curve - tmv_curve(best.frequency)).abs().max() < 0.03
    free = select_family(measured, n_starts=1)[0]
    assert (free.curve - tmv_curve(free.frequency)).abs().max() < 0.1


def test_restricted_rings_are_those_above_the_limit():
    measured, _ = measure(**flat_fields(1, 64))
    above = restrict(measured.spectrum, 0.2)
    keep = measured.spectrum.frequency >= 0.2
    assert torch.equal(above.power, measured.spectrum.power[keep])
    assert float(above.ordinates.sum()) == float(measured.spectrum.ordinates[keep].sum())


def test_the_ring_of_ice_is_left_out_where_the_pixels_resolve_it():
    measured, _ = measure(**flat_fields(1, 64))
    spectrum = measured.spectrum
    without = without_ice_ring(spectrum, 0.8)
    gone = (spectrum.frequency > 0.176) & (spectrum.frequency < 0.248)  # 3.7 Å is 0.216
    assert len(without.frequency) == len(spectrum.frequency) - int(gone.sum())
    assert not ((without.frequency > 0.176) & (without.frequency < 0.248)).any()
    assert len(without_ice_ring(spectrum, 4.0).frequency) == len(spectrum.frequency)
