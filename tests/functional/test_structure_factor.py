from pathlib import Path

import numpy as np
import torch

from difftem.constants.amorphous import WATER_STRUCTURE
from difftem.functional.structure_factor import structure_factor

Q = torch.linspace(0, 2, 4001, dtype=torch.float64)


def peaks(curve):
    """Places of the local maxima."""
    inner = curve[1:-1]
    return Q[1:-1][(inner > curve[:-2]) & (inner > curve[2:])]


def test_water_has_its_main_peak_at_3_7_angstrom_and_the_second_at_2_05():
    # Low-density amorphous ice: 1.70 and 3.05 in 2π/Å.
    found = peaks(structure_factor(Q, WATER_STRUCTURE))
    assert 3.68 < 1 / found[0] < 3.72
    assert 2.98 < 2 * torch.pi * found[1] < 3.12


def test_water_is_hardly_compressible_and_forgets_its_structure_in_fine_detail():
    curve = structure_factor(Q, WATER_STRUCTURE)
    assert abs(float(curve[0]) - 0.06) < 1e-12
    assert float(curve.min()) > 0.04
    torch.testing.assert_close(curve[Q > 1.5], torch.ones_like(curve[Q > 1.5]), rtol=0, atol=0.01)


def test_water_has_the_structure_of_a_quenched_model():
    # 1728 molecules of mW water, see experiments/ice_spectrum/quench.in.
    path = Path(__file__).parents[2] / "experiments" / "ice_spectrum" / "quenched_water.csv"
    q, model = torch.from_numpy(np.loadtxt(path, delimiter=",", skiprows=2)).unbind(-1)
    error = structure_factor(q, WATER_STRUCTURE) - model
    assert len(q) > 80
    assert float(error[q > 0.33].abs().max()) < 0.13
    assert float(error.square().mean().sqrt()) < 0.12  # the main peak was moved by 0.06 Å
