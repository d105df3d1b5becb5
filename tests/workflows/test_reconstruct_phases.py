"""Phases flipped before a reconstruction: a simulated series agrees better with what it shows."""

import pytest
import torch

import difftem
from difftem.functional.fourier_shell import shell_correlation
from difftem.io.mrc import write_mrc, write_rawtlt
from difftem.io.star import star_text
from difftem.modules import Beam, Detector, Dose, Lens, Multislice, Potential, Simulator, Stage
from tests.helpers.specimen import quantities, random_atoms

TILTS = torch.arange(-60.0, 61.0, 6.0)
SIDE, THICK, PIXEL = 64, 20, 3.0
OPTICS = {"defocus_um": 2.0, "voltage_kv": 300.0, "cs_mm": 2.7, "amplitude_contrast": 0.0}


@pytest.fixture(scope="module")
def series(tmp_path_factory):
    """Noisy images of a cloud of atoms at 2 µm, written, and the cloud's potential."""
    atoms = random_atoms(300, (130.0, 130.0, 40.0), (8,), (60.0, 60.0), seed=2)
    lens = quantities(defocus_um=2.0, cs_mm=2.7, cc_mm=0.0, energy_spread_ev=0.0)
    simulator = Simulator(
        Potential(atoms, (SIDE, SIDE), PIXEL, 8, 20.0, interpolate_z=True),
        Multislice(PIXEL, 20.0),
        Lens(PIXEL, **lens),
        Dose(1.0, PIXEL),
        Detector(),
        beam=Beam(300.0),
        stage=Stage(TILTS),
    )
    with torch.no_grad():
        images = simulator.intensity().reshape(-1, SIDE, SIDE).float()
        truth = Potential(atoms, (SIDE, SIDE), PIXEL, THICK, PIXEL)().reshape(-1, SIDE, SIDE)
    noise = torch.randn(images.shape, generator=torch.Generator().manual_seed(0))
    images = images + images.std() * noise
    folder = tmp_path_factory.mktemp("phases")
    write_mrc(folder / "s.mrc", images.numpy(), PIXEL)
    write_rawtlt(folder / "s.rawtlt", TILTS)
    return folder / "s.mrc", truth.float()


def agreement(volume, truth):
    """Mean correlation from the first zero, at 0.05 / Å, to the end of the simulated band."""
    shells = shell_correlation(volume, truth, PIXEL)
    beyond = (shells.frequency > 0.055) & (shells.frequency < 0.1)
    return float(shells.correlation[beyond].mean())


def test_flipped_phases_agree_with_the_truth_beyond_the_first_zero(series):
    path, truth = series
    given = {"tilt_axis_deg": 90.0, "thickness": THICK, "method": "wbp", "cutoff": 0.5}
    plain = difftem.reconstruct(path, **given)
    right = difftem.reconstruct(path, **given, flip_phases=True, **OPTICS)
    wrong = difftem.reconstruct(path, **given, flip_phases=True, **{**OPTICS, "defocus_um": 1.3})
    found = [agreement(each.volume, truth) for each in (plain, right, wrong)]
    assert found[1] > 0.3
    assert found[0] < 0.1
    assert found[2] < found[1] - 0.15
    assert any("phases flipped in up to" in line for line in right.messages)


def test_defocus_and_lens_of_relions_file_give_the_same(series):
    path, _ = series
    n = len(TILTS)
    rows = {
        "rlnMicrographName": [f"{i + 1}@{path.name}" for i in range(n)],
        "rlnTomoXTilt": ["0"] * n,
        "rlnTomoYTilt": [str(float(each)) for each in TILTS],
        "rlnTomoZRot": ["0"] * n,
        "rlnDefocusU": ["20000"] * n,
        "rlnDefocusV": ["20000"] * n,
        "rlnDefocusAngle": ["0"] * n,
    }
    tomogram = {
        "rlnTomoName": ["TS"],
        "rlnTomoTiltSeriesStarFile": ["TS.star"],
        "rlnVoltage": ["300"],
        "rlnSphericalAberration": ["2.7"],
        "rlnAmplitudeContrast": ["0"],
        "rlnTomoTiltSeriesPixelSize": [str(PIXEL)],
    }
    (path.parent / "TS.star").write_text(star_text({"TS": rows}))
    (path.parent / "tomograms.star").write_text(star_text({"global": tomogram}))
    given = {"thickness": THICK, "method": "wbp", "flip_phases": True}
    told = difftem.reconstruct(path, tilt_axis_deg=90.0, **given, **OPTICS)
    read = difftem.reconstruct(path.parent / "tomograms.star", **given)
    assert torch.allclose(read.volume, told.volume, atol=1e-4 * float(told.volume.abs().max()))
    again = difftem.reconstruct(path.parent, **given, defocus_um=3.0)  # the user goes before
    assert not torch.allclose(again.volume, told.volume, atol=1e-2 * float(told.volume.abs().max()))
    with pytest.raises(ValueError, match="RELION's file says how the axis runs: leave --tilt-axis"):
        difftem.reconstruct(path.parent, tilt_axis_deg=90.0)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"flip_phases": True}, "no file says the voltage, and phases need it"),
        ({"flip_phases": True, "voltage_kv": 300}, "no file says the spherical aberration"),
        ({"flip_phases": True, "voltage_kv": 300, "cs_mm": 2.7}, "no file says the defocus"),
        ({"flip_phases": True, **OPTICS, "defocus_um": 2e4}, "at most 100 µm, got 20000: is it"),
        ({"flip_phases": True, **OPTICS, "contrast": "bright"}, "is for images in bright field"),
        ({"defocus_um": 2.0}, "defocus_um is for flip_phases"),
        ({"flip_phases": True, **OPTICS, "voltage_kv": 3e5}, "voltage_kv must be 1 to 3000 kV"),
    ],
)
def test_what_is_missing_for_phases_is_named(series, given, message):
    with pytest.raises(ValueError, match=message):
        difftem.reconstruct(series[0], tilt_axis_deg=90.0, thickness=4, **given)
