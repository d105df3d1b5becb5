import math

import torch

from difftem.modules import Pose, Stage
from tests.helpers.specimen import random_atoms

POSITIONS = random_atoms(5, (10.0, 10.0, 10.0)).positions


def test_default_pose_changes_nothing():
    assert torch.equal(Pose()(POSITIONS), POSITIONS)
    assert torch.equal(Stage()(POSITIONS), POSITIONS)


def test_particle_is_turned_then_moved_then_the_stage_tilts():
    pose = Pose((0.0, 0.0, math.pi / 2), (5.0, 0.0, 0.0)).double()
    x = torch.tensor([[1.0, 0.0, 0.0]], dtype=torch.float64)
    # x -> y by the rotation, + (5, 0, 0), then 90° about y: x -> -z, z -> x.
    got = Stage(90.0)(pose(x))
    expected = torch.tensor([[0.0, 1.0, -5.0]], dtype=torch.float64)
    torch.testing.assert_close(got, expected, rtol=0, atol=1e-6)
