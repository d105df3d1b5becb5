import math

import pytest
import torch

from difftem.functional.pose import random_rotations, rotation_from_euler
from difftem.io.errors import InputError
from difftem.tem_simulator.files.placement import place
from difftem.tem_simulator.files.specimen import ParticleSet, Sample
from difftem.tem_simulator.files.tables import write_coordinates

SAMPLE = Sample(
    diameter_nm=400,
    thickness_center_nm=60,
    thickness_edge_nm=100,
    offset_x_nm=30,
    offset_y_nm=-20,
)
SIZE = (150.0, 200.0, 250.0)  # Å: a radius of 10 nm


def random_set(**values):
    return ParticleSet(particle_type="virus", particle_coords="random", **values)


def surface(positions):
    """Distance of each particle from the hole's axis, and of the ice's surface from its middle."""
    x, y = positions[:, 0] / 10 - 30, positions[:, 1] / 10 + 20
    rho = torch.hypot(x, y)
    return rho, 30 + 20 * (rho / 200) ** 2


def test_random_particles_fill_the_volume_of_the_ice_and_stay_inside(generator):
    n = 20000
    positions, rotations = place(random_set(num_particles=n), SAMPLE, SIZE, generator)
    assert positions.shape == (n, 3)
    rho, top = surface(positions)
    z = positions[:, 2] / 10
    assert rho.max() <= 190
    assert (z.abs() <= top - 10 + 1e-9).all()
    # Uniform over the disc and, at each place, over the height.
    assert (rho / 190).square().mean() == pytest.approx(0.5, abs=3 / math.sqrt(12 * n))
    assert (z / (top - 10)).square().mean() == pytest.approx(1 / 3, abs=3 * 0.3 / math.sqrt(n))
    # No direction is preferred.
    assert rotations.mean(0).abs().max() < 4 / math.sqrt(3 * n)
    torch.testing.assert_close(
        rotations @ rotations.mT, torch.eye(3).double().expand(n, 3, 3), rtol=0, atol=1e-12
    )


@pytest.mark.parametrize(("where", "sides"), [("top", {-1}), ("bottom", {1}), ("surface", {-1, 1})])
def test_particles_on_a_surface_touch_it_from_inside(generator, where, sides):
    positions, _ = place(random_set(num_particles=200, where=where), SAMPLE, SIZE, generator)
    _, top = surface(positions)
    z = positions[:, 2] / 10
    torch.testing.assert_close(z.abs(), top - 10)
    assert set(z.sign().tolist()) == sides


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        # 400 nm wide, 80 nm thick on average: 0.01005 µm³ and 0.12566 µm² on each side.
        ({"particle_conc": 1e4}, 1e4 * math.pi * 0.04 * 0.08),
        ({"particle_conc": 1e3, "where": "top"}, 1e3 * math.pi * 0.04),
        ({"particle_conc": 1e3, "where": "surface"}, 2e3 * math.pi * 0.04),
        ({"occupancy": 0.1}, 0.1 * math.pi * 200**2 * 80 / (4 / 3 * math.pi * 10**3)),
        ({"occupancy": 0.1, "where": "bottom"}, 0.1 * (200 / 10) ** 2),
        ({"num_particles": 7, "particle_conc": 1e4}, 7),
    ],
)
def test_number_follows_concentration_or_occupancy(generator, values, expected):
    positions, rotations = place(random_set(**values), SAMPLE, SIZE, generator)
    assert abs(len(positions) - expected) <= 0.5
    assert len(rotations) == len(positions)


def test_in_ice_thinner_than_the_particle_it_lies_in_the_middle(generator):
    thin = Sample(diameter_nm=400, thickness_center_nm=15, thickness_edge_nm=15)
    positions, _ = place(random_set(num_particles=50), thin, SIZE, generator)
    assert torch.equal(positions[:, 2], torch.zeros(50).double())
    narrow = Sample(diameter_nm=19, thickness_center_nm=15, thickness_edge_nm=15)
    with pytest.raises(InputError, match="mean diameter 20 nm does not fit into the hole of 19 nm"):
        place(random_set(num_particles=50), narrow, SIZE, generator)


def test_a_grid_is_centred_on_its_offset_with_x_fastest(generator):
    grid = ParticleSet(
        particle_type="virus",
        particle_coords="grid",
        nx=3,
        ny=2,
        nz=1,
        particle_dist_nm=10,
        offset_x_nm=1,
        offset_z_nm=-4,
    )
    positions, rotations = place(grid, SAMPLE, SIZE, generator)
    assert positions[:4].tolist() == [
        [-90, -50, -40],
        [10, -50, -40],
        [110, -50, -40],
        [-90, 50, -40],
    ]
    assert len(positions) == len(rotations) == 6
    assert torch.linalg.det(rotations).min() > 0.999
    assert not torch.allclose(rotations[0], rotations[1])


def test_the_coordinates_of_tem_simulator_are_read(shared_data):
    path = shared_data / "temsim" / "input_TMV" / "TMV_coord.txt"
    particles = ParticleSet(
        particle_type="TMV", particle_coords="file", coord_file_in=path, num_particles=3
    )
    positions, rotations = place(particles, SAMPLE, SIZE)
    assert positions.tolist() == [[-500, 50, 0], [0, 50, 0], [500, 50, 0]]
    axis = rotations[:, :, 2]  # where the axis of the virus points
    expected = torch.tensor([[0, 0, 1], [0, -1, 0], [1, 0, 0]]).double()
    torch.testing.assert_close(axis, expected, rtol=0, atol=1e-14)


def test_written_coordinates_give_the_same_particles_back(tmp_path, generator):
    rotations = random_rotations(50, generator)
    # Where only the sum or the difference of φ and ψ is defined, too.
    poles = torch.tensor([[0, 0, 0], [1, 0, 2], [1, math.pi, 2], [0, math.pi, 0], [1, 1e-9, 2]])
    rotations = torch.cat([rotations, rotation_from_euler(poles.double())])
    positions = 1e4 * torch.randn(55, 3, generator=generator, dtype=torch.float64)
    path = tmp_path / "coord.txt"
    write_coordinates(path, positions, rotations)
    particles = ParticleSet(particle_type="virus", particle_coords="file", coord_file_in=path)
    read_positions, read_rotations = place(particles, SAMPLE, SIZE)
    torch.testing.assert_close(read_positions, positions, rtol=1e-11, atol=0)
    torch.testing.assert_close(read_rotations, rotations, rtol=0, atol=1e-10)


def test_too_few_coordinates_are_named_and_spare_ones_dropped(tmp_path):
    path = tmp_path / "coord.txt"
    path.write_text("2 7\n1 2 3 0 0 0 9\n4 5 6 0 0 0 9\n")
    values = {"particle_type": "virus", "particle_coords": "file", "coord_file_in": path}
    assert place(ParticleSet(**values, num_particles=1), SAMPLE, SIZE)[0].tolist() == [[10, 20, 30]]
    assert place(ParticleSet(**values, num_particles=0), SAMPLE, SIZE)[1].shape == (0, 3, 3)
    with pytest.raises(InputError, match=r"coord\.txt: expected 3 rows at least, got 2"):
        place(ParticleSet(**values, num_particles=3), SAMPLE, SIZE)


def test_no_particles_at_all_are_fine(generator):
    positions, rotations = place(random_set(num_particles=0), SAMPLE, SIZE, generator)
    assert (positions.shape, rotations.shape) == ((0, 3), (0, 3, 3))


def test_same_seed_gives_the_same_particles():
    first, second = (
        place(random_set(num_particles=9), SAMPLE, SIZE, torch.Generator().manual_seed(5))
        for _ in range(2)
    )
    assert torch.equal(first[0], second[0])
    assert torch.equal(first[1], second[1])
