import math

import pytest
import torch

from difftem.atoms import Atoms
from difftem.modules import Stage
from difftem.simulation.advice import band_advice, sampling_advice
from difftem.simulation.config import MicroscopeConfig, SamplingConfig
from difftem.simulation.sampling import choose_sampling
from difftem.simulation.simulate_config import AtomSamplingConfig, SimulateConfig


def advice(pixel_size, b_factor, element=78, band="full"):
    atoms = Atoms(
        torch.randn(50, 3), torch.full((50,), element), torch.full((50,), b_factor), torch.ones(50)
    )
    sampling = AtomSamplingConfig(size=(256, 256), pixel_size=pixel_size, band=band)
    config = SimulateConfig(sampling=sampling)
    sampling = choose_sampling(atoms, config, Stage())
    lines = sampling_advice(atoms, config, sampling, 0.0197)
    return [line for line in lines if "heavy atoms" in line]


@pytest.mark.parametrize("b_factor", [0.0, 0.3, 0.5, 2.0])
@pytest.mark.parametrize(("band", "wave_pixel"), [("fast", 1.0), ("full", 0.6)])
def test_sharp_heavy_atoms_are_named_with_a_pixel_that_resolves_them(b_factor, band, wave_pixel):
    (line,) = advice(0.9, b_factor, band=band)
    needed = float(line.split("sampling.pixel_size ")[1].split()[0])
    used = max(b_factor, 0.5)
    assert math.exp(-used / (3 * wave_pixel * needed) ** 2 / 4) < 0.63
    assert ("structure.b_factor 0.5" in line) == (b_factor < 0.5)
    assert advice(0.95 * needed, used, band=band) == []


def test_a_fast_band_says_where_it_ends_where_the_optics_reach_further():
    fast, full = (SamplingConfig(pixel_size=2.0, band=band) for band in ("fast", "full"))
    line = band_advice(fast, MicroscopeConfig())
    assert "ends at 6 Å" in line and "'full' reaches 4 Å" in line
    assert band_advice(full, MicroscopeConfig()) is None
    assert band_advice(fast, MicroscopeConfig(aperture_mrad=3.0)) is None  # 6.6 Å


@pytest.mark.parametrize(("table", "pixel_size", "said"), [("peng", 0.05, 1), ("peng", 0.5, 0)])
def test_scattering_factors_that_end_before_the_potential_are_named(table, pixel_size, said):
    atoms = Atoms(torch.randn(5, 3), torch.full((5,), 78), torch.full((5,), 0.5), torch.ones(5))
    sampling = AtomSamplingConfig(size=(64, 64), pixel_size=pixel_size, table=table, band="fast")
    config = SimulateConfig(sampling=sampling)
    lines = sampling_advice(atoms, config, choose_sampling(atoms, config, Stage()), 0.0197)
    found = [line for line in lines if "Peng's scattering factors end at 4 1/Å" in line]
    assert len(found) == said
    assert all("the potential at 6.7 1/Å; sampling.table lobato would do" in line for line in found)


def test_the_scattering_factors_that_are_taken_by_default_are_said(simulate):
    small = ["--ice.present", "false", "--sampling.size", "[48, 48]", "--sampling.padding", "4"]
    code, _, folder = simulate(*small, "--sampling.pixel_size", 0.06, "--detector.preset", "ideal")
    assert code == 0
    said = (folder / "run.json").read_text("utf-8")
    assert "scattering factors of lobato (sampling.table)" in said


def test_light_atoms_may_be_sharp():
    assert advice(0.5, 0.0, element=6) == []


def test_a_detector_curve_of_another_voltage_is_named(simulate):
    assert "measured at 300 kV" in simulate("--microscope.voltage_kv", 200)[1].err
