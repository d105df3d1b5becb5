import math

import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

from difftem.functional.pose import (
    random_rotations,
    rotate,
    rotation_from_euler,
    rotation_from_vector,
    tilt_rotation,
)

X, Y, Z = torch.eye(3, dtype=torch.float64)
QUARTER = math.pi / 2


def vector(*values):
    return torch.tensor(values, dtype=torch.float64)


def about(axis, angle):
    """Rotation matrices as every textbook prints them."""
    c, s = math.cos(angle), math.sin(angle)
    rows = {
        "x": [[1, 0, 0], [0, c, -s], [0, s, c]],
        "y": [[c, 0, s], [0, 1, 0], [-s, 0, c]],
        "z": [[c, -s, 0], [s, c, 0], [0, 0, 1]],
    }[axis]
    return torch.tensor(rows, dtype=torch.float64)


def test_quarter_turn_about_z_takes_x_to_y():
    r = rotation_from_vector(vector(0, 0, QUARTER))
    torch.testing.assert_close(r @ X, Y, rtol=0, atol=1e-12)
    torch.testing.assert_close(
        rotation_from_vector(vector(QUARTER, 0, 0)) @ Y, Z, rtol=0, atol=1e-12
    )
    torch.testing.assert_close(
        rotation_from_vector(vector(0, QUARTER, 0)) @ Z, X, rtol=0, atol=1e-12
    )


@pytest.mark.parametrize("angle", [0.0, 1e-9, 0.3, 2.0, 3.1, 7.0])
def test_rotation_vector_is_rodrigues_formula(angle):
    axis = vector(1, -2, 0.5) / vector(1, -2, 0.5).norm()
    k = torch.linalg.cross(axis.expand(3, 3), torch.eye(3).double()).T
    expected = torch.eye(3) + math.sin(angle) * k + (1 - math.cos(angle)) * k @ k
    torch.testing.assert_close(rotation_from_vector(angle * axis), expected, rtol=0, atol=1e-12)


def test_rotation_vector_has_a_gradient_at_zero():
    w = torch.zeros(3, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(rotation_from_vector, w)


def test_euler_angles_are_applied_as_tem_simulator_does():
    phi, theta, psi = 0.3, -0.8, 1.9
    expected = about("z", psi) @ about("x", theta) @ about("z", phi)
    got = rotation_from_euler(vector(phi, theta, psi))
    torch.testing.assert_close(got, expected, rtol=0, atol=1e-12)
    batch = rotation_from_euler(vector(phi, theta, psi).expand(2, 4, 3))
    assert batch.shape == (2, 4, 3, 3)


def test_tilt_axis_is_counted_from_x_towards_y():
    tilt = vector(0.4, -0.2)
    about_x, about_y = (
        tilt_rotation(tilt, torch.tensor(a, dtype=torch.float64)) for a in (0.0, QUARTER)
    )
    for i, angle in enumerate((0.4, -0.2)):
        torch.testing.assert_close(about_x[i], about("x", angle), rtol=0, atol=1e-12)
        torch.testing.assert_close(about_y[i], about("y", angle), rtol=0, atol=1e-12)
    # TEM-simulator: Rz(axis) Rx(tilt) Rz(-axis)
    oblique = tilt_rotation(tilt[0], torch.tensor(0.7, dtype=torch.float64))
    expected = about("z", 0.7) @ about("x", 0.4) @ about("z", -0.7)
    torch.testing.assert_close(oblique, expected, rtol=0, atol=1e-12)


def test_random_rotations_are_proper_and_uniform(generator):
    n, bins = 20_000, 20
    r = random_rotations(n, generator)
    eye = torch.eye(3, dtype=torch.float64).expand(n, 3, 3)
    torch.testing.assert_close(r @ r.mT, eye, rtol=0, atol=1e-12)
    torch.testing.assert_close(torch.linalg.det(r), torch.ones(n).double())
    # A column is uniform on the sphere: each of its components is uniform in [-1, 1].
    marginals = [r[:, 2, 2], r[:, 0, 1], r[:, 1, 0]]
    # The rotation angle has density (1 - cos w)/π: (w - sin w)/π is uniform in [0, 1].
    angle = torch.acos(((r.diagonal(dim1=1, dim2=2).sum(1) - 1) / 2).clamp(-1, 1))
    marginals.append(2 * (angle - torch.sin(angle)) / math.pi - 1)
    for marginal in marginals:
        observed = torch.histc(marginal, bins, -1, 1)
        chi2 = ((observed - n / bins) ** 2 / (n / bins)).sum().item()
        assert chi2 < (bins - 1) + 5 * (2 * (bins - 1)) ** 0.5
    again = random_rotations(n, torch.Generator().manual_seed(0))
    assert torch.equal(r, again)


@pytest.mark.parametrize(("vectors", "rotations"), [((5,), ()), ((2, 5), (2,)), ((5,), (3, 2))])
def test_vectors_are_turned_as_by_matrices_without_a_matrix_product(vectors, rotations):
    x = torch.randn(*vectors, 3, dtype=torch.float64)
    r = rotation_from_vector(torch.randn(*rotations, 3, dtype=torch.float64))
    expected = x @ r.mT
    with FlopCounterMode(display=False) as counter:  # it counts products of matrices
        found = rotate(x, r)
    torch.testing.assert_close(found, expected, rtol=0, atol=1e-13)
    assert counter.get_total_flops() == 0
