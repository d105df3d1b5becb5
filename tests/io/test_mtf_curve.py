import pytest
import torch

from difftem.io.mtf_curve import mtf_by_name
from difftem.io.star import write_mtf_star
from difftem.modules.detector import Detector

FREQUENCY = torch.linspace(0, 0.5, 6, dtype=torch.float64)


def test_a_preset_is_the_detectors_curve():
    expected = Detector.from_preset("k3_300kv").mtf(FREQUENCY)
    torch.testing.assert_close(mtf_by_name("k3_300kv")(FREQUENCY), expected)


def test_a_family_takes_its_parameters():
    curve = mtf_by_name("lorentzian", {"a": 1, "b": 0, "c": 0, "alpha": 12.0})(FREQUENCY)
    torch.testing.assert_close(curve, 1 / (1 + 12 * FREQUENCY**2), rtol=1e-6, atol=1e-6)
    spline = mtf_by_name("log_spline", {"log_values": [-1.0, -2.0]})(FREQUENCY)
    torch.testing.assert_close(spline, torch.exp(-4 * FREQUENCY), rtol=1e-6, atol=1e-6)


def test_a_star_file_is_interpolated(tmp_path):
    write_mtf_star(tmp_path / "mtf.star", FREQUENCY, 1 - FREQUENCY)
    curve = mtf_by_name(str(tmp_path / "mtf.star"))(FREQUENCY + 0.05)
    torch.testing.assert_close(curve[:-1], 0.95 - FREQUENCY[:-1], rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize(
    ("name", "parameters", "message"),
    [
        (
            "k9",
            None,
            "mtf must be a .star or .csv file, one of ideal, .*k3_300kv.*, got 'k9'",
        ),
        ("k3_300kv", {"a": 1.0}, "mtf_parameters belong to a family, got them with 'k3_300kv'"),
        ("lorentzian", {"d": 1.0}, "MTF family 'lorentzian': .*unexpected keyword argument 'd'"),
        ("log_spline", None, "needs log_values"),
        ("none.star", None, "none.star: no such file"),
    ],
)
def test_what_is_no_curve_is_refused(name, parameters, message):
    with pytest.raises(ValueError, match=message):
        mtf_by_name(name, parameters)
