import pytest
import torch

from difftem.modules import Dose


def test_dose_is_electrons_per_square_angstrom():
    counts = Dose(20.0, 0.5)(torch.ones(3, 4))
    torch.testing.assert_close(counts, torch.full((3, 4), 5.0))


def test_dose_series_is_a_batch_axis():
    dose = Dose(torch.tensor([1.0, 2.0])[:, None], 1.0)
    assert dose(torch.ones(3, 4, 5)).shape == (2, 3, 4, 5)


def test_learnable_dose_stays_positive():
    dose = Dose(5.0, 1.0, learnable=("dose_e_per_a2",))
    (parameter,) = dose.parameters()
    with torch.no_grad():
        parameter -= 100.0
    counts = dose(torch.ones(2, 2, dtype=torch.float64))
    assert (counts > 0).all() and (counts < 1e-30).all()
    with pytest.raises(ValueError, match="must not be negative"):
        Dose(-1.0, 1.0)
