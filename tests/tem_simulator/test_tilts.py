import math

import pytest
import torch

from difftem.functional.pose import rotation_from_euler, tilt_rotation
from difftem.io.errors import InputError
from difftem.tem_simulator.files.microscope import Geometry
from difftem.tem_simulator.files.tables import write_errors, write_geometry
from difftem.tem_simulator.files.tilts import pose_particles, tilt_geometry

SERIES = {"ntilts": 3, "theta_start_deg": -2.0, "theta_incr_deg": 2.0}


def about(axis, degrees):
    """Rotation about x or z written out, counter-clockwise seen from the tip of the axis."""
    c, s = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
    rows = {"x": [[1, 0, 0], [0, c, -s], [0, s, c]], "z": [[c, -s, 0], [s, c, 0], [0, 0, 1]]}
    return torch.tensor(rows[axis], dtype=torch.float64)


def test_a_positive_tilt_about_x_takes_y_along_the_beam():
    tilts = tilt_geometry(Geometry(ntilts=1, theta_start_deg=90, theta_incr_deg=0))
    y = torch.tensor([0, 1, 0], dtype=torch.float64)
    torch.testing.assert_close(tilts.rotations[0] @ y, torch.tensor([0, 0, 1.0]).double())


@pytest.mark.parametrize("axis", [0.0, 90.0, -37.5])
def test_a_series_turns_about_the_axis_at_tilt_axis_degrees(axis):
    tilts = tilt_geometry(Geometry(**SERIES, tilt_axis_deg=axis))
    assert tilts.angles_deg.tolist() == [-2, 0, 2]
    expected = tilt_rotation(
        torch.deg2rad(tilts.angles_deg), torch.tensor(math.radians(axis), dtype=torch.float64)
    )
    torch.testing.assert_close(tilts.rotations, expected, rtol=0, atol=1e-14)
    direction = torch.tensor([math.cos(math.radians(axis)), math.sin(math.radians(axis)), 0])
    torch.testing.assert_close(
        tilts.rotations @ direction.double(), direction.double().expand(3, 3), rtol=0, atol=1e-7
    )
    assert torch.equal(tilts.shifts, torch.zeros(3, 2).double())


def test_files_of_tilts_and_errors_give_the_product_of_rotations(tmp_path):
    (tmp_path / "geometry.txt").write_text("# angles\n3 4\n10 20 30 0\n40 50 60 0\n1 1 1 1\n")
    (tmp_path / "errors.txt").write_text("2 5\n5 90 3 0.5 -0.25\n0 0 0 0 0\n")
    geometry = Geometry(
        gen_tilt_data=False,
        ntilts=2,
        geom_file_in=tmp_path / "geometry.txt",
        geom_errors="file",
        error_file_in=tmp_path / "errors.txt",
    )
    tilts = tilt_geometry(geometry)
    assert tilts.data_deg.tolist() == [[10, 20, 30], [40, 50, 60]]
    # The axis of the error is y: turn it to x and back.
    error = about("z", 5) @ about("z", 90) @ about("x", 3) @ about("z", -90)
    first = error @ about("z", 30) @ about("x", 20) @ about("z", 10)
    second = about("z", 60) @ about("x", 50) @ about("z", 40)
    torch.testing.assert_close(tilts.rotations, torch.stack([first, second]), rtol=0, atol=1e-14)
    assert tilts.shifts.tolist() == [[5, -2.5], [0, 0]]  # Å


def test_random_errors_have_the_spread_that_is_asked_for(generator):
    n = 4000
    geometry = Geometry(
        **(SERIES | {"ntilts": n}),
        geom_errors="random",
        tilt_err_deg=0.5,
        align_err_rot_deg=2.0,
        align_err_tr_nm=3.0,
    )
    tilts = tilt_geometry(geometry, generator)
    rotation, axis, tilt, x, y = tilts.errors.unbind(-1)
    three_sigma = 3 / math.sqrt(2 * n)
    assert rotation.std() == pytest.approx(2.0, rel=three_sigma)
    assert tilt.std() == pytest.approx(0.5, rel=three_sigma)
    assert torch.hypot(x, y).square().mean().sqrt() == pytest.approx(3.0, rel=three_sigma)
    assert (axis.min() >= 0) and (axis.max() <= 180)
    assert axis.mean() == pytest.approx(90, abs=3 * 180 / math.sqrt(12 * n))
    torch.testing.assert_close(tilts.shifts, 10 * torch.stack([x, y], -1))
    again = tilt_geometry(geometry, torch.Generator().manual_seed(0))
    assert torch.equal(again.rotations, tilts.rotations)


def test_written_tilts_and_errors_give_the_same_geometry_back(tmp_path, generator):
    geometry = Geometry(
        **SERIES, tilt_axis_deg=33.3, geom_errors="random", tilt_err_deg=1, align_err_tr_nm=1
    )
    tilts = tilt_geometry(geometry, generator)
    write_geometry(tmp_path / "geometry.txt", tilts)
    write_errors(tmp_path / "errors.txt", tilts)
    again = tilt_geometry(
        Geometry(
            gen_tilt_data=False,
            geom_file_in=tmp_path / "geometry.txt",
            geom_errors="file",
            error_file_in=tmp_path / "errors.txt",
        )
    )
    torch.testing.assert_close(again.rotations, tilts.rotations, rtol=0, atol=1e-11)
    torch.testing.assert_close(again.shifts, tilts.shifts, rtol=1e-11, atol=0)
    assert "-0" not in (tmp_path / "geometry.txt").read_text().split()


def test_too_few_rows_are_named(tmp_path):
    (tmp_path / "geometry.txt").write_text("2 3\n0 0 0\n0 0 0\n")
    geometry = Geometry(gen_tilt_data=False, ntilts=3, geom_file_in=tmp_path / "geometry.txt")
    with pytest.raises(InputError, match=r"geometry\.txt: expected 3 rows at least, got 2"):
        tilt_geometry(geometry)
    with pytest.raises(InputError, match="Geometry: theta_start is missing"):
        tilt_geometry(Geometry(ntilts=3))


def test_in_a_tilt_series_particles_turn_with_the_sample(tmp_path):
    (tmp_path / "errors.txt").write_text("1 5\n0 0 0 2 3\n")
    geometry = Geometry(
        ntilts=1,
        theta_start_deg=90,
        theta_incr_deg=0,
        geom_errors="file",
        error_file_in=tmp_path / "errors.txt",
    )
    tilts = tilt_geometry(geometry)
    positions = torch.tensor([[1.0, 2.0, 5.0], [0, 0, 0]]).double()
    rotations = rotation_from_euler(torch.tensor([[0.3, 1.0, 2.0], [0, 0, 0]]).double())
    moved, turned = pose_particles(tilts, positions, rotations)
    # y goes to z and z to -y; the shift is 20, 30 Å.
    expected = torch.tensor([[[21.0, 25.0, 2.0], [20, 30, 0]]]).double()
    torch.testing.assert_close(moved, expected, rtol=0, atol=1e-13)
    torch.testing.assert_close(turned[0], about("x", 90) @ rotations, rtol=0, atol=1e-14)
    moved, turned = pose_particles(tilts, positions, rotations, "single_particle")
    expected = torch.tensor([[[21.0, 32.0, 5.0], [20, 30, 0]]]).double()
    torch.testing.assert_close(moved, expected, rtol=0, atol=1e-13)
    torch.testing.assert_close(turned[0], about("x", 90) @ rotations, rtol=0, atol=1e-14)
    with pytest.raises(ValueError, match="tiltseries or single_particle, got 'x'"):
        pose_particles(tilts, positions, rotations, "x")
