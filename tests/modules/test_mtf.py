import numpy as np
import pytest
import torch

from difftem.modules import (
    GaussLorentzSincMTF,
    IdealMTF,
    LogSplineMTF,
    LorentzianMTF,
    RullgardMTF,
    TabulatedMTF,
)
from difftem.modules.preset_mtf import mtf_from_preset
from difftem.presets import detector_preset, detector_presets

FAMILIES = {
    "ideal": (IdealMTF, ()),
    "lorentzian": (LorentzianMTF, LorentzianMTF.names),
    "rullgard": (lambda **k: RullgardMTF(p=1.5, q=0.7, **k), RullgardMTF.names),
    "gauss": (GaussLorentzSincMTF, GaussLorentzSincMTF.names),
    "spline": (lambda **k: LogSplineMTF([-0.2, -0.9, -1.6, -2.0], **k), ("log_values",)),
    "even_spline": (
        lambda **k: LogSplineMTF([-0.2, -0.9, -1.6, -2.0], even=True, **k),
        ("log_values",),
    ),
    "table": (lambda **k: TabulatedMTF([0.0, 0.2, 0.5], [2.0, 1.0, 0.4], **k), ("curve",)),
}


@pytest.mark.parametrize("family", FAMILIES)
def test_mtf_is_one_at_zero_frequency_and_real_on_the_half_grid(family):
    mtf = FAMILIES[family][0]()
    for dtype in (torch.float32, torch.float64):
        transfer = mtf.transfer((10, 13), torch.zeros((), dtype=dtype))
        assert transfer.shape == (10, 7)
        assert transfer.dtype == dtype
        assert transfer[0, 0].item() == pytest.approx(1, abs=1e-6)
        # Radial and even in y.
        torch.testing.assert_close(transfer[1:5, 1:], transfer[-4:, 1:].flip(0))


@pytest.mark.parametrize("family", [f for f in FAMILIES if f != "ideal"])
def test_mtf_stays_one_at_zero_frequency_while_it_is_learned(family):
    make, names = FAMILIES[family]
    mtf = make(learnable=names)
    optimiser = torch.optim.Adam(mtf.parameters(), lr=0.3)
    q = torch.linspace(0, 0.7, 40)
    start = mtf(q).detach()
    for _ in range(5):
        optimiser.zero_grad()
        (mtf(q) - 0.2).pow(2).sum().backward()
        optimiser.step()
    end = mtf(q).detach()
    assert end[0].item() == pytest.approx(1, abs=1e-5)
    assert (end - start).abs().max() > 0.02
    assert end.isfinite().all()


@pytest.mark.parametrize("name", list(LorentzianMTF.names))
def test_weights_and_widths_stay_positive_after_huge_steps(name):
    mtf = LorentzianMTF(learnable=(name,))
    optimiser = torch.optim.SGD(mtf.parameters(), lr=50.0)
    for _ in range(2):
        optimiser.zero_grad()
        torch.log(getattr(mtf, name)).backward()
        optimiser.step()
    assert 0 < getattr(mtf, name) < 1e-30


def test_signed_weights_may_cross_zero():
    mtf = LorentzianMTF(signed=True, learnable=("b",))
    torch.optim.SGD(mtf.parameters(), lr=1.0)
    with torch.no_grad():
        mtf.b -= 0.3
    assert mtf.b < 0
    assert mtf(torch.zeros(1)).item() == pytest.approx(1)


@pytest.mark.parametrize("name", detector_presets())
def test_preset_has_the_curve_of_its_parameters(name):
    preset = detector_preset(name)
    mtf = mtf_from_preset(preset).double()
    w = np.linspace(0, 0.5, 26)
    got = mtf(torch.as_tensor(w)).numpy()
    p = preset["mtf"]["parameters"]
    if preset["mtf"]["family"] == "rullgard":

        def f(alpha, power):
            y = (1 + alpha * w**2) ** -power
            return 2**power * y / (2 + (2**power - 2) * y)

        total = p["a"] + p["b"] + p["c"]
        expected = (p["a"] * f(p["alpha"], p["p"]) + p["b"] * f(p["beta"], p["r"]) + p["c"]) / total
    else:
        interpolate = pytest.importorskip("scipy.interpolate")
        knots = np.linspace(0, 0.5, len(p["log_mtf"]))
        expected = np.exp(interpolate.CubicSpline(knots, p["log_mtf"], bc_type="natural")(w))
    np.testing.assert_allclose(got, expected, rtol=2e-6)


def test_unknown_family_of_a_preset_is_named():
    with pytest.raises(ValueError, match="unknown MTF family 'sinc'"):
        mtf_from_preset({"mtf": {"family": "sinc", "parameters": {}}})


def test_weight_outside_its_interval_is_refused():
    with pytest.raises(ValueError, match="weight must be between 0 and 1"):
        GaussLorentzSincMTF(weight=1.5)
    with pytest.raises(ValueError, match=r"fraction must be in \(0, 1\)"):
        GaussLorentzSincMTF(weight=1.0, learnable=("weight",))
    with pytest.raises(ValueError, match="positive quantity must be > 0"):
        LorentzianMTF(b=0.0, learnable=("b",))


def test_an_even_spline_through_a_gaussian_is_that_gaussian():
    knots = torch.linspace(0, 1, 6, dtype=torch.float64)[1:] * 0.5**2
    curve = LogSplineMTF(-3.0 * knots, even=True)
    frequency = torch.linspace(0, 0.7, 71, dtype=torch.float64)
    torch.testing.assert_close(curve(frequency), torch.exp(-3.0 * frequency**2))
