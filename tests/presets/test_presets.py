import numpy as np
import pytest
import yaml

from difftem.presets import detector_preset, detector_presets

PUBLISHED = {
    "de20_300kv": "mtf_de20_300kV.star",
    "falcon3ec_300kv": "mtf_falcon3EC_300kV.star",
    "falcon4ec_300kv": "mtf_falcon4EC_300kV.star",
    "k2_300kv": "mtf_k2_300kV.star",
    "k3_300kv": "mtf_k3_standard_300kV_FL2.star",
}
EXACT = ["ideal", "tem_simulator_ccd"]


def natural_cubic_spline(knots, values, x):
    """Solve for the second derivatives at equispaced knots, zero at both ends, and evaluate."""
    h = knots[1] - knots[0]
    system = np.eye(len(knots))
    right = np.zeros(len(knots))
    for i in range(1, len(knots) - 1):
        system[i, i - 1 : i + 2] = 1, 4, 1
        right[i] = 6 * (values[i - 1] - 2 * values[i] + values[i + 1]) / h**2
    bend = np.linalg.solve(system, right)
    i = np.clip(((x - knots[0]) / h).astype(int), 0, len(knots) - 2)
    v = (x - knots[i]) / h
    u = 1 - v
    line = u * values[i] + v * values[i + 1]
    return line + h**2 / 6 * ((u**3 - u) * bend[i] + (v**3 - v) * bend[i + 1])


def bell(width, power, q):
    y = 1 + width * q**2
    return 2**power * y**-power / (2 + (2**power - 2) * y**-power)


def evaluate(mtf, q):
    parameters = mtf["parameters"]
    if mtf["family"] == "log_spline":
        values = np.array(parameters["log_mtf"])
        return np.exp(natural_cubic_spline(np.linspace(0, 0.5, len(values)), values, q))
    a, b, c, alpha, p, beta, r = (
        parameters[name] for name in ("a", "b", "c", "alpha", "p", "beta", "r")
    )
    return (a * bell(alpha, p, q) + b * bell(beta, r, q) + c) / (a + b + c)


def read_star(path):
    rows = [line.split() for line in path.read_text().splitlines()]
    curve = np.array([row for row in rows if len(row) == 2 and row[0][0].isdigit()], dtype=float)
    return curve[curve[:, 0] <= 0.5].T


def test_the_seven_detectors_are_there():
    assert detector_presets() == sorted([*PUBLISHED, *EXACT])


def test_an_unknown_name_is_refused_with_the_known_ones():
    with pytest.raises(ValueError, match=r"k2_300kv.*got 'k2'"):
        detector_preset("k2")


@pytest.mark.parametrize("name", detector_presets())
def test_a_preset_is_complete_and_in_range(name):
    preset = detector_preset(name)
    assert preset.keys() == {
        "description", "mtf", "ntf", "ntf_source",
        "dqe", "dqe_assumed", "dqe_source", "gain", "read_noise",
    }  # fmt: skip
    assert preset["mtf"].keys() == {"family", "parameters", "max_error", "rms_error", "source"}
    assert preset["ntf"] in ("ideal", "mtf") and preset["ntf_source"]
    assert preset["description"] and preset["dqe_source"] and preset["mtf"]["source"]
    assert 0 < preset["dqe"] <= 1
    assert preset["gain"] > 0
    assert preset["read_noise"] >= 0


@pytest.mark.parametrize("name", detector_presets())
def test_the_mtf_starts_at_one_and_stays_between_zero_and_one(name):
    mtf = evaluate(detector_preset(name)["mtf"], np.linspace(0, 0.5, 501))
    assert mtf[0] == pytest.approx(1, abs=1e-12)
    assert np.all((mtf > 0) & (mtf <= 1 + 1e-12))
    assert np.all(np.diff(mtf) < 2e-3)  # falls, up to the wiggles of a measured curve


@pytest.mark.parametrize("name", PUBLISHED)
def test_the_mtf_is_as_close_to_the_published_curve_as_it_says(name, shared_data):
    mtf = detector_preset(name)["mtf"]
    q, published = read_star(shared_data / "detectors" / PUBLISHED[name])
    error = evaluate(mtf, q) - published
    assert np.abs(error).max() <= mtf["max_error"] < 0.015
    assert np.sqrt(np.mean(error**2)) <= mtf["rms_error"] < 0.003


def test_the_ccd_of_tem_simulator_is_two_lorentzians():
    q = np.array([0.1, 0.3, 0.5])
    lorentzians = 0.7 / (1 + 10 * q**2) + 0.2 / (1 + 40 * q**2) + 0.1
    mtf = evaluate(detector_preset("tem_simulator_ccd")["mtf"], q)
    np.testing.assert_allclose(mtf, lorentzians, rtol=1e-14)


def test_a_preset_is_a_fresh_copy():
    detector_preset("ideal")["mtf"]["parameters"]["c"] = 0.0
    assert detector_preset("ideal")["mtf"]["parameters"]["c"] == 1.0
    assert yaml.safe_dump(detector_preset("ideal"))
