import pytest
import torch

from difftem.analysis.fisher import (
    expected_maximum,
    invert_information,
    jacobian,
    propagate,
    spectral_information,
)
from difftem.functional.mtf import lorentzians


def test_jacobian_agrees_with_finite_differences():
    q = torch.linspace(0.01, 0.5, 7, dtype=torch.float64)
    at = torch.tensor([0.7, 0.2, 0.1, 10.0, 40.0], dtype=torch.float64)

    def curve(v):
        return torch.log(lorentzians(q, *v))

    found = jacobian(curve, at)
    for i in range(5):
        step = torch.zeros(5, dtype=torch.float64)
        step[i] = 1e-5 * at[i]
        slope = (curve(at + step) - curve(at - step)) / (2 * step[i])
        torch.testing.assert_close(found[:, i], slope, rtol=1e-6, atol=1e-9)
    assert jacobian(lambda v: q, at).abs().max() == 0


def test_information_of_a_level_is_the_number_of_ordinates():
    ordinates = torch.tensor([2.0, 5.0, 9.0]).double()
    information = spectral_information(torch.ones(3, 1).double(), ordinates)
    assert information.item() == 16
    covariance = invert_information(information)
    assert covariance.matrix.item() == pytest.approx(1 / 16)
    assert covariance.rank == 1


def test_directions_without_information_are_left_out():
    # Only the sum of the first two is seen, in very different units; the last not at all.
    derivatives = torch.tensor([[1.0, 1e6, 0.0, 0.0], [1.0, 1e6, 2.0, 0.0], [1.0, 1e6, 1.0, 0.0]])
    derivatives = derivatives.double()
    covariance = invert_information(spectral_information(derivatives, torch.ones(3).double()))
    assert covariance.rank == 2
    assert covariance.determined.tolist() == [False, False, True, False]
    seen = derivatives[:, [0, 2]]
    expected = seen @ torch.linalg.inv(seen.T @ seen) @ seen.T
    torch.testing.assert_close(propagate(derivatives, covariance.matrix), expected)


def test_expected_maximum_of_independent_and_of_equal_errors():
    equal = expected_maximum(torch.full((5, 5), 4.0))
    assert equal.item() == pytest.approx(2 * (2 / torch.pi) ** 0.5, rel=0.03)
    two = expected_maximum(torch.eye(2))
    assert two.item() == pytest.approx(2 / torch.pi**0.5, rel=0.03)
