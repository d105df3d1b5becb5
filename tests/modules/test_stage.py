import math

import pytest
import torch

from difftem.functional.pose import (
    random_rotations,
    rotation_from_euler,
    rotation_from_vector,
)
from difftem.modules.stage import Stage
from tests.helpers.specimen import random_atoms

POSITIONS = random_atoms(5, (10.0, 10.0, 10.0)).positions


def turn(axis, degrees):
    vector = torch.zeros(3, dtype=torch.float64)
    vector["xyz".index(axis)] = math.radians(degrees)
    return rotation_from_vector(vector)


def test_tilt_is_about_the_axis_and_in_plane_rotation_comes_last():
    stage = Stage([10.0, -20.0], tilt_axis_deg=0.0, in_plane_deg=30.0)
    assert len(stage) == 2
    torch.testing.assert_close(stage.rotation(1), turn("z", 30) @ turn("x", -20))


def test_an_axis_of_90_degrees_is_y():
    torch.testing.assert_close(Stage(15.0).rotation(0), turn("y", 15))


def test_base_is_the_specimen_before_the_tilt(generator):
    base = random_rotations(2, generator)
    still = Stage(torch.zeros(2), base=base)
    torch.testing.assert_close(still.rotation(1), base[1])
    tilted = Stage(torch.tensor([0.0, 40.0]), tilt_axis_deg=0.0, base=base)
    torch.testing.assert_close(tilted.rotation(1), turn("x", 40) @ base[1])


def test_every_error_can_be_learned():
    names = ("tilt_deg", "tilt_axis_deg", "shift", "in_plane_deg")
    stage = Stage(torch.tensor([5.0, 6.0]), learnable=names)
    loss = (stage.rotation(0) * torch.arange(9.0).reshape(3, 3)).sum() + stage.shift.sum()
    loss.backward()
    gradients = {name: parameter.grad for name, parameter in stage.named_parameters()}
    assert len(gradients) == 4
    assert all(grad is not None and bool((grad != 0).any()) for grad in gradients.values())


@pytest.mark.parametrize("name", ["shift", "base"])
def test_shapes_must_fit_the_tilts(name):
    with pytest.raises(ValueError, match=f"{name} must be"):
        Stage([1.0, 2.0], **{name: torch.zeros(3, 2)})


def test_a_series_turns_and_shifts_coordinates_as_a_loop_does():
    tilts = torch.tensor([-60.0, -10.0, 0.0, 33.0], dtype=torch.float64)
    shift = torch.arange(8.0, dtype=torch.float64).reshape(4, 2)
    series = Stage(tilts, 77.0, shift, in_plane_deg=2.0)
    together = series(POSITIONS)
    assert together.shape == (4, 5, 3)
    for i, tilt in enumerate(tilts):
        alone = Stage(tilt, 77.0, shift[i : i + 1], in_plane_deg=2.0)
        assert alone(POSITIONS).shape == (5, 3)
        torch.testing.assert_close(together[i], alone(POSITIONS))
        torch.testing.assert_close(series(POSITIONS, i), alone(POSITIONS))


def test_tilt_series_of_tem_simulator_is_a_rotation_by_euler_angles():
    # d = (-axis, θ, axis) in temsim.md section 4, S = Rz(d2) Rx(d1) Rz(d0).
    axis, tilt = 30.0, 12.0
    angles = torch.deg2rad(torch.tensor([-axis, tilt, axis], dtype=torch.float64))
    expected = POSITIONS @ rotation_from_euler(angles).mT
    torch.testing.assert_close(Stage(tilt, axis)(POSITIONS), expected, rtol=0, atol=1e-9)
