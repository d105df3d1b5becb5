import math

import pytest
import torch

from difftem.functional.coherence import focal_spread, spatial_envelope, temporal_envelope
from difftem.functional.grid import frequency_grid
from difftem.functional.illumination import illumination_ensemble
from difftem.functional.lens import aberration_gradient, aberration_phase

LAM = torch.tensor(0.0196874890, dtype=torch.float64)  # 300 kV


def scalar(value):
    return torch.tensor(value, dtype=torch.float64)


def test_focal_spread_of_a_300_kv_microscope():
    # By hand: 2.7 mm x 0.7 eV / E*, E* = 300 keV (1 + E/2m0c²)/(1 + E/m0c²) = 244.54 keV
    e0 = 510998.95
    effective = 300e3 * (1 + 300e3 / e0 / 2) / (1 + 300e3 / e0)
    got = focal_spread(scalar(300e3), scalar(2.7e7), scalar(0.7), scalar(0.0), scalar(0.0))
    assert got.item() == pytest.approx(2.7e7 * 0.7 / effective, rel=1e-9)
    assert got.item() == pytest.approx(77.3, abs=0.3)
    # An energy spread and a ripple of the high tension that mean the same energies.
    ripple = focal_spread(scalar(300e3), scalar(2.7e7), scalar(0.0), scalar(0.0), scalar(0.7 / 3e5))
    assert ripple.item() == pytest.approx(got.item(), rel=1e-9)
    current = focal_spread(scalar(3e5), scalar(2.7e7), scalar(0.0), scalar(1e-6), scalar(0.0))
    assert current.item() == pytest.approx(2.7e7 * 2e-6, rel=1e-9)


def test_focal_spread_is_how_the_focus_moves_with_the_wavelength():
    # f ~ p² for a magnetic lens (round lens, nonrelativistic limit of E* is E): dC10 = Cc dE/E*.
    # E* = p² / (d p²/dE): p² ~ E (E + 2 m0c²).
    energy = scalar(200e3).requires_grad_()
    p2 = energy * (energy + 2 * 510998.95)
    (slope,) = torch.autograd.grad(p2, energy)
    got = focal_spread(energy.detach(), scalar(1e7), scalar(1.0), scalar(0.0), scalar(0.0))
    assert got.item() == pytest.approx((1e7 * slope / p2 / 1).item(), rel=1e-8)


def test_focal_spread_of_a_monochromatic_beam_has_finite_gradients():
    inputs = [scalar(v).requires_grad_() for v in (300e3, 2.7e7, 0.0, 0.0, 0.0)]
    spread = focal_spread(*inputs)
    spread.backward()
    assert spread < 1e-6
    assert all(each.grad.isfinite() for each in inputs)


def test_temporal_envelope_is_the_average_over_a_gaussian_of_defocus():
    qy, qx = frequency_grid((10, 12), 1.1)
    spread = scalar(90.0)
    focus = torch.linspace(-8, 8, 4001, dtype=torch.float64) * 90
    weight = torch.exp(-(focus**2) / (2 * 90**2))
    weight = weight / weight.sum()
    q2 = qx**2 + qy**2
    waves = torch.exp(1j * math.pi * LAM * focus[:, None, None] * q2)
    average = (weight[:, None, None] * waves).sum(0)
    envelope = temporal_envelope(q2, LAM, spread)
    assert envelope.min() < 0.9
    assert (average - envelope).abs().max() < 1e-9


def test_spatial_envelope_is_the_average_over_a_gaussian_source_to_first_order():
    # <exp(-i [χ(q + u) - χ(u)])> over the angles u of a source, per axis α/λ.
    qy, qx = frequency_grid((8, 9), 1.3)
    coefficients = {"C10": scalar(-15000.0), "C30": scalar(2.7e7), "C12a": scalar(500.0)}
    semiangle = scalar(2e-5)
    average = 0.0
    for weight, _, direction in illumination_ensemble(scalar(0.0), semiangle, 1, 24):
        x, y = direction / LAM
        average = average + weight * torch.exp(
            -1j * aberration_phase(qy + y, qx + x, LAM, coefficients)
        )
    average = average * torch.exp(1j * aberration_phase(qy, qx, LAM, coefficients))
    gradient = aberration_gradient(qy, qx, LAM, coefficients)
    envelope = spatial_envelope(gradient, LAM, semiangle)
    assert envelope.min() < 0.9
    # What is left is the curvature of χ, second order in α: 2πλΔf (α/λ)² = 2e-3.
    second_order = 2 * math.pi * LAM * 15000 * (semiangle / LAM) ** 2
    assert (average - envelope).abs().max() < 1.1 * second_order < 2.2e-3
