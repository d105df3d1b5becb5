import pytest
import torch

from difftem.modules import IdealMTF, LorentzianMTF
from difftem.tasks.mtf_fit import MTFFit, fit_spectrum, make_report, measure, select_family
from difftem.tasks.mtf_fit.figure import draw_fit
from difftem.tasks.mtf_fit.held_out import held_out_metrics
from difftem.tasks.mtf_fit.report import curve_table, parameter_table
from tests.helpers.flat_fields import FITTED, GAIN, flat_fields, off_start, tmv_curve


@pytest.fixture(scope="module")
def fitted():
    measured, s0 = measure(**flat_fields(6, 128), gain=GAIN)
    return fit_spectrum(measured, off_start(), s0), measured, s0


def test_report_has_curve_parameters_test_families_and_warnings(fitted):
    result, measured, s0 = fitted
    others = select_family(measured, ["lorentzian", "gauss_lorentz_sinc"], s0, n_starts=1)
    truth = tmv_curve(result.frequency)
    report = make_report([result, *others], truth, ["a.mrc: nothing special"], "A camera")
    for part in ("# A camera", "## Curve", "## Parameters", "gauss_lorentz_sinc", "χ²", "a.mrc"):
        assert part in report.text
    error = (result.curve - truth).abs()
    assert report.metrics["fit/max_error"] == pytest.approx(float(error.max()))
    assert 0 <= report.metrics["fit/coverage"] <= 1
    assert report.metrics["fit/expected_max_error"] < 0.05
    table = report.tables["mtf_curve"]
    assert table.columns[-1] == "truth"
    assert len(table.rows) == 101
    assert table.rows[50][:2] == [pytest.approx(0.25), pytest.approx(float(result.curve[50]))]
    left, middle, right = report.figures["mtf"].axes
    assert "truth" in {line.get_label() for line in left.lines}
    assert left.lines[0].get_label() == "other families, worse by AIC"
    assert (middle.get_yscale(), right.get_xlabel()) == ("log", "frequency (cycles/pixel)")


def test_white_noise_is_drawn_from_zero():
    measured, s0 = measure(**flat_fields(4, 64, mtf=IdealMTF()), gain=GAIN)
    _, middle, _ = draw_fit(fit_spectrum(measured, off_start(), s0, n_starts=1)).axes
    assert (middle.get_yscale(), middle.get_ylim()[0]) == ("linear", 0)


def test_tables_show_values_with_their_errors(fitted):
    result, _, _ = fitted
    (row,) = (r for r in curve_table(result).rows if r[0] == "0.3")
    assert float(row[1]) == pytest.approx(float(result.curve[60]), abs=1e-4)
    assert float(row[2]) == pytest.approx(float(result.standard_error[60]), abs=1e-4)
    names = [r[0] for r in parameter_table(result).rows]
    assert names == [*FITTED, "s0 (grey values²)", "read noise (grey values)"]
    assert parameter_table(result).rows[-2][2] == "given"


def test_a_fit_holds_for_other_crops_of_its_detector_and_not_for_those_of_another(fitted):
    task = MTFFit(off_start(), gain=GAIN)
    _, _, s0 = fitted
    task.model.s0.copy_(torch.tensor(s0))
    task.model.mtf = LorentzianMTF(learnable=FITTED).double()
    task.tested.add(*flat_fields(6, 128, seed=1, rate=9.0).values(), 0)
    same = held_out_metrics(task.model, task.tested, GAIN)
    assert same["test/p_value"] > 1e-3
    assert same["test/chi_square_per_degree"] == pytest.approx(1, abs=0.5)
    other = LorentzianMTF(0.5, 0.4, 0.1)
    task.tested.clear()
    task.tested.add(*flat_fields(6, 128, seed=1, mtf=other).values(), 0)
    wrong = held_out_metrics(task.model, task.tested, GAIN)
    assert wrong["test/p_value"] < 1e-6
