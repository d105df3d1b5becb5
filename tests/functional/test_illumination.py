import math

import pytest
import torch

from difftem.functional.illumination import illumination_ensemble


@pytest.mark.parametrize("n", [1, 2, 3, 7, 12])
def test_nodes_of_the_defocus_average_polynomials_exactly(n):
    spread = torch.tensor(1.0, dtype=torch.float64)
    ensemble = [each[:2] for each in illumination_ensemble(spread, None, n, 1)]
    weights, nodes = torch.tensor(ensemble, dtype=torch.float64).T
    assert weights.sum().item() == pytest.approx(1, abs=1e-12)
    for power in range(2 * n):
        moment = 0 if power % 2 else math.prod(range(power - 1, 0, -2))
        size = math.prod(range(power, 0, -2))  # odd moments cancel from terms of this size
        got = (weights * nodes**power).sum().item()
        assert got == pytest.approx(moment, rel=1e-12 * n, abs=1e-12 * n * size)
