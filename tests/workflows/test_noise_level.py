"""Gain, dose and DQE(0) of `difftem.estimate_mtf`."""

import pytest
import torch

import difftem
from difftem.io.mrc import write_mrc
from difftem.modules import Detector, LorentzianMTF
from tests.helpers.flat_fields import tmv_curve

DOSE, DQE0, GAIN = 12.0, 0.7, 40.0


@pytest.fixture(scope="module")
def vacuum(tmp_path_factory):
    """Vacuum through a camera that counts seven electrons of ten."""
    generator = torch.Generator().manual_seed(3)
    detector = Detector(LorentzianMTF(), gain=GAIN, dqe0=DQE0)
    counts = torch.poisson(torch.full((640, 640), DOSE * DQE0), generator=generator)
    path = tmp_path_factory.mktemp("vacuum") / "vacuum.mrc"
    write_mrc(path, detector(counts).detach().numpy(), 1.0)
    return path


def pull(estimate, start=2):
    """Largest error in standard errors."""
    error = (estimate.curve - tmv_curve(estimate.frequency)).abs()
    return float((error / estimate.standard_error)[start:].max())


def test_dose_alone_fits_the_level_and_tells_dqe0(vacuum):
    estimate = difftem.estimate_mtf(vacuum, size=128, dose=DOSE, family="lorentzian")
    assert pull(estimate) < 4
    (line,) = [note for note in estimate.notes if note.startswith("DQE(0) = ")]
    value, error = (float(word) for word in line.split(":")[0].split(" = ")[1].split(" ± "))
    assert abs(value - DQE0) < 3 * error
    assert 0 < error < 0.05


def test_dose_with_dqe0_fixes_the_level_as_the_gain_of_counted_electrons_does(vacuum):
    known = difftem.estimate_mtf(vacuum, size=128, dose=DOSE, dqe0=DQE0, family="lorentzian")
    gain = difftem.estimate_mtf(vacuum, size=128, gain=GAIN, family="lorentzian")
    assert not any("DQE(0)" in note for note in known.notes)
    assert pull(known) < 4
    assert float((known.curve - gain.curve).abs().max()) < 2e-3
    free = difftem.estimate_mtf(vacuum, size=128, family="lorentzian")
    assert float(known.standard_error.mean()) < 0.6 * float(free.standard_error.mean())
    assert not any("has the level" in warning for warning in known.warnings)


def test_a_level_that_the_noise_contradicts_widens_the_band_and_is_said(vacuum):
    estimate = difftem.estimate_mtf(vacuum, size=128, dose=DOSE, dqe0=1.0, family="log_spline_7")
    assert pull(estimate) < 4
    assert any("the gain is that of counted electrons" in w for w in estimate.warnings)


def test_noise_gives_an_ntf_and_says_so_in_table_figure_and_file(vacuum, tmp_path):
    estimate = difftem.estimate_mtf(vacuum, size=128, gain=GAIN, family="lorentzian")
    assert estimate.kind == "NTF"
    assert estimate.table.columns[1] == "ntf"
    assert "| NTF" in estimate.summary
    assert estimate.report.startswith("# NTF of vacuum.mrc, from noise")
    assert estimate.figures["png"].axes[0].get_ylabel() == "NTF (of the noise)"
    star = estimate.save(tmp_path / "a.star")[0].read_text("utf-8")
    assert star.startswith("# NTF: noise transfer function")
    assert "_rlnMtfValue" in star
