import math

import pytest
import torch

from difftem.atoms import Atoms
from difftem.modules import Stage
from difftem.simulation.advice import sampling_advice
from difftem.simulation.microscope import build_lens
from difftem.simulation.sampling import choose_sampling
from difftem.simulation.simulate_config import AtomSamplingConfig, SimulateConfig


def advice(pixel_size, b_factor, element=78):
    atoms = Atoms(
        torch.randn(50, 3), torch.full((50,), element), torch.full((50,), b_factor), torch.ones(50)
    )
    config = SimulateConfig(sampling=AtomSamplingConfig(size=(256, 256), pixel_size=pixel_size))
    sampling = choose_sampling(atoms, config, build_lens(config.microscope, pixel_size), Stage())
    lines = sampling_advice(atoms, config, sampling, 0.0197)
    return [line for line in lines if "heavy atoms" in line]


@pytest.mark.parametrize("b_factor", [0.0, 0.3, 0.5, 2.0])
def test_sharp_heavy_atoms_are_named_with_a_pixel_that_resolves_them(b_factor):
    (line,) = advice(0.5, b_factor)
    needed = float(line.split("sampling.pixel_size ")[1].split()[0])
    used = max(b_factor, 0.5)
    assert math.exp(-used / (3 * needed) ** 2 / 4) < 0.63
    assert ("structure.b_factor 0.5" in line) == (b_factor < 0.5)
    assert advice(0.95 * needed, used) == []


def test_light_atoms_may_be_sharp():
    assert advice(0.5, 0.0, element=6) == []


def test_a_detector_curve_of_another_voltage_is_named(simulate):
    assert "measured at 300 kV" in simulate("--microscope.voltage_kv", 200)[1].err
