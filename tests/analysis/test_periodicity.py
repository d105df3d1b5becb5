import pytest
import torch

from difftem.analysis.periodicity import periodicity
from tests.helpers.synthetic_columns import columns_image

PIXEL = 0.1  # Å


def test_a_lattice_repeats_at_its_steps():
    lattice = [(12 + 28 * i + 14 * (j % 2), 15 + 20 * j) for i in range(9) for j in range(12)]
    found = periodicity(columns_image(lattice, 256, sigma=3.0), PIXEL, reach=3.5)
    middle = found.autocorrelation[128, 128]
    assert float(middle) == pytest.approx(1)
    assert float(found.autocorrelation.max()) == pytest.approx(1)
    steps = sorted(map(tuple, found.steps.round().int().tolist()))
    assert steps == [(-14, 20), (14, 20), (28, 0)]
    assert torch.allclose(found.steps, found.steps.round(), atol=0.2)
    assert float(found.heights.min()) > 0.6


def test_a_constant_image_does_not_repeat():
    assert len(periodicity(torch.full((64, 64), 0.45), PIXEL).steps) == 0
