import math

import pytest
import torch

from difftem.scene.neighbours import outside, overlaps
from difftem.scene.packing import PackingRequest, number_of_copies, pack
from difftem.scene.poses import ParticlePoses, Scene
from difftem.scene.regions import Ball, BoxRegion, FilmRegion, SphereSurface, filled, layer


def gaps(points, radii):
    """Free space between every two spheres, by brute force."""
    i, j = torch.triu_indices(len(points), len(points), 1)
    return (points[i] - points[j]).norm(dim=-1) - radii[i] - radii[j]


def row(n, spacing):
    """Points along x about the origin."""
    return spacing * (torch.arange(n).double()[:, None] - (n - 1) / 2) * torch.tensor([1.0, 0, 0])


def cube(n, radius, fraction):
    side = (n * 4 / 3 * math.pi * radius**3 / fraction) ** (1 / 3)
    return BoxRegion(side, side, side)


def test_overlaps_are_the_pairs_of_brute_force(generator):
    points = 100 * torch.rand(300, 3, generator=generator, dtype=torch.float64) - 50
    radii = 10 ** torch.rand(300, generator=generator, dtype=torch.float64)
    expected = int((gaps(points, radii) < 0).sum())
    assert overlaps(points, radii) == expected > 100
    assert overlaps(points[:0], radii[:0]) == 0


def test_spheres_of_three_sizes_keep_their_gap_and_stay_inside(generator):
    box = BoxRegion(3000.0, 2000.0, 800.0)
    numbers, radii = (400, 20, 100), (30.0, 200.0, 60.0)
    requests = [PackingRequest(box, r, n) for r, n in zip(radii, numbers, strict=True)]
    points = pack(requests, generator, gap=7.0)
    assert [len(each) for each in points] == list(numbers)
    sizes = torch.cat([torch.full((n,), r) for n, r in zip(numbers, radii, strict=True)]).double()
    assert gaps(torch.cat(points), sizes).min() >= 7 - 1e-9
    assert outside(torch.cat(points), sizes, (3000.0, 2000.0, 800.0)) == (0, 0, 0)
    assert overlaps(torch.cat(points), sizes) == 0
    assert overlaps(torch.cat(points), sizes + 10) == int(
        (gaps(torch.cat(points), sizes) < 20).sum()
    )


def test_new_spheres_avoid_those_that_are_there(generator):
    side = torch.arange(-200.0, 201, 100, dtype=torch.float64)
    wall = torch.cartesian_prod(side, side, torch.zeros(1).double())
    (points,) = pack(
        [PackingRequest(BoxRegion(500, 500, 300), 20.0, 200)], generator, obstacles=[(wall, 60.0)]
    )
    assert torch.cdist(points, wall).min() >= 80


@pytest.mark.parametrize("fraction", [0.05, 0.30])
def test_a_volume_fraction_below_jamming_is_reached(fraction):
    box = cube(1500, 50.0, fraction)
    assert number_of_copies(box, fraction=fraction, radius=50.0) == 1500
    (points,) = pack([PackingRequest(box, 50.0, 1500)], torch.Generator().manual_seed(1))
    assert gaps(points, torch.full((1500,), 50.0)).min() >= 0


def test_beyond_jamming_the_message_says_how_far_it_came(generator):
    with pytest.raises(ValueError, match="fit without overlap into") as error:
        pack([PackingRequest(cube(1000, 50.0, 0.45), 50.0, 1000, "ribosomes")], generator)
    message = str(error.value)
    assert "of 1000 copies of ribosomes" in message
    assert "of the 45% asked for; random packing ends below 38%" in message
    assert "use fewer copies, a larger field or thicker ice" in message
    # Saturation is 0.384 without walls; these ten diameters have walls.
    assert 500 < int(message.split()[1]) < 853


def test_discs_in_a_rectangle_jam_near_the_known_cover(generator):
    with pytest.raises(ValueError, match="covering") as error:
        pack([PackingRequest(BoxRegion(3000.0, 3000.0, 0.0), 50.0, 1100)], generator)
    placed = int(str(error.value).split()[1])
    # 0.547 in the bulk; centres stay half a diameter off the edges.
    assert 0.44 < placed * math.pi / 4 * 100**2 / 3000**2 < 0.547


def test_a_sphere_larger_than_its_region_does_not_fit(generator):
    for region in (BoxRegion(90.0, 500.0, 500.0), Ball(40.0), FilmRegion(1000.0, 90.0, 90.0)):
        with pytest.raises(ValueError, match="only 0 of 1 copies of 100 Å fit"):
            pack([PackingRequest(region, 50.0, 1)], generator)


def test_points_are_spread_evenly_over_box_ball_and_sphere():
    generator = torch.Generator().manual_seed(3)
    n = 40_000
    error = 5 / math.sqrt(n)  # five standard errors of a variable of unit variance
    (box,) = pack([PackingRequest(BoxRegion(2.0, 4.0, 6.0), 0.0, n)], generator)
    scaled = box / torch.tensor([2.0, 4.0, 6.0]) * math.sqrt(12)
    assert scaled.mean(0).abs().max() < error
    assert torch.allclose(scaled.var(0), torch.ones(3).double(), atol=error)
    (ball,) = pack([PackingRequest(Ball(10.0), 0.0, n)], generator)
    volume = (ball.norm(dim=-1) / 10) ** 3  # uniform in 0 to 1
    assert abs(volume.mean() - 0.5) * math.sqrt(12) < error
    (surface,) = pack([PackingRequest(SphereSurface(10.0), 0.0, n)], generator)
    assert torch.allclose(surface.norm(dim=-1), torch.full((n,), 10.0).double())
    height = surface[:, 2] / 10 * math.sqrt(3)  # Archimedes: uniform in -1 to 1
    assert abs(height.mean()) < error
    assert abs(height.var() - 1) < error


def test_same_seed_gives_the_same_bytes_and_another_does_not():
    def places(seed):
        return pack(
            [PackingRequest(cube(300, 10.0, 0.2), 10.0, 300)], torch.Generator().manual_seed(seed)
        )[0]

    assert torch.equal(places(4), places(4))
    assert not torch.equal(places(4), places(5))


@pytest.mark.parametrize(("center", "edge"), [(400.0, 900.0), (900.0, 400.0), (600.0, 600.0)])
def test_spheres_in_an_ice_film_lie_in_the_ice(generator, center, edge):
    film = FilmRegion(8000.0, center, edge)
    (points,) = pack([PackingRequest(film, 150.0, 120)], generator)
    # Points all over each sphere are in the ice and in the hole.
    directions = torch.randn(400, 3, generator=generator, dtype=torch.float64)
    skin = points[:, None] + 150 * directions / directions.norm(dim=-1, keepdim=True)
    distance = skin[..., :2].norm(dim=-1)
    assert (skin[..., 2].abs() <= film.surface(distance) + 1e-9).all()
    assert distance.max() <= 4000
    assert points[:, 2].abs().max() > 10


def test_a_film_of_even_thickness_is_a_disc_and_holds_its_volume():
    film = FilmRegion(2000.0, 300.0, 500.0)
    rho = torch.linspace(0, 1000, 100_001, dtype=torch.float64)
    volume = torch.trapezoid(2 * math.pi * rho * 2 * film.surface(rho), rho)
    assert film.size == pytest.approx(float(volume), rel=1e-6)


def test_a_layer_keeps_spheres_in_the_ice_and_may_cut_them_at_the_edges(generator):
    (points,) = pack(
        [PackingRequest(layer(1000, 800, 300, cut_at_edges=True), 100.0, 12)], generator
    )
    assert points[:, 2].abs().max() <= 50
    found = outside(points, 100.0, (1000.0, 800.0, math.inf))
    assert found.cut > 0
    assert found.centers == 0
    (points,) = pack([PackingRequest(layer(1000, 800, 300), 100.0, 5)], generator)
    assert outside(points, 100.0, (1000.0, 800.0, 300.0)).cut == 0


def test_outside_counts_cut_centres_and_gone():
    points = torch.tensor([[0.0, 0, 0], [45, 0, 0], [55, 0, 0], [65, 0, 0], [58, 58, 0]]).double()
    assert outside(points, 10.0, (100.0, 100.0, 100.0)) == (4, 3, 2)
    assert outside(torch.zeros(0, 3).double(), 10.0, (1.0, 1.0, 1.0)) == (0, 0, 0)


def test_touching_is_no_overlap_and_a_large_sphere_meets_many_small_ones():
    line = row(10, 20.0)
    assert overlaps(line, 10.0) == 0
    assert overlaps(line, 10.1) == 9
    assert overlaps(torch.cat([line, torch.zeros(1, 3)]), torch.tensor([1.0] * 10 + [95.0])) == 10


def test_densities_become_numbers():
    box = BoxRegion(10_000.0, 10_000.0, 2000.0)  # 0.2 µm³
    assert number_of_copies(box, per_um3=500.0) == 100
    assert number_of_copies(box, micromolar=1.0) == 120  # 602.2 per µm³
    assert number_of_copies(box, per_um2=70.0) == 70
    assert number_of_copies(BoxRegion(20_000.0, 10_000.0, 0.0), per_um2=70.0) == 140
    n = number_of_copies(SphereSurface(1000.0), fraction=0.2, radius=50.0)
    assert n == 320
    assert filled(SphereSurface(1000.0), 50.0, n) == pytest.approx(0.2)


@pytest.mark.parametrize(
    ("densities", "message"),
    [
        ({}, "give one of per_um3, micromolar, per_um2, fraction, got none"),
        ({"per_um3": 1.0, "fraction": 0.1}, "got per_um3, fraction"),
        ({"per_um3": -1.0}, r"per_um3 must be 0 or more, got -1\.0"),
        ({"fraction": 0.1}, "a fraction needs a positive radius, got None"),
        ({"per_um2": 1.0}, "per_um2 needs a surface or a box, got a ball of radius 5 Å"),
    ],
)
def test_a_density_that_means_nothing_is_refused(densities, message):
    with pytest.raises(ValueError, match=message):
        number_of_copies(Ball(5.0), **densities)


def test_a_scene_counts_merges_and_measures():
    eye = torch.eye(3, dtype=torch.float64)
    places = row(4, 10.0)
    a, b = (ParticlePoses(name, places, eye.repeat(4, 1, 1)) for name in "ab")
    scene = Scene((a, b.moved(eye, torch.tensor([0.0, 9.0, 0.0]))), (100.0, 100.0, 10.0))
    one = a.select(torch.tensor([0])).moved(eye, torch.tensor([0, 50.0, 0]))
    scene = Scene((*scene.instances, one), scene.box)
    assert len(scene) == 9
    assert scene.counts() == {"a": 5, "b": 4}
    assert scene.types().tolist() == [0] * 4 + [1] * 4 + [0]
    merged = scene.merged()
    assert [len(each) for each in merged.instances] == [5, 4]
    assert merged.counts() == scene.counts()
    radii = {"a": 5.0, "b": 4.5}
    assert scene.radii(radii).tolist() == [5.0] * 4 + [4.5] * 4 + [5.0]
    assert scene.overlaps(radii) == 4
    with pytest.raises(ValueError, match="no radius for b"):
        scene.overlaps({"a": 1.0})


@pytest.mark.parametrize(
    ("name", "position", "rotation", "message"),
    [
        ("a b", [0.0, 0, 0], torch.eye(3), "name without blanks, .*, got 'a b'"),
        ("a", [0.0, 0, math.nan], torch.eye(3), r"finite, got \[0\.0, 0\.0, nan\] at copy 1"),
        ("a", [0.0, 0, 0], 1.1 * torch.eye(3), "must be proper .* at copy 1"),
        ("a", [0.0, 0, 0], -torch.eye(3), "must be proper .* at copy 1"),
    ],
)
def test_impossible_copies_are_refused(name, position, rotation, message):
    positions = torch.tensor([[1.0, 2.0, 3.0], position], dtype=torch.float64)
    rotations = torch.stack([torch.eye(3), rotation]).double()
    with pytest.raises(ValueError, match=message):
        ParticlePoses(name, positions, rotations)
    with pytest.raises(ValueError, match="must be float64"):
        ParticlePoses("a", positions[:1].float(), rotations[:1])
    with pytest.raises(ValueError, match=r"shapes \(n, 3\) and \(n, 3, 3\)"):
        ParticlePoses("a", positions[:1], rotations)
