"""Incoherent sums of the lens over focus and source."""

import pytest
import torch

from difftem.modules import Lens
from tests.helpers.beam import beam_of
from tests.helpers.specimen import pixel_axes, relative_rms

ENERGY = torch.tensor(200e3, dtype=torch.float64)
BEAM = beam_of(ENERGY)
PIXEL = 0.5


def dot(shape, strength, width):
    """Phase object: one smooth bump of that width in the centre, on pixels of 0.5."""
    y, x = pixel_axes(shape, PIXEL)
    return torch.exp(1j * strength * torch.exp(-(y[:, None] ** 2 + x**2) / (2 * width**2)))


def dense_sum(wave, given, semiangle, tilt=0.0):
    """Intensities of a grid of beam directions, half a standard deviation apart, out to 4.5."""
    steps = torch.arange(-9, 10, dtype=torch.float64) / 2
    weight = torch.exp(-(steps**2) / 2)
    weight = (weight[:, None] * weight).flatten() / weight.sum() ** 2
    directions = torch.cartesian_prod(steps, steps) * semiangle + tilt
    images = Lens(**given).double().intensity(wave, beam_of(ENERGY, directions))
    return (weight[:, None, None] * images).sum(0)


@pytest.mark.parametrize("tilted", [False, True])
def test_the_sum_over_a_large_source_takes_the_nodes_it_needs(tilted):
    # 0.1 mrad and 1.5 µm: the phase between directions of one standard deviation is 3 rad.
    tilt = torch.tensor([0.3e-3, -0.2e-3], dtype=torch.float64) if tilted else None
    wave = dot((48, 48), 0.3, 0.3)
    given = {"pixel_size": 1.0, "defocus_um": 1.5, "cs_mm": 2.7, "cc_mm": 0.0}
    given |= {"aperture_mrad": 8.0}
    truth = dense_sum(wave, given, 1e-4, 0.0 if tilt is None else tilt)
    given |= {"source_semiangle_mrad": 0.1, "coherence": "sum", "n_focus": 1}
    three, chosen = (
        Lens(**given, n_source=n).double().intensity(wave, beam_of(ENERGY, tilt)) for n in (3, None)
    )
    assert relative_rms(three - 1, truth - 1) > 0.2
    assert relative_rms(chosen - 1, truth - 1) < 6e-3


def test_nodes_follow_focus_spread_source_and_what_the_wave_has():
    wave = dot((32, 32), 0.3, 0.8)
    given = {"pixel_size": 0.5, "defocus_um": 0.5, "coherence": "sum", "energy_spread_ev": 1.0}

    def counts(wave=wave, **options):
        one = Lens(**given | options).double()
        return one._nodes(torch.fft.fft2(wave), beam_of(3e5), 0.0)

    assert counts()[1] == 1  # a point source
    assert counts(cc_mm=5.0)[0] > counts(cc_mm=0.1)[0] == 6
    small, large = (counts(source_semiangle_mrad=a)[1] for a in (0.01, 0.1))
    assert small == 6 < large
    assert counts(source_semiangle_mrad=0.1, aperture_mrad=2.0)[1] < large
    assert counts(dot((32, 32), 0.3, 2.5), source_semiangle_mrad=0.1)[1] < large  # a smooth wave
    assert counts(torch.ones(8, 8, dtype=torch.complex128), source_semiangle_mrad=0.1) == (5, 5)
    assert counts(n_focus=2, n_source=3, source_semiangle_mrad=0.1) == (2, 3)
    with pytest.raises(
        ValueError, match=r"needs \d+ nodes .* at most 64 .*; give n_source, an apert"
    ):
        counts(source_semiangle_mrad=1.0)


@pytest.mark.parametrize(("peak", "expected"), [(0.01, 0.001), (1.0, 0.032), (3.0, 0.084)])
def test_the_envelope_errs_on_strong_objects_as_the_docs_say(peak, expected):
    # A bump of that phase in rad, 0.1 mrad at 1.5 µm: see docs/explanation/physics.md.
    given = {"pixel_size": 1.0, "defocus_um": 1.5, "cs_mm": 2.7, "cc_mm": 0.0}
    given |= {"source_semiangle_mrad": 0.1, "aperture_mrad": 12.0, "n_focus": 1}
    wave = dot((48, 48), peak, 0.5)
    envelope, explicit = (
        Lens(**given, coherence=kind).double().intensity(wave, BEAM) for kind in ("envelope", "sum")
    )
    error = relative_rms(envelope - 1, explicit - 1)
    assert error == pytest.approx(expected, rel=0.1, abs=5e-4)
