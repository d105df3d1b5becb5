import math

import pytest
import torch

from difftem.functional.pose import random_rotations, tilt_rotation
from difftem.scene.files.euler import (
    relion_from_rotation,
    rotation_from_relion,
    rotation_from_tem_simulator,
    rotation_from_tilt,
    tem_simulator_from_rotation,
    tilt_from_rotation,
)
from difftem.scene.orientations import orientations, upright

CONVENTIONS = [
    (rotation_from_relion, relion_from_rotation),
    (rotation_from_tem_simulator, tem_simulator_from_rotation),
    (rotation_from_tilt, tilt_from_rotation),
]


def degrees(*angles):
    return torch.tensor([angles], dtype=torch.float64)


@pytest.mark.parametrize(("to_matrix", "to_angles"), CONVENTIONS)
def test_angles_go_round_also_where_two_of_them_share_an_axis(generator, to_matrix, to_angles):
    rotations = random_rotations(500, generator)
    assert torch.allclose(to_matrix(to_angles(rotations)), rotations, atol=1e-12)
    special = [(0, 0, 0), (30, 0, 40), (30, 180, 40), (20, 90, -50), (20, -90, 50), (90, 90, 90)]
    rotations = to_matrix(torch.tensor(special, dtype=torch.float64))
    assert torch.allclose(to_matrix(to_angles(rotations)), rotations, atol=1e-12)
    identity = torch.eye(3, dtype=torch.float64)
    assert to_angles(identity[None]).tolist() == [[0, 0, 0]]
    assert torch.equal(to_matrix(degrees(0, 0, 0))[0], identity)


def test_relion_matrix_is_that_of_the_standard_element_by_element():
    rot, tilt, psi = 0.3, 1.1, -2.0
    (ca, cb, cg), (sa, sb, sg) = (tuple(map(f, (rot, tilt, psi))) for f in (math.cos, math.sin))
    # Heymann, Chagoyen & Belnap (2005), as Xmipp and RELION print it.
    expected = [
        [cg * cb * ca - sg * sa, cg * cb * sa + sg * ca, -cg * sb],
        [-sg * cb * ca - cg * sa, -sg * cb * sa + cg * ca, sg * sb],
        [sb * ca, sb * sa, cb],
    ]
    found = rotation_from_relion(torch.rad2deg(degrees(rot, tilt, psi)))[0]
    assert torch.allclose(found, torch.tensor(expected).double(), atol=1e-12)


def test_relion_angles_turn_a_set_of_points_into_what_its_projection_shows():
    # A mark on the x axis of the reference. Each angle turns the frame counter-clockwise, so
    # what is seen turns clockwise.
    x = torch.tensor([1.0, 0, 0]).double()
    seen = rotation_from_relion(torch.tensor([[90.0, 0, 0], [0, 0, 90], [0, 90, 0]])) @ x
    expected = torch.tensor([[0.0, -1, 0], [0, -1, 0], [0, 0, 1]]).double()
    assert torch.allclose(seen, expected, atol=1e-12)


def test_relion_projects_along_the_direction_of_rot_and_tilt_whatever_psi():
    rot, tilt = math.radians(25), math.radians(70)
    direction = torch.tensor(
        [math.sin(tilt) * math.cos(rot), math.sin(tilt) * math.sin(rot), math.cos(tilt)],
        dtype=torch.float64,
    )
    matrix = rotation_from_relion(torch.tensor([[25.0, 70, psi] for psi in (0, 33, -120)]))
    expected = torch.tensor([0.0, 0, 1]).double().expand(3, 3)
    assert torch.allclose(matrix @ direction, expected, atol=1e-12)


def test_psi_turns_the_image_clockwise_in_its_own_plane():
    before, after = rotation_from_relion(torch.tensor([[40.0, 50, 0], [40, 50, 90]]))
    quarter = torch.tensor([[0.0, 1, 0], [-1, 0, 0], [0, 0, 1]]).double()
    assert torch.allclose(after, quarter @ before, atol=1e-12)


def test_tilt_angles_are_those_of_a_stage_about_y_and_about_any_axis():
    tilts = torch.deg2rad(torch.tensor([-60.0, 0, 35], dtype=torch.float64))
    about_y = tilt_rotation(tilts, torch.tensor(math.pi / 2, dtype=torch.float64))
    expected = torch.tensor([[0.0, -60, 0], [0, 0, 0], [0, 35, 0]]).double()
    assert torch.allclose(tilt_from_rotation(about_y), expected, atol=1e-10)
    about_x = tilt_rotation(tilts, torch.tensor(0.0, dtype=torch.float64))
    assert torch.allclose(tilt_from_rotation(about_x), expected[:, [1, 0, 2]], atol=1e-10)
    oblique = tilt_rotation(tilts, torch.tensor(1.2, dtype=torch.float64))
    assert torch.allclose(rotation_from_tilt(tilt_from_rotation(oblique)), oblique, atol=1e-12)


def test_orientations_are_random_fixed_or_in_the_plane(generator):
    turn = random_rotations(1, generator)[0]
    assert torch.equal(orientations(3, "fixed", generator, turn), turn.repeat(3, 1, 1))
    flat = orientations(200, "in_plane", generator, turn)
    assert torch.allclose(flat[:, 2], turn[2].repeat(200, 1), atol=1e-12)
    assert flat[:, 0].std(0).max() > 0.3
    everywhere = orientations(20_000, "random", generator)
    assert everywhere.mean(0).abs().max() < 5 / math.sqrt(3 * 20_000)
    with pytest.raises(ValueError, match="random, fixed, in_plane or preferred, got 'up'"):
        orientations(1, "up", generator)


def test_upright_particles_lean_by_the_angle_asked_for_in_all_directions(generator):
    n = 2000
    normals = random_rotations(n, generator)[:, 2]
    normals[0], normals[1] = torch.tensor([0.0, 0, 1]), torch.tensor([0.0, 0, -1])
    tilt = torch.rand(n, generator=generator, dtype=torch.float64)
    rotations = upright(normals, tilt, generator)
    cosine = (rotations[:, :, 2] * normals).sum(-1)
    assert torch.allclose(cosine, tilt.cos(), atol=1e-12)
    sideways = rotations[:, :, 2] - cosine[:, None] * normals
    assert sideways.mean(0).abs().max() < 0.05
    identity = torch.eye(3, dtype=torch.float64).expand(n, 3, 3)
    assert torch.allclose(rotations @ rotations.mT, identity, atol=1e-12)
