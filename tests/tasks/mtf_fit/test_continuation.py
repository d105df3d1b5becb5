from dataclasses import replace

import pytest
import torch

from difftem.analysis.noise_spectrum import collapse_rings
from difftem.io.mtf_curve import mtf_by_name
from difftem.tasks.mtf_fit import Measurement, fit_spectrum, mtf_family

CAMERAS = ("k2_300kv", "k3_300kv", "falcon3ec_300kv", "falcon4ec_300kv", "de20_300kv")


def fit(camera, start, s0=None):
    """Fit the exact spectrum of a camera, from a frequency on, with an even spline."""
    curve = mtf_by_name(camera).double()
    rings = collapse_rings(torch.ones(128, 65).double(), (128, 128), 200, limits=(start, 0.5))
    with torch.no_grad():
        measured = Measurement(replace(rings, power=curve(rings.frequency) ** 2), 200)
    family = "even_spline_9" if s0 is None else "log_spline_9"
    result = fit_spectrum(measured, mtf_family(family, 0.5), s0, 0.0, 1)
    with torch.no_grad():
        return result, curve(result.frequency)


@pytest.mark.parametrize("camera", CAMERAS)
def test_the_band_holds_published_cameras_whose_low_frequencies_were_left_out(camera):
    result, truth = fit(camera, 0.1)
    lower, upper = result.band()
    assert bool(((lower <= truth) & (truth <= upper)).all())
    # Not by being useless: a factor, the same at all frequencies that were fitted.
    ratio = result.standard_error[25:] / result.curve[25:]
    assert float(ratio.max()) < 0.09
    assert any("the scale of the whole curve hangs on them" in w for w in result.warnings)
    assert result.s0_error / result.s0 == pytest.approx(0.15, abs=0.01)


@pytest.mark.parametrize("camera", CAMERAS)
def test_a_known_level_leaves_only_what_lies_below_open(camera):
    result, truth = fit(camera, 0.1, s0=1.0)
    lower, upper = result.band()
    # Without noise, what a spline of nine knots cannot follow shows.
    assert bool(((lower - 0.002 <= truth) & (truth <= upper + 0.002)).all())
    assert float(result.standard_error[25:].max()) < 0.01
    assert 0.02 < float(result.standard_error[8]) < 0.07
    assert result.s0_error == 0


def test_a_fit_from_zero_is_left_alone():
    result, _ = fit("k3_300kv", 0.0)
    assert float(result.standard_error.max()) < 0.01
    assert not any("not measured" in w for w in result.warnings)
