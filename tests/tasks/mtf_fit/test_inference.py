import pytest
import torch

from difftem.analysis.fisher import expected_maximum
from difftem.analysis.noise_spectrum import RingSpectrum
from difftem.metrics.mtf_error import BandCoverage, MTFError
from difftem.modules import LorentzianMTF
from difftem.tasks.mtf_fit import Measurement, fit_spectrum, measure
from difftem.tasks.mtf_fit.inference import infer, whiteness
from difftem.tasks.mtf_fit.model import NoiseSpectrum
from tests.helpers.flat_fields import FITTED, GAIN, flat_fields, off_start, tmv_curve


def fit(batch, known, **options):
    measured, s0 = measure(batch["images"], batch["means"], GAIN if known else None)
    return fit_spectrum(measured, off_start(), s0, **options)


def bound(result, known):
    """Cramér-Rao bound at the truth, as a mean maximum error."""
    truth = NoiseSpectrum(LorentzianMTF(learnable=FITTED), 20.0, learnable=("s0",) * (not known))
    at_truth = infer(truth, Measurement(result.spectrum, result.n_crops), "truth")
    return float(expected_maximum(at_truth.cramer_rao))


# Targets of the project for the TMV set, 256² pixels.
@pytest.mark.parametrize(
    ("n", "known", "seeds", "target"),
    [(5, True, 8, 0.010), (5, False, 8, 0.025), (50, True, 2, 0.005), (50, False, 2, 0.010)],
)
def test_whittle_reaches_its_target_and_twice_the_cramer_rao_bound(n, known, seeds, target):
    error = MTFError()
    for seed in range(seeds):
        result = fit(flat_fields(n, 256, seed), known, n_starts=2)
        error.update(result.curve, tmv_curve(result.frequency))
    assert error.compute()["max"] <= target
    assert error.compute()["max"] <= 2 * bound(result, known)
    assert len(result.frequency) >= 51
    assert result.curve[0] == 1


def test_bands_cover_the_truth_as_often_as_they_say():
    for known in (True, False):
        coverage, white = BandCoverage(), []
        for seed in range(30):
            result = fit(flat_fields(8, 128, seed), known, n_starts=1)
            coverage.update(*result.band(), tmv_curve(result.frequency))
            white.append(result.whiteness.p_value)
        assert 0.85 <= coverage.compute() <= 1.0
        # Uniform in [0, 1] if the model is true.
        assert torch.tensor(white).mean().item() == pytest.approx(0.5, abs=0.16)


def test_errors_of_parameters_are_those_of_repeated_fits():
    levels, errors = [], []
    for seed in range(20):
        batch = flat_fields(8, 128, 100 + seed)
        measured, _ = measure(**batch)
        result = fit_spectrum(measured, LorentzianMTF(learnable=("alpha",)), n_starts=1)
        assert result.names == ("alpha", "s0") or result.names == ("s0", "alpha")
        levels.append(torch.cat([result.values, torch.tensor([result.s0])]))
        errors.append(result.standard_errors)
    levels, errors = torch.stack(levels), torch.stack(errors)
    ratio = levels[:, :2].std(0) / errors.mean(0)
    torch.testing.assert_close(ratio, torch.ones(2).double(), rtol=0.4, atol=0)


def test_observed_information_agrees_with_finite_differences_of_the_likelihood():
    measured, s0 = measure(**flat_fields(8, 64))
    result = fit_spectrum(measured, LorentzianMTF(learnable=("c",)), 20.0, n_starts=1)

    def likelihood(c):
        model = NoiseSpectrum(LorentzianMTF(c=c), 20.0)
        return infer(model, measured, "").log_likelihood

    top, step = float(result.values), 1e-3
    values = [likelihood(top + k * step) for k in (-1, 0, 1)]
    curvature = -(values[0] - 2 * values[1] + values[2]) / step**2
    assert result.standard_errors.item() == pytest.approx(curvature**-0.5, rel=1e-3)
    assert values[1] >= max(values)
    assert result.aic == pytest.approx(2 - 2 * values[1])
    assert s0 is None


def test_white_spectrum_has_a_chi_square_statistic(generator):
    nu = torch.full((3000,), 2.0).double()
    q = torch.linspace(0.01, 0.5, 3000).double()
    totals = []
    for _ in range(300):
        power = torch._standard_gamma(nu, generator=generator) / nu
        test = whiteness(RingSpectrum(q, power, nu), torch.ones(3000).double())
        totals.append(test.total)
    totals = torch.tensor(totals)
    assert test.degrees == 100
    assert totals.mean().item() == pytest.approx(100, abs=3)
    assert totals.var().item() == pytest.approx(200, rel=0.3)


def test_weight_at_its_bound_has_an_error_and_a_warning():
    # Without the narrow Lorentzian, its width cannot be known.
    batch = flat_fields(8, 128, mtf=LorentzianMTF(0.8, 0.0, 0.2, 10.0))
    result = fit_spectrum(measure(**batch)[0], off_start(), 20.0, n_starts=2)
    truth = LorentzianMTF(0.8, 0.0, 0.2, 10.0)(result.frequency)
    assert (result.curve - truth).abs().max() < 0.02
    assert result.standard_error.isfinite().all()
    assert any("at its bound 0" in w or "do not determine" in w for w in result.warnings)


def test_nothing_to_learn_gives_a_test_of_a_known_curve():
    measured, s0 = measure(**flat_fields(8, 128), gain=GAIN)
    result = fit_spectrum(measured, LorentzianMTF(), s0)
    assert result.n_parameters == 0
    assert result.whiteness.p_value > 1e-3
    wrong = fit_spectrum(measured, LorentzianMTF(c=0.2), s0)
    assert wrong.whiteness.p_value < 1e-6
