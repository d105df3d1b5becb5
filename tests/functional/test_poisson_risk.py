import math
from functools import partial

import pytest
import torch

from difftem.baselines.pure_let import let_terms, surroundings
from difftem.functional.haar import haar_analysis
from difftem.functional.poisson_risk import let_weights, risk_terms

SEEDS = 300


@pytest.fixture(scope="module")
def scene():
    """Expected counts of a disc and a slope, 0.3 to 7 a pixel."""
    y, x = torch.meshgrid(torch.arange(32.0), torch.arange(32.0), indexing="ij")
    return 0.3 + 0.1 * x + 3.5 * (((y - 15) ** 2 + (x - 12) ** 2) < 80)


@pytest.mark.parametrize("band", [0, 1, 2])
def test_the_risk_is_the_squared_error_on_average_over_the_noise(band, scene):
    weights = torch.tensor([0.1, 0.3, 0.9, -0.2, 0.15, 0.1])
    truth = haar_analysis(scene)[1][band]
    generator = torch.Generator().manual_seed(0)
    gaps, errors = [], []
    for _ in range(SEEDS):
        sums, details = haar_analysis(torch.poisson(scene, generator))
        gate, parent, parent_gate = (each[band] for each in surroundings(sums, details))
        terms = partial(let_terms, gate=gate, parent=parent, parent_gate=parent_gate)
        found = risk_terms(terms, sums, details[band])
        estimate = torch.tensordot(weights, found.terms, 1)
        errors.append((estimate - truth).square().sum().item())
        gaps.append(found.risk(weights).item() - errors[-1])
    gap, error = torch.tensor(gaps).double(), torch.tensor(errors).mean().item()
    standard_error = gap.std().item() / math.sqrt(SEEDS)
    assert standard_error < 0.02 * error
    assert abs(gap.mean().item()) < 3 * standard_error


def test_the_least_risk_gives_the_weights_of_the_least_error(generator):
    # A clean detail of one size everywhere: the best weight on the detail is SNR / (1 + SNR).
    sums = torch.poisson(torch.full((2, 400, 400), 9.0), generator)
    left, right = sums[0] + torch.poisson(torch.full((400, 400), 6.0), generator), sums[1]
    found = risk_terms(lambda s, d: torch.stack([d, 2 * d]), left + right, left - right)
    first, second = let_weights(found.matrix, found.vector).tolist()
    assert first + 2 * second == pytest.approx(36 / (36 + 24), rel=0.02)
    assert second == pytest.approx(first / 2, rel=1e-6)  # of equal terms, equal parts


def test_terms_that_are_zero_have_no_weight():
    matrix = torch.tensor([[4.0, 0.0], [0.0, 0.0]], dtype=torch.float64)
    weights = let_weights(matrix, torch.tensor([2.0, 0.0], dtype=torch.float64))
    assert weights.tolist() == pytest.approx([0.5, 0.0])
