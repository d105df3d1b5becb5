import math

import torch

from difftem.functional.pose import rotation_from_euler
from difftem.modules import Pose
from tests.helpers.specimen import random_atoms

POSITIONS = random_atoms(5, (10.0, 10.0, 10.0)).positions


def test_default_pose_changes_nothing():
    assert torch.equal(Pose()(POSITIONS), POSITIONS)


def test_particle_is_turned_then_moved_then_the_stage_tilts():
    pose = Pose((0.0, 0.0, math.pi / 2), (5.0, 0.0, 0.0), tilt_deg=90.0).double()
    x = torch.tensor([[1.0, 0.0, 0.0]], dtype=torch.float64)
    # x -> y by the rotation, + (5, 0, 0), then 90° about y: x -> -z, z -> x.
    got = pose(x)
    expected = torch.tensor([[0.0, 1.0, -5.0]], dtype=torch.float64)
    torch.testing.assert_close(got, expected, rtol=0, atol=1e-6)


def test_series_of_tilts_is_a_loop_over_them():
    tilts = torch.tensor([-60.0, -10.0, 0.0, 33.0], dtype=torch.float64)
    vector = torch.tensor([0.1, -0.4, 0.2], dtype=torch.float64)
    shift = torch.tensor([1.0, 2.0, -3.0], dtype=torch.float64)
    series = Pose(vector, shift, tilts, 77.0)(POSITIONS)
    assert series.shape == (4, 5, 3)
    for tilt, each in zip(tilts, series, strict=True):
        torch.testing.assert_close(each, Pose(vector, shift, tilt, 77.0)(POSITIONS))


def test_tilt_series_of_tem_simulator_is_a_rotation_by_euler_angles():
    # d = (-axis, θ, axis) in temsim.md section 4, S = Rz(d2) Rx(d1) Rz(d0).
    axis, tilt = 30.0, 12.0
    angles = torch.deg2rad(torch.tensor([-axis, tilt, axis], dtype=torch.float64))
    expected = POSITIONS @ rotation_from_euler(angles).mT
    got = Pose(tilt_deg=tilt, tilt_axis_deg=axis).double()(POSITIONS)
    torch.testing.assert_close(got, expected, rtol=0, atol=1e-9)


def test_tilt_in_radians_is_what_the_ice_sees():
    assert Pose(tilt_deg=180.0).tilt.item() == torch.tensor(math.pi).item()
